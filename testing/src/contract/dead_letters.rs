//! The contract of the dead-letter queue.

use super::fixture::{Fixture, stream};
use bytes::Bytes;
use composable_rust_core::port::{
    DeadLetter, DeadLetterFilter, DlqStats, DlqStatus, NewDeadLetter, PageRequest,
};
use composable_rust_core::{DeadLetterId, Position, later};
use jiff::Timestamp;
use std::time::Duration;

/// Runs the contract of [`DeadLetterQueue`](composable_rust_core::port::DeadLetterQueue) on what `factory` makes: an
/// `async fn() -> Subject`, see [the module's example](crate::contract).
#[macro_export]
macro_rules! dead_letters_contract {
    ($factory:path) => {
        $crate::contract_cases!(
            $factory,
            dead_letters,
            [
                a_letter_comes_back_as_it_was_added,
                an_unknown_letter_is_none,
                a_second_letter_of_a_position_updates_the_first,
                a_second_letter_of_a_resolved_position_is_pending_again,
                letters_of_other_subscriptions_or_positions_are_added,
                letters_without_a_position_are_all_added,
                letters_are_listed_by_position,
                letters_of_work_are_listed_by_their_first_failure,
                lists_are_filtered,
                lists_are_paged,
                a_letter_moves_from_the_statuses_given_only,
                resolving_and_discarding_tell_who_when_and_why,
                an_unknown_letter_does_not_move,
                of_many_who_take_a_letter_one_succeeds,
                streams_of_unresolved_letters_are_parked,
                stats_count_by_status,
                letters_survive_a_restart,
            ]
        );
    };
}

fn letter(fixture: &Fixture, subscription: &str, position: Option<u32>) -> NewDeadLetter {
    NewDeadLetter {
        id: DeadLetterId::from_uuid(fixture.environment.new_id()),
        subscription: subscription.into(),
        stream: stream("s"),
        position: position.map(Position::from),
        event_type: "contract.Happened".into(),
        payload: Bytes::from_static(b"{\"of\":\"O'Brien\"} \x00\xff"),
        error_chain: vec!["it failed".into(), "because of \"this\" 🎟".into()],
        attempts: 3,
        first_failed_at: fixture.now(),
        last_failed_at: fixture.in_seconds(9),
    }
}

async fn add(fixture: &Fixture, letter: NewDeadLetter) -> DeadLetterId {
    fixture.storage.dead_letters.add(letter).await.expect("a letter added")
}

async fn get(fixture: &Fixture, id: DeadLetterId) -> DeadLetter {
    fixture.storage.dead_letters.get(id).await.expect("an answer").expect("the letter is there")
}

async fn list(fixture: &Fixture, filter: &DeadLetterFilter) -> Vec<DeadLetterId> {
    let page = fixture.storage.dead_letters.list(filter, PageRequest::first(100)).await.expect("a page");
    assert_eq!(page.total, page.items.len() as u64);
    page.items.into_iter().map(|kept| kept.letter.id).collect()
}

async fn transition(fixture: &Fixture, id: DeadLetterId, from: &[DlqStatus], to: DlqStatus) -> bool {
    let letters = &fixture.storage.dead_letters;
    letters.transition(id, from, to, Some("ann"), Some("it's \"done\" 🎟")).await.expect("an answer")
}

/// Every field; it is pending and nobody has resolved it.
pub async fn a_letter_comes_back_as_it_was_added(fixture: Fixture) {
    for position in [Some(7), None] {
        let new = letter(&fixture, "it's 50%", position);
        let id = add(&fixture, new.clone()).await;
        assert_eq!(id, new.id);
        let expected = DeadLetter {
            letter: new,
            status: DlqStatus::Pending,
            resolved_by: None,
            resolved_at: None,
            notes: None,
        };
        assert_eq!(get(&fixture, id).await, expected);
    }
}

/// No failure.
pub async fn an_unknown_letter_is_none(fixture: Fixture) {
    let id = DeadLetterId::from_uuid(fixture.environment.new_id());
    assert_eq!(fixture.storage.dead_letters.get(id).await.expect("an answer"), None);
}

