//! The contract of durable timers: what appends do to them, and how they are read, postponed and removed.

use super::fixture::{Fixture, append_to, exactly, refusal, stream};
use bytes::Bytes;
use composable_rust_core::port::{
    Append, AppendError, CommandKey, NewTimer, Skip, Timer, TimerChanges, TimerClaim,
};
use composable_rust_core::{CommandId, ExpectedVersion, TimerId};
use jiff::Timestamp;
use std::time::Duration;
use uuid::Uuid;

/// Runs the contract of [`TimerStore`](composable_rust_core::port::TimerStore), and of the timers in appends, on what
/// `factory` makes: an `async fn() -> Subject`, see [the module's example](crate::contract).
#[macro_export]
macro_rules! timers_contract {
    ($factory:path) => {
        $crate::contract_cases!(
            $factory,
            timers,
            [
                a_timer_comes_back_as_it_was_set,
                a_timer_is_due_from_its_time_on,
                due_timers_come_by_time_then_id,
                due_reads_one_queue_only,
                due_leaves_out_what_is_under_way_before_it_counts_the_limit,
                due_leaves_out_streams_that_must_wait,
                due_gives_at_most_the_limit,
                next_due_is_the_first_after_now,
                queues_are_those_with_a_pending_timer,
                the_last_moment_there_is_can_be_kept,
                pending_lists_the_timers_of_one_stream_by_time,
                a_timer_is_set_with_the_events_of_its_append,
                a_refused_append_changes_no_timer,
                a_claimed_timer_is_gone,
                a_timer_is_claimed_once,
                a_claim_with_another_token_is_refused,
                a_claim_of_an_unknown_timer_is_refused,
                one_lost_claim_refuses_the_whole_append,
                claims_of_one_batch_see_each_other,
                a_lost_claim_is_noticed_before_a_version_conflict,
                a_duplicate_command_is_noticed_before_a_lost_claim,
                a_cancelled_timer_is_gone,
                cancelling_what_is_not_pending_changes_nothing,
                scheduling_again_replaces_the_timer,
                an_append_claims_then_cancels_then_schedules,
                postponing_moves_the_timer_and_counts_the_attempt,
                postponing_with_another_token_changes_nothing,
                removing_takes_the_timer_away,
                removing_with_another_token_changes_nothing,
                a_postponed_timer_can_still_be_claimed,
                timers_survive_a_restart,
                of_many_claims_of_a_timer_one_succeeds,
            ]
        );
    };
}

fn id(name: &str) -> TimerId {
    TimerId::derived(&["contract", name])
}

