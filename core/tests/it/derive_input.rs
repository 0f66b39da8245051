//! `#[derive(Input)]` and `#[derive(Events)]`: what processes and projections hear.

use crate::fixture::*;
use composable_rust_core::{
    DecodeError, EventSet, Outcome, ProcessId, ProcessInput, Recorded, Rejected, StreamId,
};

const ACCOUNT: &str = "account/00000000-0000-0000-0000-000000000007";

fn raw(value: &impl serde::Serialize) -> Box<serde_json::value::RawValue> {
    serde_json::value::to_raw_value(value).unwrap()
}

#[test]
fn an_input_lists_what_it_hears_for_the_start_up_check() {
    assert_eq!(WelcomeInput::categories(), ["account", "journal"]);
    assert_eq!(WelcomeInput::dispatches_to(), ["account"]);
    assert_eq!(WelcomeInput::calls(), ["send_mail"]);
    let types: Vec<_> = WelcomeInput::event_types().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        types,
        ["account.Deposited", "account.Noted", "account.Moved", "account.Frozen", "journal.Written"]
    );
}

#[test]
fn an_event_becomes_the_input_of_its_category() {
    let event = recorded(ACCOUNT, "account.Frozen", 1, "null");
    let input = WelcomeInput::from_event(&event).unwrap();
    assert_eq!(input, WelcomeInput::Account(account_id(), AccountEvent::Frozen));
    let line = recorded("journal/today", "journal.Written", 1, r#"{"line":"a"}"#);
    assert_eq!(
        WelcomeInput::from_event(&line).unwrap(),
        WelcomeInput::Journal(JournalEvent::Written { line: "a".into() })
    );
}

#[test]
fn an_event_that_cannot_be_read_is_an_error_never_a_skip() {
    let key = recorded("account/clicks", "account.Frozen", 1, "null");
    assert!(matches!(WelcomeInput::from_event(&key), Err(DecodeError::Key { .. })));
    let category = recorded("show/1", "show.Opened", 1, "null");
    assert!(matches!(WelcomeInput::from_event(&category), Err(DecodeError::UnknownType { .. })));
    let event_type = recorded(ACCOUNT, "account.Closed", 1, "null");
    assert!(matches!(Ledger::decode(&event_type), Err(DecodeError::UnknownType { .. })));
}

#[test]
fn refusals_and_outcomes_return_to_their_variants() {
    let rejected = Rejected::<Account>::new(&account_id(), AccountCommand::Freeze, Refused::NothingToDeposit);
    let heard = WelcomeInput::from_rejection("account", &raw(&rejected)).unwrap();
    assert_eq!(heard, Some(WelcomeInput::Refused(rejected.clone())));
    assert_eq!(WelcomeInput::from_rejection("show", &raw(&rejected)).unwrap(), None);
    assert!(WelcomeInput::from_rejection("account", &raw(&7)).is_err());

    let outcome = Outcome { call: SendMail { to: "a@b".into() }, answer: MailAnswer::Bounced { code: 5 } };
    let heard = WelcomeInput::from_outcome("send_mail", &raw(&outcome)).unwrap();
    assert_eq!(heard, Some(WelcomeInput::Mailed(outcome.clone())));
    assert_eq!(WelcomeInput::from_outcome("charge_card", &raw(&outcome)).unwrap(), None);
}

#[test]
fn timers_are_an_enum_of_their_own_that_survives_its_encoding() {
    for timer in [WelcomeTimer::GiveUp, WelcomeTimer::Remind { round: 2 }] {
        let text = serde_json::to_string(&timer).unwrap();
        assert_eq!(serde_json::from_str::<WelcomeTimer>(&text).unwrap(), timer);
    }
    assert_eq!(WelcomeInput::from_timer(WelcomeTimer::GiveUp), WelcomeInput::GiveUp);
    assert_eq!(
        WelcomeInput::from_timer(WelcomeTimer::Remind { round: 2 }),
        WelcomeInput::Remind { round: 2 }
    );
}

#[test]
fn a_set_over_several_aggregates_is_keyed_by_the_stream() {
    assert_eq!(Ledger::categories(), ["account", "journal"]);
    assert_eq!(Ledger::event_types().len(), 5);
    let event = recorded("journal/today", "journal.Written", 1, r#"{"line":"a"}"#);
    let read: Recorded<Ledger> = Ledger::recorded(&event).unwrap();
    assert_eq!(read.body, Ledger::Journal("today".into(), JournalEvent::Written { line: "a".into() }));
    let stream: &StreamId = read.key();
    assert_eq!(stream.as_str(), "journal/today");
}

#[test]
fn an_input_belongs_to_an_instance() {
    fn is_keyed<I: ProcessInput<Key = ProcessId>>() {}
    is_keyed::<WelcomeInput>();
}
