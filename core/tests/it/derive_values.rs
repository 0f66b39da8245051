//! The derives of small things: `Id`, `Label`, `Data`, `Row`, `Rejection` and `Call`.

use crate::fixture::*;
use composable_rust_core::port::IndexValue;
use composable_rust_core::{
    ActivityCall, Id, IndexColumn, Rejection, RejectionKind, Row, StreamKey, json::json,
};
use std::str::FromStr;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Id)]
struct Section(String);

#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "section, account", index = "account, reason, cents, note")]
struct Line {
    section: Section,
    account: AccountId,
    reason: Reason,
    cents: i64,
    note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "type")]
struct Kind {
    r#type: String,
}

#[derive(Debug, Clone, PartialEq, Rejection)]
struct TooLarge;

#[derive(Debug, Clone, PartialEq, Rejection)]
#[rejection(code = "no_such_seat", kind = NotFound, message = "seat {seat} of {{row}} {row:02} does not exist")]
struct NoSeat {
    row: u32,
    seat: u32,
}

fn line() -> Line {
    Line {
        section: Section("left".into()),
        account: account_id(),
        reason: Reason::GiftCard,
        cents: 3,
        note: None,
    }
}

#[test]
fn ids_are_text_outside_and_typed_inside() {
    fn is_key<K: StreamKey>(_: &K) {}
    let text = "00000000-0000-0000-0000-000000000007";
    let id = AccountId::from_str(text).unwrap();
    is_key(&id);
    assert_eq!((id.to_string().as_str(), id.as_uuid()), (text, Uuid::from_u128(7)));
    assert_eq!(serde_json::to_value(id).unwrap(), json!(text));
    assert_eq!(serde_json::from_value::<AccountId>(json!(text)).unwrap(), id);
    assert_eq!(id.to_index(), IndexValue::Text(text.into()));
    let wrong = AccountId::from_str("seven").unwrap_err();
    assert_eq!(wrong.to_string(), r#""seven" is not a valid account id: it must be a UUID"#);

    let section: Section = "left".parse().unwrap();
    assert_eq!((section.as_str(), serde_json::to_value(&section).unwrap()), ("left", json!("left")));
    assert!("".parse::<Section>().is_err());
    assert!(serde_json::from_value::<Section>(json!("a\nb")).is_err());
}

#[test]
fn labels_are_one_text_everywhere() {
    let all = [(Reason::Salary, "salary"), (Reason::GiftCard, "gift_card"), (Reason::Refund, "paid back")];
    for (reason, text) in all {
        assert_eq!((reason.as_str(), reason.to_string().as_str()), (text, text));
        assert_eq!(text.parse::<Reason>().unwrap(), reason);
        assert_eq!(serde_json::to_value(reason).unwrap(), json!(text));
        assert_eq!(serde_json::from_value::<Reason>(json!(text)).unwrap(), reason);
        assert_eq!(reason.to_index(), IndexValue::Text(text.into()));
    }
    assert_eq!(format!("{:>8}|", Reason::Salary), "  salary|");
    let wrong = "bonus".parse::<Reason>().unwrap_err().to_string();
    assert!(wrong.contains("it must be one of: salary, gift_card, paid back"), "{wrong}");
}

#[test]
fn rows_have_a_key_and_indexed_columns() {
    assert_eq!(line().key(), "left/00000000-0000-0000-0000-000000000007");
    assert_eq!(Line::indexes(), ["account", "reason", "cents", "note"]);
    let values = [
        IndexValue::Text(account_id().to_string()),
        IndexValue::Text("gift_card".into()),
        IndexValue::Integer(3),
        IndexValue::Null,
    ];
    assert_eq!(line().index_values(), values);
    let text = serde_json::to_string(&line()).unwrap();
    assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), line());

    let kind = Kind { r#type: "x".into() };
    assert_eq!((kind.key().as_str(), Kind::indexes().len()), ("x", 0));
    assert_eq!(Kind::text_of("x".into()), kind.key());
    assert_eq!(Line::text_of((line().section, line().account)), line().key());
    assert_eq!(serde_json::to_value(&kind).unwrap(), json!({ "type": "x" }));
}

#[test]
fn different_keys_of_several_fields_never_have_one_text() {
    #[derive(Debug, Clone, PartialEq, Row)]
    #[row(key = "left, right")]
    struct Pair {
        left: String,
        right: String,
    }
    let texts = [("a/b", "c"), ("a", "b/c"), ("a\\/b", "c"), ("a\\", "b/c"), ("a", "\\b/c"), ("", "a/b/c")]
        .map(|(left, right)| Pair::text_of((left.into(), right.into())));
    assert_eq!(texts[0], r"a\/b/c");
    assert_eq!(texts.iter().collect::<std::collections::BTreeSet<_>>().len(), texts.len(), "{texts:?}");
}

#[test]
fn rejections_have_a_code_a_kind_and_a_message() {
    let all = [
        (
            Refused::AccountFrozen { cents: 5 },
            "account_frozen",
            RejectionKind::Conflict,
            "the account is frozen, 5 cents stay outside",
        ),
        (Refused::NothingToDeposit, "empty", RejectionKind::Invalid, "nothing to deposit"),
        (Refused::Late("x".into(), 3), "late", RejectionKind::Gone, r#""x" after 3"#),
    ];
    for (rejection, code, kind, message) in all {
        assert_eq!((rejection.code(), rejection.kind()), (code, kind));
        assert_eq!(rejection.to_string(), message);
        let text = serde_json::to_string(&rejection).unwrap();
        assert_eq!(serde_json::from_str::<Refused>(&text).unwrap(), rejection);
    }
    assert_eq!((TooLarge.code(), TooLarge.to_string().as_str()), ("too_large", "too large"));
    let seat = NoSeat { row: 4, seat: 2 };
    assert_eq!((seat.code(), seat.kind()), ("no_such_seat", RejectionKind::NotFound));
    assert_eq!(seat.to_string(), "seat 2 of {row} 04 does not exist");
    assert_eq!(serde_json::to_value(&seat).unwrap(), json!({ "row": 4, "seat": 2 }));
}

#[test]
fn calls_have_a_name_and_survive_their_encoding() {
    assert_eq!(SendMail::NAME, "send_mail");
    let call = SendMail { to: "a@b".into() };
    let text = serde_json::to_string(&call).unwrap();
    assert_eq!(serde_json::from_str::<SendMail>(&text).unwrap(), call);
    let answer: <SendMail as ActivityCall>::Answer = serde_json::from_str(r#""Sent""#).unwrap();
    assert_eq!(answer, MailAnswer::Sent);
}