fn token(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn claim(name: &str, number: u128) -> TimerClaim {
    TimerClaim { id: id(name), token: token(number) }
}

/// A timer of the queue `q` and the stream `s`, with token 1.
fn timer(name: &str, due: Timestamp) -> NewTimer {
    let payload = Bytes::from(format!("do {name}"));
    NewTimer { id: id(name), token: token(1), queue: "q".into(), stream: stream("s"), due, payload }
}

fn changing(timers: TimerChanges) -> Append {
    Append { timers, ..Append::default() }
}

fn scheduling(timers: Vec<NewTimer>) -> Append {
    changing(TimerChanges { schedule: timers, ..TimerChanges::default() })
}

fn claiming(claims: Vec<TimerClaim>) -> Append {
    changing(TimerChanges { claim: claims, ..TimerChanges::default() })
}

async fn set(fixture: &Fixture, timers: Vec<NewTimer>) {
    fixture.storage.events.append(scheduling(timers)).await.expect("timers set");
}

async fn due(fixture: &Fixture, now: Timestamp) -> Vec<Timer> {
    fixture.storage.timers.due("q", now, Skip::default(), 1_000).await.expect("due timers")
}

async fn pending(fixture: &Fixture) -> Vec<Timer> {
    fixture.storage.timers.pending(&stream("s")).await.expect("pending timers")
}

fn assert_gone(error: &AppendError, name: &str) {
    assert!(matches!(error, AppendError::TimerGone { id: gone } if *gone == id(name)), "got {error:?}");
}

/// Every field comes back, and no attempt has been counted.
pub async fn a_timer_comes_back_as_it_was_set(fixture: Fixture) {
    let set_timer = NewTimer {
        payload: Bytes::from_static(b"{\"text\":\"O'Brien\"} \x00\xff\xfe"),
        queue: "q".into(),
        stream: stream("it's 50% 🎟"),
        ..timer("a", fixture.in_seconds(0))
    };
    set(&fixture, vec![set_timer.clone()]).await;
    let expected = vec![Timer { timer: set_timer, attempts: 0 }];
    assert_eq!(due(&fixture, fixture.now()).await, expected);
    let listed = fixture.storage.timers.pending(&stream("it's 50% 🎟")).await.expect("pending timers");
    assert_eq!(listed, expected);
}

/// Not a microsecond before.
pub async fn a_timer_is_due_from_its_time_on(fixture: Fixture) {
    let at = fixture.in_seconds(60);
    set(&fixture, vec![timer("a", at)]).await;
    let before = Timestamp::from_microsecond(at.as_microsecond() - 1).expect("a time");
    assert!(due(&fixture, before).await.is_empty());
    assert_eq!(due(&fixture, at).await.len(), 1);
    assert_eq!(due(&fixture, fixture.in_seconds(90)).await.len(), 1, "it stays due");
}

/// By due time; equal times by id.
pub async fn due_timers_come_by_time_then_id(fixture: Fixture) {
    let names: Vec<String> = (0..12).map(|n| format!("t{n}")).collect();
    let timers: Vec<NewTimer> = names
        .iter()
        .enumerate()
        .map(|(n, name)| timer(name, fixture.in_seconds([30, 10, 20][n % 3])))
        .collect();
    let mut expected: Vec<(Timestamp, TimerId)> = timers.iter().map(|timer| (timer.due, timer.id)).collect();
    expected.sort_unstable();
    set(&fixture, timers).await;
    let found = due(&fixture, fixture.in_seconds(60)).await;
    let found: Vec<_> = found.iter().map(|found| (found.timer.due, found.timer.id)).collect();
    assert_eq!(found, expected);
}

/// Another queue's timers belong to somebody else.
pub async fn due_reads_one_queue_only(fixture: Fixture) {
    let other = NewTimer { queue: "q2".into(), ..timer("b", fixture.now()) };
    set(&fixture, vec![timer("a", fixture.now()), other]).await;
    let found = due(&fixture, fixture.now()).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].timer.id, id("a"));
    assert!(
        fixture
            .storage
            .timers
            .due("Q", fixture.now(), Skip::default(), 9)
            .await
            .expect("due timers")
            .is_empty()
    );
}

/// Skipped timers do not use up the page.
pub async fn due_leaves_out_what_is_under_way_before_it_counts_the_limit(fixture: Fixture) {
    let names: Vec<String> = (0..10).map(|n| format!("t{n}")).collect();
    set(&fixture, names.iter().map(|name| timer(name, fixture.now())).collect()).await;
    let all: Vec<TimerId> = due(&fixture, fixture.now()).await.iter().map(|found| found.timer.id).collect();
    let rest = fixture
        .storage
        .timers
        .due("q", fixture.now(), Skip { timers: &all[..7], streams: &[] }, 2)
        .await
        .expect("due timers");
    let rest: Vec<TimerId> = rest.iter().map(|found| found.timer.id).collect();
    assert_eq!(rest, all[7..9]);
    assert!(
        fixture
            .storage
            .timers
            .due("q", fixture.now(), Skip { timers: &all, streams: &[] }, 2)
            .await
            .expect("due timers")
            .is_empty()
    );
}

