//! `#[derive(Action)]`: names, halves, payloads, versions and upcasters.

use crate::fixture::*;
use composable_rust_core::{
    Action, ActionHalf, Command, DecodeError, Event, EventSet, Position, RecordedEvent, SchemaVersion,
    StreamId, StreamVersion, decode_payload, json, stream_of,
};
use std::error::Error;

fn euros(cents: u64) -> Money {
    Money { cents, currency: "EUR".to_owned() }
}

fn deposited() -> AccountEvent {
    AccountEvent::Deposited { amount: euros(5), reason: Reason::Salary, note: None }
}

fn stream() -> StreamId {
    stream_of::<Account>(&account_id()).unwrap()
}

fn decode(event_type: &str, schema: u32, payload: &str) -> Result<AccountEvent, DecodeError> {
    AccountEvent::decode_parts(&stream(), event_type, SchemaVersion::new(schema), payload.as_bytes())
}

#[test]
fn names_have_defaults_and_can_be_set() {
    assert_eq!(AccountAction::CATEGORY, "account");
    assert_eq!(stream().as_str(), "account/00000000-0000-0000-0000-000000000007");
    assert_eq!(JournalAction::CATEGORY, "journal");
    assert_eq!(OracleTalk::CATEGORY, "oracle_talk");
    let names: Vec<_> = AccountEvent::TYPES.iter().map(|(name, version)| (*name, version.get())).collect();
    assert_eq!(
        names,
        [("account.Deposited", 3), ("account.Noted", 1), ("account.Moved", 1), ("account.Frozen", 1)]
    );
    assert_eq!(deposited().event_type(), "account.Deposited");
    assert_eq!(deposited().schema_version().get(), 3);
    assert_eq!(AccountCommand::Freeze.name(), "Freeze");
}

#[test]
fn an_action_splits_into_the_half_it_was_made_of() {
    let command = AccountCommand::Deposit { amount: euros(1), reason: Reason::GiftCard };
    let ActionHalf::Command(back) = AccountAction::from(command.clone()).split() else {
        panic!("no command")
    };
    assert_eq!(back, command);
    for event in [deposited(), AccountEvent::Transferred(account_id(), 2), AccountEvent::Frozen] {
        assert_eq!(AccountAction::from(event.clone()).split(), ActionHalf::Event(event));
    }
}

