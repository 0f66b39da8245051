//! Specifications of processes.

use super::domain::*;
use super::failure;
use composable_rust_core::{Outcome, Rejected, call, cancel, dispatch, later, schedule, steps};
use composable_rust_testing::spec::{START, given_inputs, given_no_inputs};

fn held(number: u128) -> ExpiryInput {
    ExpiryInput::Section("left".into(), SectionEvent::Held { hold: hold(number), count: 1 })
}

fn timer(number: u128) -> ExpiryTimer {
    ExpiryTimer::HoldEnds { section: "left".into(), hold: hold(number) }
}

#[test]
fn steps_follow_from_inputs() {
    let due = later(START, HOLD_LASTS);
    given_no_inputs::<Expiry>().when(held(1)).at(START).then(steps![schedule(timer(1), due)]);

    let ends = ExpiryInput::HoldEnds { section: "left".into(), hold: hold(1) };
    given_inputs::<Expiry>([held(1)])
        .when(ends)
        .then(steps![
            dispatch("left".to_owned(), SectionCommand::Release { hold: hold(1) }),
            call(Mail { about: hold(1) }),
        ])
        .then_state(|expiry| assert_eq!(expiry.step, Step::Done));

    let sold = ExpiryInput::Section("left".into(), SectionEvent::Sold { hold: hold(1) });
    given_inputs::<Expiry>([held(1)]).when(sold).then(steps![cancel(timer(1))]);
}

#[test]
fn answers_are_inputs_too() {
    let release = SectionCommand::Release { hold: hold(1) };
    let refused = Rejected::<Section>::new(&"left".to_owned(), release, SectionRejection::NoSuchHold);
    given_inputs::<Expiry>([held(1)]).when(ExpiryInput::Refused(refused)).then_nothing();
    let mailed = Outcome { call: Mail { about: hold(1) }, answer: Mailed::Bounced };
    given_inputs::<Expiry>([held(1)])
        .when(ExpiryInput::Mailed(mailed))
        .then_state(|expiry| assert_eq!(expiry.step, Step::Holding));
    given_inputs::<Expiry>([held(1)]).then_state(|expiry| assert_eq!(expiry.step, Step::Holding));
}

#[test]
fn a_failure_shows_the_steps_as_they_are_stored() {
    let message = failure(|| {
        given_no_inputs::<Expiry>().when(held(1)).then(steps![schedule(timer(2), later(START, HOLD_LASTS))]);
    });
    assert!(message.starts_with("other steps follow (- expected, + actual)"), "{message}");
    let line =
        |sign, number| format!("{sign}       \"hold\": \"00000000-0000-0000-0000-00000000000{number}\"");
    assert!(message.contains(&line('-', 2)) && message.contains(&line('+', 1)), "{message}");
    assert!(message.contains("inputs:\n  Section(\"left\", Held"), "{message}");
}

#[test]
fn inputs_of_two_instances_are_told() {
    let message = failure(|| given_inputs::<Expiry>([held(1), held(2)]));
    assert!(message.starts_with("the inputs are for two instances of \"expiry\""), "{message}");
}