/// However many of theirs are due before; names are compared whole.
pub async fn due_leaves_out_streams_that_must_wait(fixture: Fixture) {
    let of = |name: &str, key: &str, seconds| NewTimer {
        stream: stream(key),
        ..timer(name, fixture.in_seconds(seconds))
    };
    let waiting = (0..20).map(|n| of(&format!("w{n}"), "it's 50% 🎟", 0));
    let others = [of("a", "a", 1), of("b", "it's 50%", 2), of("c", "A", 3)];
    set(&fixture, waiting.chain(others).collect()).await;
    let streams = [stream("it's 50% 🎟"), stream("a")];
    let skip = Skip { timers: &[id("c")], streams: &streams };
    let found = fixture.storage.timers.due("q", fixture.in_seconds(9), skip, 2).await.expect("due timers");
    assert_eq!(found.iter().map(|found| found.timer.id).collect::<Vec<_>>(), [id("b")]);
}

/// Limits of none, one and more than there is.
pub async fn due_gives_at_most_the_limit(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now()), timer("b", fixture.now())]).await;
    for (limit, count) in [(0, 0), (1, 1), (2, 2), (usize::MAX, 2)] {
        let found =
            fixture.storage.timers.due("q", fixture.now(), Skip::default(), limit).await.expect("due timers");
        assert_eq!(found.len(), count, "limit {limit}");
    }
}

/// The next time to look again: strictly later than now, of this queue.
pub async fn next_due_is_the_first_after_now(fixture: Fixture) {
    let timers = &fixture.storage.timers;
    assert_eq!(timers.next_due("q", fixture.now()).await.expect("the next"), None);
    let other = NewTimer { queue: "q2".into(), ..timer("other", fixture.in_seconds(1)) };
    let set_timers = vec![
        timer("past", fixture.now()),
        timer("later", fixture.in_seconds(90)),
        timer("soon", fixture.in_seconds(30)),
        other,
    ];
    set(&fixture, set_timers).await;
    for (now, next) in [(0, Some(30)), (29, Some(30)), (30, Some(90)), (90, None)] {
        let found = timers.next_due("q", fixture.in_seconds(now)).await.expect("the next");
        assert_eq!(found, next.map(|seconds| fixture.in_seconds(seconds)), "at {now} s");
    }
}

/// Each once, by name, and none that is empty by now.
pub async fn queues_are_those_with_a_pending_timer(fixture: Fixture) {
    let timers = &fixture.storage.timers;
    assert_eq!(timers.queues().await.expect("the queues"), Vec::<String>::new());
    let of =
        |queue: &str, name: &str| NewTimer { queue: queue.into(), ..timer(name, fixture.in_seconds(30)) };
    set(&fixture, vec![of("b", "1"), of("a", "2"), of("b", "3"), of("ba", "4"), of("c", "5")]).await;
    assert_eq!(timers.queues().await.expect("the queues"), ["a", "b", "ba", "c"]);
    assert!(timers.remove(claim("5", 1)).await.expect("removed"));
    assert!(timers.remove(claim("1", 1)).await.expect("removed"));
    assert_eq!(timers.queues().await.expect("the queues"), ["a", "b", "ba"]);
}

/// What saturates (`later`) ends there, and must not keep others from being found.
pub async fn the_last_moment_there_is_can_be_kept(fixture: Fixture) {
    let timers = &fixture.storage.timers;
    set(&fixture, vec![timer("never", Timestamp::MAX), timer("soon", fixture.in_seconds(30))]).await;
    assert_eq!(due(&fixture, fixture.in_seconds(30)).await.len(), 1);
    let next = timers.next_due("q", fixture.in_seconds(30)).await.expect("the next");
    assert!(next.is_some_and(|next| next.as_second() == Timestamp::MAX.as_second()), "{next:?}");
    assert_eq!(pending(&fixture).await.len(), 2);
    let lease = fixture.storage.leases.acquire("work", "a", Duration::MAX).await.expect("a lease");
    assert!(lease.is_some_and(|lease| lease.until > fixture.in_seconds(1_000_000)));
}

/// All timers of a stream, of any queue, due or not.
pub async fn pending_lists_the_timers_of_one_stream_by_time(fixture: Fixture) {
    let timers = vec![
        timer("late", fixture.in_seconds(300)),
        timer("now", fixture.now()),
        NewTimer { queue: "other".into(), ..timer("soon", fixture.in_seconds(5)) },
        NewTimer { stream: stream("s2"), ..timer("not mine", fixture.now()) },
    ];
    set(&fixture, timers).await;
    let found: Vec<TimerId> = pending(&fixture).await.iter().map(|found| found.timer.id).collect();
    assert_eq!(found, [id("now"), id("soon"), id("late")]);
    assert!(fixture.storage.timers.pending(&stream("none")).await.expect("pending timers").is_empty());
}