/// A letter that fails again.
fn failing_again(fixture: &Fixture, position: u32) -> NewDeadLetter {
    NewDeadLetter {
        attempts: 8,
        error_chain: vec!["it failed otherwise".into()],
        first_failed_at: fixture.in_seconds(100),
        last_failed_at: fixture.in_seconds(200),
        ..letter(fixture, "a", Some(position))
    }
}

/// The first one's id, first failure and payload stay; attempts, error and last failure are the newest.
pub async fn a_second_letter_of_a_position_updates_the_first(fixture: Fixture) {
    let first = letter(&fixture, "a", Some(7));
    let id = add(&fixture, first.clone()).await;
    let again = failing_again(&fixture, 7);
    assert_eq!(add(&fixture, again.clone()).await, id, "it is kept under the first id");
    let kept = get(&fixture, id).await;
    let expected = NewDeadLetter {
        attempts: again.attempts,
        error_chain: again.error_chain.clone(),
        last_failed_at: again.last_failed_at,
        ..first
    };
    assert_eq!((kept.letter, kept.status), (expected, DlqStatus::Pending));
    assert_eq!(fixture.storage.dead_letters.get(again.id).await.expect("an answer"), None);
    assert_eq!(list(&fixture, &DeadLetterFilter::default()).await, [id]);
}

/// A retry that fails puts the letter back, from every status.
pub async fn a_second_letter_of_a_resolved_position_is_pending_again(fixture: Fixture) {
    let id = add(&fixture, letter(&fixture, "a", Some(7))).await;
    for status in [DlqStatus::Processing, DlqStatus::Resolved, DlqStatus::Discarded] {
        assert!(transition(&fixture, id, &[DlqStatus::Pending], status).await);
        assert_eq!(add(&fixture, failing_again(&fixture, 7)).await, id);
        assert_eq!(get(&fixture, id).await.status, DlqStatus::Pending, "after {status:?}");
    }
}

/// Only the same subscription and position are the same failure.
pub async fn letters_of_other_subscriptions_or_positions_are_added(fixture: Fixture) {
    for (subscription, position) in [("a", 7), ("b", 7), ("A", 7), ("a", 8)] {
        add(&fixture, letter(&fixture, subscription, Some(position))).await;
    }
    assert_eq!(list(&fixture, &DeadLetterFilter::default()).await.len(), 4);
}

/// Failed work has no position by which it could be known again.
pub async fn letters_without_a_position_are_all_added(fixture: Fixture) {
    for _ in 0..3 {
        add(&fixture, letter(&fixture, "a", None)).await;
    }
    assert_eq!(list(&fixture, &DeadLetterFilter::default()).await.len(), 3);
}

fn failed_at(first_failed_at: Timestamp, letter: NewDeadLetter) -> NewDeadLetter {
    NewDeadLetter { first_failed_at, ..letter }
}

/// In the order of the log, whatever failed first; equal positions by first failure.
pub async fn letters_are_listed_by_position(fixture: Fixture) {
    let mut expected = Vec::new();
    for (position, subscription, seconds) in
        [(30, "a", 1), (9, "a", 5), (100, "a", 0), (9, "b", 2), (30, "c", 9), (9, "c", 3)]
    {
        let first = later(fixture.now(), Duration::from_secs(seconds));
        let id = add(&fixture, failed_at(first, letter(&fixture, subscription, Some(position)))).await;
        expected.push((position, seconds, id));
    }
    expected.sort_by_key(|(position, seconds, _)| (*position, *seconds));
    let expected: Vec<DeadLetterId> = expected.into_iter().map(|(_, _, id)| id).collect();
    assert_eq!(list(&fixture, &DeadLetterFilter::default()).await, expected);
}