#[test]
fn a_payload_is_the_content_of_the_variant_alone() {
    let text = |event: AccountEvent| String::from_utf8(event.encode().unwrap()).unwrap();
    assert_eq!(text(deposited()), r#"{"amount":{"cents":5,"currency":"EUR"},"reason":"salary"}"#);
    assert_eq!(text(AccountEvent::Noted("hello".into())), r#""hello""#);
    assert_eq!(
        text(AccountEvent::Transferred(account_id(), 2)),
        r#"["00000000-0000-0000-0000-000000000007",2]"#
    );
    assert_eq!(text(AccountEvent::Frozen), "null");
}

#[test]
fn every_event_survives_its_encoding() {
    let noted =
        AccountEvent::Deposited { amount: euros(1), reason: Reason::Refund, note: Some("thanks".to_owned()) };
    let events = [
        deposited(),
        noted,
        AccountEvent::Noted("x".into()),
        AccountEvent::Transferred(account_id(), 9),
        AccountEvent::Frozen,
    ];
    for event in events {
        let payload = event.encode().unwrap();
        let back =
            AccountEvent::decode_parts(&stream(), event.event_type(), event.schema_version(), &payload);
        assert_eq!(back.unwrap(), event);
    }
    assert_eq!(decode("account.Frozen", 1, "{}").unwrap(), AccountEvent::Frozen);
}

#[test]
fn old_payloads_pass_through_every_upcaster() {
    let v1 = decode("account.Deposited", 1, r#"{"cents":5,"reason":"salary"}"#).unwrap();
    let v2 = decode("account.Deposited", 2, r#"{"cents":5,"currency":"EUR","reason":"salary"}"#).unwrap();
    assert_eq!((v1, v2), (deposited(), deposited()));
}

#[test]
fn a_golden_file_of_version_1_still_loads() {
    let payload = include_str!("../golden/account_deposited_v1.json");
    assert_eq!(decode("account.Deposited", 1, payload).unwrap(), deposited());
}

#[test]
fn what_cannot_be_read_is_a_typed_error_that_names_the_event() {
    let unknown = decode("account.Closed", 1, "null").unwrap_err();
    assert!(
        matches!(&unknown, DecodeError::UnknownType { event_type, .. } if event_type == "account.Closed")
    );
    assert!(unknown.to_string().contains("account.Closed"));

    let newer = decode("account.Deposited", 4, "{}").unwrap_err();
    assert!(
        matches!(&newer, DecodeError::NewerSchema { found, newest, .. } if found.get() == 4 && newest.get() == 3)
    );
    assert!(newer.to_string().contains("account.Deposited"));

    let misfit = decode("account.Deposited", 3, r#"{"amount":7}"#).unwrap_err();
    assert!(matches!(&misfit, DecodeError::Payload { event_type, .. } if event_type == "account.Deposited"));
    assert!(misfit.source().is_some());

    let refused = decode("account.Deposited", 2, r#"{"cents":5}"#).unwrap_err();
    assert!(matches!(&refused, DecodeError::Upcast { reason, .. } if reason == "no currency"));
    let frozen = decode("account.Frozen", 1, "7").unwrap_err();
    assert!(matches!(frozen, DecodeError::Payload { .. }));
}

#[test]
fn what_cannot_be_read_names_the_event_its_place_and_the_upcaster_that_failed() {
    let event = |event_type: &str, schema: u32, payload: &str| {
        let event = recorded(stream().as_str(), event_type, 1, payload);
        RecordedEvent {
            schema_version: SchemaVersion::new(schema),
            version: StreamVersion::from(4),
            position: Position::from(17_u32),
            ..event
        }
    };
    let place = format!("(event 4 of {}, position 17)", stream());
    let said = |event| AccountEvent::recorded(&event).unwrap_err().to_string();

    let refused = said(event("account.Deposited", 2, r#"{"cents":5}"#));
    let upcaster = r#"the upcaster of "account.Deposited" from schema version 2 to 3 failed"#;
    assert_eq!(refused, format!("{upcaster} {place}: no currency"));
    let frozen = said(event("account.Frozen", 1, "7"));
    assert_eq!(
        frozen,
        format!(r#"the payload of "account.Frozen" (schema version 1) does not fit its type {place}"#)
    );
    let unknown = AccountEvent::recorded(&event("account.Closed", 1, "null")).unwrap_err();
    assert_eq!(unknown.to_string(), format!(r#"unknown event type "account.Closed" {place}"#));
    assert!(unknown.is_foreign());
    let newer = AccountEvent::recorded(&event("account.Deposited", 4, "{}")).unwrap_err();
    assert!(newer.is_foreign() && newer.to_string().ends_with(&place), "{newer}");

    // What an upcaster made of it is not what the code reads.
    let raised = |payload: json::Value| Ok::<_, String>(payload);
    let misfit = decode_payload::<u32>("x.Happened", SchemaVersion::FIRST, &[raised], b"{}").unwrap_err();
    let text = misfit.at(&event("x.Happened", 1, "{}")).to_string();
    let expected =
        r#"the payload of "x.Happened" (schema version 1, raised to 2 by upcasters) does not fit its type"#;
    assert_eq!(text, format!("{expected} {place}"));
}

#[test]
fn a_panic_of_an_upcaster_or_of_a_type_that_is_read_is_an_error_of_its_event() {
    #[derive(Debug)]
    struct Fragile;
    impl<'de> serde::Deserialize<'de> for Fragile {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("it broke")
        }
    }
    let breaks = |_: json::Value| -> Result<json::Value, String> { panic!("no such field") };
    let upcast = decode_payload::<u32>("x.Happened", SchemaVersion::FIRST, &[breaks], b"1").unwrap_err();
    assert!(upcast.to_string().ends_with("failed: it panicked: no such field"), "{upcast}");
    let read = decode_payload::<Fragile>("x.Happened", SchemaVersion::FIRST, &[], b"1").unwrap_err();
    assert_eq!(read.source().unwrap().to_string(), "it panicked: it broke");
}

#[test]
fn events_are_a_set_with_typed_keys() {
    let event = recorded(stream().as_str(), "account.Noted", 1, r#""x""#);
    let read = AccountEvent::recorded(&event).unwrap();
    assert_eq!((read.body, read.key), (AccountEvent::Noted("x".into()), account_id()));
    let other_key = recorded("account/clicks", "account.Noted", 1, r#""x""#);
    assert!(matches!(AccountEvent::recorded(&other_key), Err(DecodeError::Key { .. })));
}

#[test]
fn an_action_may_lack_commands_or_events() {
    assert_eq!(JournalEvent::TYPES.len(), 1);
    assert!(OracleTalkEvent::TYPES.is_empty());
    let unknown =
        OracleTalkEvent::decode_parts(&stream(), "oracle_talk.Answered", SchemaVersion::FIRST, b"{}");
    assert!(matches!(unknown, Err(DecodeError::UnknownType { .. })));
    assert_eq!(OracleTalkCommand::Ask.name(), "Ask");
}

#[test]
fn commands_survive_their_encoding() {
    for command in
        [AccountCommand::Freeze, AccountCommand::Deposit { amount: euros(3), reason: Reason::Refund }]
    {
        let text = serde_json::to_string(&command).unwrap();
        assert_eq!(serde_json::from_str::<AccountCommand>(&text).unwrap(), command);
    }
}
