//! Command ids: used once, answered with the first record, kept as long as asked.

use crate::contract::fixture::{Fixture, append_to, exactly, refusal, stream};
use bytes::Bytes;
use composable_rust_core::port::{
    Append, AppendError, Appended, CommandKey, CommandRecord, MAX_PAYLOAD_BYTES, StoredResponse,
};
use composable_rust_core::{CommandId, ExpectedVersion, NewEvent};
use std::time::Duration;

fn command(name: &str) -> CommandKey {
    CommandKey {
        id: CommandId::derived(&["contract", name]),
        fingerprint: Some(Bytes::from(format!("asked {name}"))),
        keep: None,
    }
}

fn kept_for(name: &str, seconds: u64) -> CommandKey {
    CommandKey { keep: Some(Duration::from_secs(seconds)), ..command(name) }
}

/// One event to any version of `key`, answering `command`.
fn answering(fixture: &Fixture, key: &str, command: CommandKey) -> Append {
    append_to(key, ExpectedVersion::Any, fixture.events(1)).answering(command)
}

async fn append(fixture: &Fixture, append: Append) -> Result<Appended, AppendError> {
    fixture.storage.events.append(append).await
}

fn first_record(result: Result<Appended, AppendError>) -> CommandRecord {
    match refusal(result) {
        AppendError::Duplicate(record) => *record,
        other => panic!("expected a duplicate, got {other:?}"),
    }
}

/// The second append with an id writes nothing, to whichever stream.
pub async fn a_command_id_is_used_once(fixture: Fixture) {
    append(&fixture, answering(&fixture, "a", command("once"))).await.expect("the first use");
    first_record(append(&fixture, answering(&fixture, "a", command("once"))).await);
    first_record(append(&fixture, answering(&fixture, "b", command("once"))).await);
    append(&fixture, answering(&fixture, "a", command("other"))).await.expect("another id");
    assert_eq!((fixture.version("a").await, fixture.version("b").await), (2, 0));
}

/// The record tells what was written first and the digest that came with it, whatever the repeat brings.
pub async fn a_duplicate_returns_the_first_record(fixture: Fixture) {
    fixture.append("a", 3).await;
    let first = append(&fixture, answering(&fixture, "a", command("x"))).await.expect("the first use");
    fixture.append("a", 2).await;
    fixture.clock.advance(Duration::from_secs(5));
    let repeat = CommandKey { fingerprint: Some(Bytes::from_static(b"another")), ..command("x") };
    let record = first_record(append(&fixture, answering(&fixture, "b", repeat)).await);
    let expected = CommandRecord {
        id: command("x").id,
        fingerprint: command("x").fingerprint,
        appended: first,
        response: None,
    };
    assert_eq!(record, expected);
    let found = fixture.storage.events.find_command(expected.id).await.expect("a lookup");
    assert_eq!(found, Some(expected));
}

/// The store does not judge whether the repeat is one: the record names the streams of the first use, so that the caller
/// can tell, whatever the repeat names and expects.
pub async fn a_duplicate_names_the_streams_of_the_first_use(fixture: Fixture) {
    let mut first = answering(&fixture, "a", command("x"));
    first.streams.extend(append_to("b", ExpectedVersion::NoStream, fixture.events(2)).streams);
    let first = append(&fixture, first).await.expect("the first use");
    let wrong = append_to("c", exactly(9), Vec::new()).answering(command("x"));
    for repeat in [answering(&fixture, "c", command("x")), wrong] {
        let record = first_record(append(&fixture, repeat).await);
        let named: Vec<_> = record.appended.streams.iter().map(|written| written.stream.clone()).collect();
        assert_eq!(named, [stream("a"), stream("b")]);
        assert_eq!(record.appended, first);
    }
    assert_eq!(fixture.version("c").await, 0);
}

