//! Money: whole minor units and a currency, never one without the other, never a float.

use composable_rust::prelude::*;
use schemars::JsonSchema;
use std::fmt;

/// A currency of ISO 4217, written as its code.
pub use iso_currency::Currency;

/// An amount in minor units (cents) of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Data, JsonSchema)]
pub struct Money {
    /// Minor units.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// So many minor units.
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Nothing.
    pub const fn zero(currency: Currency) -> Self {
        Self { amount: 0, currency }
    }

    /// Whether there is nothing to pay.
    pub const fn is_zero(self) -> bool {
        self.amount == 0
    }

    /// The sum; `None` when it overflows or the currencies differ.
    pub fn plus(self, other: Self) -> Option<Self> {
        let amount = self.amount.checked_add(other.amount)?;
        (self.currency == other.currency).then_some(Self { amount, ..self })
    }

    /// What is left when the other is taken away; `None` when it overflows or the currencies differ.
    pub fn minus(self, other: Self) -> Option<Self> {
        let amount = self.amount.checked_sub(other.amount)?;
        (self.currency == other.currency).then_some(Self { amount, ..self })
    }

    /// So many times the amount; `None` when it overflows.
    pub fn times(self, count: u32) -> Option<Self> {
        self.amount.checked_mul(i64::from(count)).map(|amount| Self { amount, ..self })
    }
}

/// As people read it: `45.00 EUR`, `4500 JPY`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = usize::from(self.currency.exponent().unwrap_or(0));
        let unit = 10_u64.saturating_pow(u32::from(self.currency.exponent().unwrap_or(0)));
        let amount = self.amount.unsigned_abs();
        let (whole, rest) = amount.checked_div(unit).zip(amount.checked_rem(unit)).unwrap_or((amount, 0));
        let sign = if self.amount < 0 { "-" } else { "" };
        write!(f, "{sign}{whole}")?;
        if digits > 0 {
            write!(f, ".{rest:0digits$}")?;
        }
        write!(f, " {}", self.currency.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_agree_with_wider_numbers_or_are_refused(a: i64, b: i64, count: u32) {
            let (one, other) = (Money::new(a, Currency::JPY), Money::new(b, Currency::JPY));
            let (wide_a, wide_b) = (i128::from(a), i128::from(b));
            let fits = |wide: i128| i64::try_from(wide).ok().map(|amount| Money::new(amount, Currency::JPY));
            prop_assert_eq!(one.plus(other), fits(wide_a + wide_b));
            prop_assert_eq!(one.minus(other), fits(wide_a - wide_b));
            prop_assert_eq!(one.times(count), fits(wide_a * i128::from(count)));
        }
    }

    #[test]
    fn sums_refuse_overflow_and_other_currencies() {
        let euros = |amount| Money::new(amount, Currency::EUR);
        assert_eq!(euros(2).plus(euros(3)), Some(euros(5)));
        assert_eq!(euros(i64::MAX).plus(euros(1)), None);
        assert_eq!(euros(2).plus(Money::new(3, Currency::USD)), None);
        assert_eq!(euros(5).minus(euros(3)), Some(euros(2)));
        assert_eq!(euros(i64::MIN).minus(euros(1)), None);
        assert_eq!(euros(45).times(3), Some(euros(135)));
        assert_eq!(euros(i64::MAX).times(2), None);
    }

    #[test]
    fn people_read_major_units() {
        assert_eq!(Money::new(4500, Currency::EUR).to_string(), "45.00 EUR");
        assert_eq!(Money::new(-5, Currency::EUR).to_string(), "-0.05 EUR");
        assert_eq!(Money::new(4500, Currency::JPY).to_string(), "4500 JPY");
    }
}
