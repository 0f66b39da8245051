//! Random commands against a reference model.

use super::domain::*;
use composable_rust_core::Context;
use composable_rust_testing::model::{Model, follow};
use composable_rust_testing::spec::START;
use composable_rust_testing::strategies::{commands, issued_id};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Three sums.
#[derive(Debug, Default)]
struct Sums {
    capacity: u32,
    holds: Vec<(HoldId, u32)>,
    sold: u32,
}

impl Sums {
    fn held(&self) -> u32 {
        self.holds.iter().map(|(_, count)| count).sum()
    }

    fn take(&mut self, hold: HoldId) -> Result<u32, SectionRejection> {
        let place = self.holds.iter().position(|(other, _)| *other == hold);
        place.map(|place| self.holds.remove(place).1).ok_or(SectionRejection::NoSuchHold)
    }
}

impl Model<Section> for Sums {
    fn apply(&mut self, command: &SectionCommand, context: &Context) -> Result<(), SectionRejection> {
        match command {
            SectionCommand::Open { capacity } => self.capacity = *capacity,
            SectionCommand::Hold { count } => {
                let free = self.capacity - self.held() - self.sold;
                if *count > free {
                    return Err(SectionRejection::SeatsUnavailable { free });
                }
                self.holds.push((context.id(0), *count));
            }
            SectionCommand::Release { hold } => drop(self.take(*hold)?),
            SectionCommand::Sell { hold } => self.sold += self.take(*hold)?,
        }
        Ok(())
    }

    fn agrees(&self, section: &Section) -> Result<(), String> {
        let sums = (section.capacity, section.held.values().sum::<u32>(), section.sold);
        let expected = (self.capacity, self.held(), self.sold);
        if sums == expected { Ok(()) } else { Err(format!("{sums:?} is not {expected:?}")) }
    }
}

/// Sales and releases aim at what one of the first commands may have held.
fn one() -> impl Strategy<Value = SectionCommand> {
    let hold = (1_u32..12).prop_map(|number| Context::new(START, issued_id(number)).id::<HoldId>(0));
    prop_oneof![
        1 => Just(SectionCommand::Open { capacity: 20 }),
        4 => (0_u32..4).prop_map(|count| SectionCommand::Hold { count }),
        2 => hold.clone().prop_map(|hold| SectionCommand::Release { hold }),
        2 => hold.prop_map(|hold| SectionCommand::Sell { hold }),
    ]
}

proptest! {
    #[test]
    fn a_section_agrees_with_three_sums(history in commands(one(), 40)) {
        follow::<Section, Sums>(&history)?;
    }
}

/// Forgets what is sold.
#[derive(Debug, Default)]
struct Forgetful(Sums);

impl Model<Section> for Forgetful {
    fn apply(&mut self, command: &SectionCommand, context: &Context) -> Result<(), SectionRejection> {
        let sold = self.0.sold;
        let result = self.0.apply(command, context);
        self.0.sold = sold;
        result
    }

    fn agrees(&self, section: &Section) -> Result<(), String> {
        self.0.agrees(section)
    }
}

#[test]
fn a_difference_is_found_and_its_history_made_short() {
    let history = || {
        let open = SectionCommand::Open { capacity: 20 };
        commands(one(), 40).prop_map(move |mut history| {
            if let Some(first) = history.first_mut() {
                first.command = open.clone();
            }
            history
        })
    };
    let mut runner = TestRunner::new(Config { failure_persistence: None, cases: 2_000, ..Config::default() });
    let error = runner.run(&history(), |history| follow::<Section, Forgetful>(&history)).unwrap_err();
    let proptest::test_runner::TestError::Fail(reason, shortest) = error else { panic!("{error}") };
    // Ids count the commands, so those before the hold that is sold, at most the eleventh, stay in their places.
    assert!(shortest.len() <= 12, "{shortest:#?}");
    assert!(reason.message().contains("model: Forgetful"), "{reason}");
}