/// A repeat in the batch of the first use is noticed.
pub async fn a_duplicate_within_one_batch_returns_the_first_record(fixture: Fixture) {
    let batch = vec![
        answering(&fixture, "a", command("x")),
        answering(&fixture, "a", command("x")),
        answering(&fixture, "b", command("x")),
        answering(&fixture, "c", command("y")),
    ];
    let mut results = fixture.storage.events.append_batch(batch).await.expect("a batch").into_iter();
    let first = results.next().expect("a result").expect("the first use");
    for _ in 0..2 {
        assert_eq!(first_record(results.next().expect("a result")).appended, first);
    }
    results.next().expect("a result").expect("another id");
    assert_eq!(
        (fixture.version("a").await, fixture.version("b").await, fixture.version("c").await),
        (1, 0, 1)
    );
}

/// A refused append has no result to repeat: the command may be decided again under its id.
pub async fn a_refused_append_does_not_use_up_its_command_id(fixture: Fixture) {
    let stale = append_to("a", exactly(7), fixture.events(1)).answering(command("x"));
    refusal(append(&fixture, stale.clone()).await);
    assert_eq!(fixture.storage.events.find_command(command("x").id).await.expect("a lookup"), None);
    let batch = vec![stale, answering(&fixture, "a", command("x"))];
    let results = fixture.storage.events.append_batch(batch).await.expect("a batch");
    assert!(results[0].is_err() && results[1].is_ok(), "got {results:?}");
    assert_eq!(fixture.version("a").await, 1);
}

/// A command that wrote nothing was answered nevertheless.
pub async fn a_command_of_an_append_without_events_is_kept_too(fixture: Fixture) {
    fixture.append("a", 2).await;
    let nothing = || append_to("a", exactly(2), Vec::new()).answering(command("x"));
    let first = append(&fixture, nothing()).await.expect("the first use");
    assert_eq!(first_record(append(&fixture, nothing()).await).appended, first);
    let bare = || Append { command: Some(command("bare")), ..Append::default() };
    let first = append(&fixture, bare()).await.expect("an append of a command alone");
    assert_eq!(first_record(append(&fixture, bare()).await).appended, first);
}

/// A repeat carries the old version; it must still get its first result.
pub async fn a_duplicate_is_noticed_before_a_version_conflict(fixture: Fixture) {
    let make = || append_to("a", ExpectedVersion::NoStream, fixture.events(1)).answering(command("x"));
    let first = append(&fixture, make()).await.expect("the first use");
    assert_eq!(first_record(append(&fixture, make()).await).appended, first);
}

/// The size is checked first.
pub async fn a_large_payload_is_noticed_before_a_duplicate(fixture: Fixture) {
    append(&fixture, answering(&fixture, "a", command("x"))).await.expect("the first use");
    let large = NewEvent { payload: vec![b'7'; MAX_PAYLOAD_BYTES + 1].into(), ..fixture.event("") };
    let again = append_to("a", ExpectedVersion::Any, vec![large]).answering(command("x"));
    let refused = refusal(append(&fixture, again).await);
    assert!(matches!(refused, AppendError::PayloadTooLarge { .. }), "got {refused:?}");
}

/// The id is checked before dependencies.
pub async fn a_duplicate_is_noticed_before_a_dependency(fixture: Fixture) {
    let first = append(&fixture, answering(&fixture, "a", command("x"))).await.expect("the first use");
    let mut again = answering(&fixture, "a", command("x"));
    again.depends_on.push(0);
    let batch = vec![append_to("b", exactly(4), fixture.events(1)), again];
    let mut results = fixture.storage.events.append_batch(batch).await.expect("a batch");
    assert_eq!(first_record(results.pop().expect("two results")).appended, first);
}

/// Past its `keep` an id is as if never used; before that it holds, and its use again starts anew.
pub async fn a_command_id_past_its_keep_may_be_used_again(fixture: Fixture) {
    let make = || answering(&fixture, "a", kept_for("x", 60));
    append(&fixture, make()).await.expect("the first use");
    fixture.clock.advance(Duration::from_secs(59));
    first_record(append(&fixture, make()).await);
    assert!(fixture.storage.events.find_command(command("x").id).await.expect("a lookup").is_some());
    fixture.clock.advance(Duration::from_secs(2));
    assert_eq!(fixture.storage.events.find_command(command("x").id).await.expect("a lookup"), None);
    let second = append(&fixture, make()).await.expect("used again");
    let record = first_record(append(&fixture, make()).await);
    assert_eq!(record.appended, second);
    assert_eq!(record.response, None, "the response of the first use is gone");
    assert_eq!(fixture.version("a").await, 2);
}