/// Events and timers of one append are written together.
pub async fn a_timer_is_set_with_the_events_of_its_append(fixture: Fixture) {
    let mut append = append_to("s", ExpectedVersion::NoStream, fixture.events(2));
    append.timers.schedule = vec![timer("a", fixture.now())];
    fixture.storage.events.append(append).await.expect("an append with a timer");
    assert_eq!((fixture.version("s").await, pending(&fixture).await.len()), (2, 1));
}

/// A conflict leaves timers as they were: none set, none cancelled, none claimed.
pub async fn a_refused_append_changes_no_timer(fixture: Fixture) {
    set(&fixture, vec![timer("claimed", fixture.now()), timer("cancelled", fixture.now())]).await;
    let before = pending(&fixture).await;
    let mut append = append_to("s", exactly(8), fixture.events(1));
    append.timers = TimerChanges {
        claim: vec![claim("claimed", 1)],
        cancel: vec![id("cancelled")],
        schedule: vec![timer("new", fixture.now())],
    };
    let refused = refusal(fixture.storage.events.append(append).await);
    assert!(matches!(refused, AppendError::Conflict { .. }), "got {refused:?}");
    assert_eq!(pending(&fixture).await, before);
}

/// Acting on a timer consumes it, in the append that acts.
pub async fn a_claimed_timer_is_gone(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now()), timer("b", fixture.now())]).await;
    let mut append = append_to("s", ExpectedVersion::NoStream, fixture.events(1));
    append.timers.claim = vec![claim("a", 1)];
    fixture.storage.events.append(append).await.expect("the timer is pending");
    let left: Vec<TimerId> = due(&fixture, fixture.now()).await.iter().map(|left| left.timer.id).collect();
    assert_eq!(left, [id("b")]);
    assert_eq!(fixture.version("s").await, 1);
}

/// The second claim comes too late and writes nothing.
pub async fn a_timer_is_claimed_once(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now())]).await;
    fixture.storage.events.append(claiming(vec![claim("a", 1)])).await.expect("the timer is pending");
    let mut again = append_to("s", ExpectedVersion::Any, fixture.events(1));
    again.timers.claim = vec![claim("a", 1)];
    assert_gone(&refusal(fixture.storage.events.append(again).await), "a");
    assert_eq!(fixture.version("s").await, 0);
}

/// The token of an earlier schedule gives no right to act on a later one.
pub async fn a_claim_with_another_token_is_refused(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now())]).await;
    assert_gone(&refusal(fixture.storage.events.append(claiming(vec![claim("a", 2)])).await), "a");
    assert_eq!(pending(&fixture).await.len(), 1, "the timer stays");
}

/// A timer that never was is gone too.
pub async fn a_claim_of_an_unknown_timer_is_refused(fixture: Fixture) {
    assert_gone(&refusal(fixture.storage.events.append(claiming(vec![claim("never", 1)])).await), "never");
}

/// Claims are atomic with everything else of their append.
pub async fn one_lost_claim_refuses_the_whole_append(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now())]).await;
    let mut append = append_to("s", ExpectedVersion::Any, fixture.events(1));
    append.timers.claim = vec![claim("a", 1), claim("never", 1)];
    append.timers.schedule = vec![timer("new", fixture.now())];
    assert_gone(&refusal(fixture.storage.events.append(append).await), "never");
    let left: Vec<TimerId> = pending(&fixture).await.iter().map(|left| left.timer.id).collect();
    assert_eq!(left, [id("a")]);
    assert_eq!(fixture.version("s").await, 0);
}