/// Work without a position.
pub async fn letters_of_work_are_listed_by_their_first_failure(fixture: Fixture) {
    let mut expected = Vec::new();
    for seconds in [50, 10, 90, 30] {
        let id = add(&fixture, failed_at(fixture.in_seconds(seconds), letter(&fixture, "a", None))).await;
        expected.push((seconds, id));
    }
    expected.sort_unstable();
    let expected: Vec<DeadLetterId> = expected.into_iter().map(|(_, id)| id).collect();
    assert_eq!(list(&fixture, &DeadLetterFilter::default()).await, expected);
}

/// Each condition alone, and all together.
pub async fn lists_are_filtered(fixture: Fixture) {
    let here = |key: &str, name: &str, position| NewDeadLetter {
        stream: stream(key),
        ..letter(&fixture, name, Some(position))
    };
    let one = add(&fixture, here("s", "a", 1)).await;
    let two = add(&fixture, here("t", "a", 2)).await;
    let three = add(&fixture, here("s", "b", 3)).await;
    assert!(transition(&fixture, two, &[DlqStatus::Pending], DlqStatus::Resolved).await);
    let every = DeadLetterFilter::default;
    let of_a = DeadLetterFilter { subscription: Some("a".into()), ..every() };
    let of_s = DeadLetterFilter { stream: Some(stream("s")), ..every() };
    let pending = DeadLetterFilter { statuses: vec![DlqStatus::Pending], ..every() };
    let resolved = DeadLetterFilter { statuses: vec![DlqStatus::Resolved], ..every() };
    let either = DeadLetterFilter { statuses: vec![DlqStatus::Resolved, DlqStatus::Pending], ..every() };
    let all = DeadLetterFilter { stream: Some(stream("s")), ..of_a.clone() };
    for (filter, expected) in [
        (every(), vec![one, two, three]),
        (of_a, vec![one, two]),
        (of_s, vec![one, three]),
        (pending, vec![one, three]),
        (resolved, vec![two]),
        (either, vec![one, two, three]),
        (DeadLetterFilter { statuses: vec![DlqStatus::Pending], ..all }, vec![one]),
        (DeadLetterFilter { statuses: vec![DlqStatus::Discarded], ..every() }, vec![]),
        (DeadLetterFilter { subscription: Some("A".into()), ..every() }, vec![]),
    ] {
        assert_eq!(list(&fixture, &filter).await, expected, "{filter:?}");
    }
}

/// The pages together are the whole; each tells how many there are.
pub async fn lists_are_paged(fixture: Fixture) {
    for position in 1..=11 {
        add(&fixture, letter(&fixture, "a", Some(position))).await;
    }
    let whole = list(&fixture, &DeadLetterFilter::default()).await;
    let mut paged = Vec::new();
    for page in 1..=4 {
        let request = PageRequest { page, size: 4 };
        let page = fixture.storage.dead_letters.list(&DeadLetterFilter::default(), request).await;
        let page = page.expect("a page");
        assert_eq!(page.total, 11);
        assert!(page.items.len() <= 4);
        paged.extend(page.items.into_iter().map(|kept| kept.letter.id));
    }
    assert_eq!(paged, whole);
}

/// Whoever comes second is told so.
pub async fn a_letter_moves_from_the_statuses_given_only(fixture: Fixture) {
    use DlqStatus::{Discarded, Pending, Processing, Resolved};
    let id = add(&fixture, letter(&fixture, "a", Some(1))).await;
    for (from, to, moves) in [
        (&[Processing][..], Resolved, false),
        (&[], Resolved, false),
        (&[Pending], Processing, true),
        (&[Pending], Processing, false),
        (&[Pending, Processing], Pending, true),
        (&[Resolved, Discarded, Pending], Discarded, true),
        (&[Pending, Processing], Resolved, false),
    ] {
        let before = get(&fixture, id).await.status;
        assert_eq!(transition(&fixture, id, from, to).await, moves, "{before:?} from {from:?} to {to:?}");
        assert_eq!(get(&fixture, id).await.status, if moves { to } else { before });
    }
}

