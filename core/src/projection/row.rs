//! The shape of a read model's rows.

use crate::Shaped;
use crate::port::IndexValue;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use uuid::Uuid;

/// A row of a read model, derived with `#[derive(Row)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no read model's row",
    label = "`Row` is not derived for this type",
    note = "write `#[derive(Debug, Clone, PartialEq, Row)]` and `#[row(key = \"…\")]` above `{Self}`"
)]
pub trait Row:
    Shaped + Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// What names a row: the type of the field in `#[row(key = "…")]`, a tuple of them where there are several.
    type Key;

    /// The text of its key.
    fn key(&self) -> String;

    /// The text of a key, as [`Self::key`] tells that of a row.
    fn text_of(key: Self::Key) -> String;

    /// Columns that queries may filter and order by.
    fn indexes() -> &'static [&'static str];

    /// The values of [`Self::indexes`], in their order.
    fn index_values(&self) -> Vec<IndexValue>;
}

/// What an indexed column may hold.
#[diagnostic::on_unimplemented(
    message = "stores cannot filter and order by `{Self}`",
    label = "an indexed column is a text, a `bool`, a time, a whole number that fits `i64`, or derives `Id` or `Label`",
    note = "of whole numbers these fit: `u8`, `u16`, `u32`, `i8`, `i16`, `i32`, `i64`; keep a `u64` or `usize` as `i64`",
    note = "or take the field out of `#[row(index = \"…\")]`"
)]
pub trait IndexColumn {
    /// The value as stores compare it.
    fn to_index(&self) -> IndexValue;
}

impl<T: IndexColumn> IndexColumn for Option<T> {
    fn to_index(&self) -> IndexValue {
        self.as_ref().map_or(IndexValue::Null, IndexColumn::to_index)
    }
}

impl<T: IndexColumn + ?Sized> IndexColumn for &T {
    fn to_index(&self) -> IndexValue {
        (**self).to_index()
    }
}

impl IndexColumn for str {
    fn to_index(&self) -> IndexValue {
        IndexValue::Text(self.to_owned())
    }
}

impl IndexColumn for String {
    fn to_index(&self) -> IndexValue {
        IndexValue::Text(self.clone())
    }
}

impl IndexColumn for Uuid {
    fn to_index(&self) -> IndexValue {
        IndexValue::Text(self.to_string())
    }
}

impl IndexColumn for crate::UserId {
    fn to_index(&self) -> IndexValue {
        IndexValue::Text(self.to_string())
    }
}

impl IndexColumn for Timestamp {
    fn to_index(&self) -> IndexValue {
        IndexValue::Integer(self.as_microsecond())
    }
}

impl IndexColumn for bool {
    fn to_index(&self) -> IndexValue {
        IndexValue::Integer(i64::from(*self))
    }
}

/// Numbers that fit a signed column.
macro_rules! integer_columns {
    ($($number:ty),*) => {$(
        impl IndexColumn for $number {
            fn to_index(&self) -> IndexValue {
                IndexValue::Integer(i64::from(*self))
            }
        }
    )*};
}

integer_columns!(u8, u16, u32, i8, i16, i32, i64);