/// A store clears away ids past their keep now and then, as others are used: those within theirs stay.
pub async fn a_command_id_within_its_keep_outlives_the_clearing_of_others(fixture: Fixture) {
    let day = 24 * 60 * 60;
    let within = || answering(&fixture, "a", kept_for("within", day));
    append(&fixture, answering(&fixture, "a", kept_for("past", 60))).await.expect("the first use");
    let first = append(&fixture, within()).await.expect("the first use");
    for (name, hours) in [("soon", 1), ("later", 11), ("late", 11)] {
        fixture.clock.advance(Duration::from_hours(hours));
        append(&fixture, answering(&fixture, "b", kept_for(name, 60))).await.expect("another id");
    }
    assert_eq!(first_record(append(&fixture, within()).await).appended, first);
    append(&fixture, answering(&fixture, "a", kept_for("past", 60))).await.expect("used again");
}

/// Without `keep` an id is kept for ever.
pub async fn a_command_id_without_keep_stays(fixture: Fixture) {
    append(&fixture, answering(&fixture, "a", command("x"))).await.expect("the first use");
    fixture.clock.advance(Duration::from_hours(24 * 365 * 50));
    first_record(append(&fixture, answering(&fixture, "a", command("x"))).await);
    assert_eq!(fixture.version("a").await, 1);
}

/// A lookup of an id that was never used is empty.
pub async fn an_unknown_command_has_no_record(fixture: Fixture) {
    assert_eq!(fixture.storage.events.find_command(command("x").id).await.expect("a lookup"), None);
}

fn response(status: u16, body: &'static str) -> StoredResponse {
    StoredResponse {
        status,
        headers: vec![
            ("location".into(), "/things/1?a='b'".into()),
            ("x-two".into(), "1".into()),
            ("x-two".into(), "2".into()),
        ],
        body: Bytes::from_static(body.as_bytes()),
    }
}

/// The first response saved stays, and comes with the record of a repeat.
pub async fn a_response_is_saved_once(fixture: Fixture) {
    append(&fixture, answering(&fixture, "a", command("x"))).await.expect("the first use");
    let events = &fixture.storage.events;
    events.save_response(command("x").id, response(201, "{\"id\":\"🎟\"}")).await.expect("a response saved");
    events.save_response(command("x").id, response(500, "late")).await.expect("a second changes nothing");
    let record = first_record(append(&fixture, answering(&fixture, "a", command("x"))).await);
    assert_eq!(record.response, Some(response(201, "{\"id\":\"🎟\"}")));
    let found = events.find_command(command("x").id).await.expect("a lookup");
    assert_eq!(found, Some(record));
}

/// A response for an id that was never used, or is past its keep, is left alone.
pub async fn a_response_for_an_unknown_command_changes_nothing(fixture: Fixture) {
    let events = &fixture.storage.events;
    events.save_response(command("x").id, response(200, "")).await.expect("nothing to do");
    assert_eq!(events.find_command(command("x").id).await.expect("a lookup"), None);
    append(&fixture, answering(&fixture, "a", command("x"))).await.expect("the id is free");
}

/// Records and responses are durable.
pub async fn command_records_survive_a_restart(mut fixture: Fixture) {
    let first = append(&fixture, answering(&fixture, "a", kept_for("x", 60))).await.expect("the first use");
    fixture
        .storage
        .events
        .save_response(command("x").id, response(201, "b"))
        .await
        .expect("a response saved");
    fixture.restart().await;
    let record = first_record(append(&fixture, answering(&fixture, "a", kept_for("x", 60))).await);
    assert_eq!(record.appended, first);
    assert_eq!(record.response, Some(response(201, "b")));
    assert_eq!(record.appended.streams[0].stream, stream("a"));
}