/// By the store's clock.
pub async fn resolving_and_discarding_tell_who_when_and_why(fixture: Fixture) {
    for (position, status) in [(1, DlqStatus::Resolved), (2, DlqStatus::Discarded)] {
        let id = add(&fixture, letter(&fixture, "a", Some(position))).await;
        fixture.clock.advance(Duration::from_secs(5));
        assert!(transition(&fixture, id, &[DlqStatus::Pending], status).await);
        let kept = get(&fixture, id).await;
        assert_eq!(kept.resolved_by.as_deref(), Some("ann"));
        assert_eq!(kept.resolved_at, Some(fixture.now()));
        assert_eq!(kept.notes.as_deref(), Some("it's \"done\" 🎟"));
    }
}

/// `false`, as for one that somebody else has moved.
pub async fn an_unknown_letter_does_not_move(fixture: Fixture) {
    let id = DeadLetterId::from_uuid(fixture.environment.new_id());
    assert!(!transition(&fixture, id, &[DlqStatus::Pending], DlqStatus::Resolved).await);
}

/// Two people who press retry: one does.
pub async fn of_many_who_take_a_letter_one_succeeds(fixture: Fixture) {
    let id = add(&fixture, letter(&fixture, "a", Some(1))).await;
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let letters = std::sync::Arc::clone(&fixture.storage.dead_letters);
        racing.spawn(async move {
            letters.transition(id, &[DlqStatus::Pending], DlqStatus::Processing, None, None).await
        });
    }
    let answers = racing.join_all().await;
    assert_eq!(answers.into_iter().filter(|answer| matches!(answer, Ok(true))).count(), 1);
}

/// Pending and under way, of one subscription, each stream once.
pub async fn streams_of_unresolved_letters_are_parked(fixture: Fixture) {
    use DlqStatus::{Discarded, Pending, Processing, Resolved};
    let letters = [("s", "a", Pending), ("s", "a", Processing), ("t", "a", Resolved), ("u", "a", Discarded)];
    let letters =
        letters.into_iter().chain([("v", "a", Processing), ("w", "b", Pending), ("s", "a", Resolved)]);
    for (position, (key, subscription, status)) in (1..).zip(letters) {
        let new = NewDeadLetter { stream: stream(key), ..letter(&fixture, subscription, Some(position)) };
        let id = add(&fixture, new).await;
        assert!(transition(&fixture, id, &[Pending], status).await);
    }
    for (subscription, expected) in [("a", vec!["s", "v"]), ("b", vec!["w"]), ("c", vec![])] {
        let parked = fixture.storage.dead_letters.parked_streams(subscription).await.expect("streams");
        let mut parked: Vec<&str> = parked.iter().map(composable_rust_core::StreamId::key).collect();
        parked.sort_unstable();
        assert_eq!(parked, expected, "of {subscription}");
    }
}

/// Over all subscriptions.
pub async fn stats_count_by_status(fixture: Fixture) {
    use DlqStatus::{Discarded, Pending, Processing, Resolved};
    let letters = &fixture.storage.dead_letters;
    assert_eq!(letters.stats().await.expect("stats"), DlqStats::default());
    let statuses =
        [Pending, Processing, Processing, Resolved, Resolved, Resolved, Discarded, Pending, Pending];
    for (position, status) in (1..).zip(statuses) {
        let id = add(&fixture, letter(&fixture, ["a", "b"][position as usize % 2], Some(position))).await;
        assert!(transition(&fixture, id, &[Pending], status).await);
    }
    let expected = DlqStats { pending: 3, processing: 2, resolved: 3, discarded: 1 };
    assert_eq!(letters.stats().await.expect("stats"), expected);
}

/// With their status and notes.
pub async fn letters_survive_a_restart(mut fixture: Fixture) {
    let one = add(&fixture, letter(&fixture, "a", Some(1))).await;
    let two = add(&fixture, letter(&fixture, "a", None)).await;
    assert!(transition(&fixture, two, &[DlqStatus::Pending], DlqStatus::Discarded).await);
    let before = [get(&fixture, one).await, get(&fixture, two).await];
    fixture.restart().await;
    assert_eq!([get(&fixture, one).await, get(&fixture, two).await], before);
}