/// What an earlier append of the batch set can be claimed by a later one; what it claimed cannot.
pub async fn claims_of_one_batch_see_each_other(fixture: Fixture) {
    let batch = vec![
        scheduling(vec![timer("a", fixture.now())]),
        claiming(vec![claim("a", 1)]),
        claiming(vec![claim("a", 1)]),
        scheduling(vec![timer("b", fixture.now())]),
    ];
    let mut results = fixture.storage.events.append_batch(batch).await.expect("a batch");
    assert!(results[0].is_ok() && results[1].is_ok() && results[3].is_ok(), "got {results:?}");
    assert_gone(&refusal(results.remove(2)), "a");
    let left: Vec<TimerId> = pending(&fixture).await.iter().map(|left| left.timer.id).collect();
    assert_eq!(left, [id("b")]);
}

/// Who lost the timer does nothing more; a conflict would make it decide again.
pub async fn a_lost_claim_is_noticed_before_a_version_conflict(fixture: Fixture) {
    let mut append = append_to("s", exactly(8), fixture.events(1));
    append.timers.claim = vec![claim("never", 1)];
    assert_gone(&refusal(fixture.storage.events.append(append).await), "never");
}

/// Who repeats its own command gets its first result, though its timer is consumed.
pub async fn a_duplicate_command_is_noticed_before_a_lost_claim(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now())]).await;
    let key = CommandKey { id: CommandId::derived(&["contract", "act"]), fingerprint: None, keep: None };
    let act = || claiming(vec![claim("a", 1)]).answering(key.clone());
    let first = fixture.storage.events.append(act()).await.expect("the timer is pending");
    match refusal(fixture.storage.events.append(act()).await) {
        AppendError::Duplicate(record) => assert_eq!(record.appended, first),
        other => panic!("expected a duplicate, got {other:?}"),
    }
}

/// Cancelling takes the timer away, whatever its token.
pub async fn a_cancelled_timer_is_gone(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now()), timer("b", fixture.in_seconds(9))]).await;
    let cancel = TimerChanges { cancel: vec![id("a"), id("b")], ..TimerChanges::default() };
    fixture.storage.events.append(changing(cancel)).await.expect("timers cancelled");
    assert!(pending(&fixture).await.is_empty());
    assert_gone(&refusal(fixture.storage.events.append(claiming(vec![claim("a", 1)])).await), "a");
}

/// Cancelling too late, or what never was, is no failure.
pub async fn cancelling_what_is_not_pending_changes_nothing(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now())]).await;
    let mut append = append_to("s", ExpectedVersion::NoStream, fixture.events(1));
    append.timers.cancel = vec![id("never")];
    fixture.storage.events.append(append).await.expect("nothing to cancel");
    assert_eq!(pending(&fixture).await.len(), 1);
}

/// The new schedule counts alone: its time, token and payload, and no attempts.
pub async fn scheduling_again_replaces_the_timer(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now())]).await;
    let postponed = fixture.storage.timers.postpone(claim("a", 1), fixture.in_seconds(1)).await;
    assert!(postponed.expect("postponed"));
    let again = NewTimer {
        token: token(2),
        queue: "q2".into(),
        stream: stream("s2"),
        payload: Bytes::from_static(b"other"),
        ..timer("a", fixture.in_seconds(60))
    };
    set(&fixture, vec![again.clone()]).await;
    assert!(pending(&fixture).await.is_empty());
    assert!(due(&fixture, fixture.in_seconds(100)).await.is_empty());
    let listed = fixture.storage.timers.pending(&stream("s2")).await.expect("pending timers");
    assert_eq!(listed, [Timer { timer: again, attempts: 0 }]);
    assert_gone(&refusal(fixture.storage.events.append(claiming(vec![claim("a", 1)])).await), "a");
    fixture.storage.events.append(claiming(vec![claim("a", 2)])).await.expect("the new token claims");
}

/// One append may act on a timer and set it again, and may cancel and set another.
pub async fn an_append_claims_then_cancels_then_schedules(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now()), timer("b", fixture.now())]).await;
    let next = |name: &str| NewTimer { token: token(2), ..timer(name, fixture.in_seconds(60)) };
    let changes = TimerChanges {
        claim: vec![claim("a", 1)],
        cancel: vec![id("a"), id("b"), id("c")],
        schedule: vec![next("a"), next("b"), next("c")],
    };
    fixture.storage.events.append(changing(changes)).await.expect("all in order");
    let left = pending(&fixture).await;
    assert_eq!(left.len(), 3);
    assert!(left.iter().all(|left| left.timer.token == token(2) && left.timer.due == fixture.in_seconds(60)));
}

/// A failed attempt moves the due time and is counted.
pub async fn postponing_moves_the_timer_and_counts_the_attempt(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now())]).await;
    for attempt in 1..=3 {
        let until = fixture.in_seconds(u64::from(attempt) * 10);
        assert!(fixture.storage.timers.postpone(claim("a", 1), until).await.expect("postponed"));
        assert!(due(&fixture, fixture.now()).await.is_empty());
        let expected = Timer { timer: timer("a", until), attempts: attempt };
        assert_eq!(due(&fixture, until).await, [expected]);
    }
}

/// A schedule that was replaced cannot be postponed by who held the old one.
pub async fn postponing_with_another_token_changes_nothing(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now())]).await;
    let before = pending(&fixture).await;
    let later = fixture.in_seconds(10);
    assert!(!fixture.storage.timers.postpone(claim("a", 2), later).await.expect("an answer"));
    assert!(!fixture.storage.timers.postpone(claim("never", 1), later).await.expect("an answer"));
    assert_eq!(pending(&fixture).await, before);
}

/// Without an append, when there was nothing to write; once.
pub async fn removing_takes_the_timer_away(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now()), timer("b", fixture.now())]).await;
    assert!(fixture.storage.timers.remove(claim("a", 1)).await.expect("an answer"));
    assert!(!fixture.storage.timers.remove(claim("a", 1)).await.expect("an answer"));
    let left: Vec<TimerId> = pending(&fixture).await.iter().map(|left| left.timer.id).collect();
    assert_eq!(left, [id("b")]);
}

/// A schedule that was replaced is not removed by who held the old one.
pub async fn removing_with_another_token_changes_nothing(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now())]).await;
    assert!(!fixture.storage.timers.remove(claim("a", 2)).await.expect("an answer"));
    assert!(!fixture.storage.timers.remove(claim("never", 1)).await.expect("an answer"));
    assert_eq!(pending(&fixture).await.len(), 1);
}

/// Postponing keeps the token.
pub async fn a_postponed_timer_can_still_be_claimed(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now())]).await;
    fixture.storage.timers.postpone(claim("a", 1), fixture.in_seconds(10)).await.expect("postponed");
    fixture.storage.events.append(claiming(vec![claim("a", 1)])).await.expect("the schedule is the same");
    assert!(pending(&fixture).await.is_empty());
}

/// Timers and their attempts are durable.
pub async fn timers_survive_a_restart(mut fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now()), timer("b", fixture.in_seconds(60))]).await;
    fixture.storage.timers.postpone(claim("a", 1), fixture.in_seconds(5)).await.expect("postponed");
    let before = pending(&fixture).await;
    fixture.restart().await;
    fixture.clock.advance(Duration::from_mins(1));
    assert_eq!(pending(&fixture).await, before);
    assert_eq!(due(&fixture, fixture.now()).await, before);
}

/// Two instances that fetched the same timer: one acts.
pub async fn of_many_claims_of_a_timer_one_succeeds(fixture: Fixture) {
    set(&fixture, vec![timer("a", fixture.now())]).await;
    let mut racing = tokio::task::JoinSet::new();
    for n in 0..20 {
        let events = std::sync::Arc::clone(&fixture.storage.events);
        let mut append = append_to(&format!("by-{n}"), ExpectedVersion::NoStream, fixture.events(1));
        append.timers.claim = vec![claim("a", 1)];
        racing.spawn(async move { events.append(append).await });
    }
    let mut acted = 0;
    for result in racing.join_all().await {
        match result {
            Ok(_) => acted += 1,
            Err(error) => assert_gone(&error, "a"),
        }
    }
    assert_eq!(acted, 1);
}
