//! The failure policy `Park`: one stream waits, the others go on, a retry catches up in order.

use crate::tally::{Tally, Total, Totals};
use crate::world::{Running, World, in_a_world};
use composable_rust_core::Position;
use composable_rust_core::port::{DeadLetter, DeadLetterFilter, DlqStatus, PageRequest};
use composable_rust_projections::{
    FailurePolicy, ProjectionOptions, RetryOutcome, SubscriptionState, verify,
};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

fn parking(after: u32) -> ProjectionOptions {
    let mut options = ProjectionOptions::default();
    options.subscription.failure_policy = FailurePolicy::Park { after };
    options
}

async fn letters(world: &World, status: DlqStatus) -> Vec<DeadLetter> {
    let filter = DeadLetterFilter { statuses: vec![status], ..DeadLetterFilter::default() };
    world.storage.dead_letters.list(&filter, PageRequest::first(100)).await.unwrap().items
}

fn positions(letters: &[DeadLetter]) -> Vec<u64> {
    letters.iter().map(|found| found.letter.position.map_or(0, Position::get)).collect()
}

async fn sum(running: &Running<Totals>, name: &str) -> Option<i64> {
    running.view.get(name).await.unwrap().map(|row: Total| row.sum)
}

/// Positions: 1 x, 2 bad, 3 jam of bad, 4 bad, 5 x; then one more of each while it runs.
async fn jammed(world: &World, totals: &Totals, after: u32) -> Running<Totals> {
    for (name, event) in [
        ("x", Tally::Added(1)),
        ("bad", Tally::Added(10)),
        ("bad", Tally::Jammed),
        ("bad", Tally::Added(20)),
        ("x", Tally::Added(2)),
    ] {
        world.append(name, event).await;
    }
    let running = world.start("a", totals.clone(), parking(after));
    running.reach(Position::from(5_u32)).await;
    world.add("bad", 40).await;
    let last = world.add("x", 4).await;
    running.reach(last).await;
    running
}

#[test]
fn a_poison_event_parks_its_stream_and_lets_the_others_go_on() {
    in_a_world(async |world| {
        let running = jammed(&world, &Totals::default(), 3).await;
        assert_eq!(sum(&running, "x").await, Some(7));
        assert_eq!(sum(&running, "bad").await, Some(10), "what came before it is there");
        let parked = letters(&world, DlqStatus::Pending).await;
        assert_eq!(positions(&parked), [3, 4, 6]);
        assert_eq!(parked.iter().map(|found| found.letter.attempts).collect::<Vec<_>>(), [3, 0, 0]);
        assert!(parked[0].letter.error_chain[0].contains("cannot be updated"));
        let live = running.control.progress().live.unwrap();
        assert_eq!((live.parked_streams, live.state), (1, SubscriptionState::Live));
        running.shut_down().await.unwrap();
    });
}

#[test]
fn a_retry_handles_the_event_and_then_the_later_ones_of_its_stream_in_order() {
    in_a_world(async |world| {
        let totals = Totals::default();
        let running = jammed(&world, &totals, 1).await;
        totals.mend();
        let before = running.view.shows().await.unwrap().unwrap();
        let id = letters(&world, DlqStatus::Pending).await[0].letter.id;
        let outcome = running.control.retry(id, "ann", PATIENCE).await.unwrap();
        assert_eq!(outcome, RetryOutcome::Resolved);
        world.pass(Duration::from_secs(1)).await;
        assert_eq!(sum(&running, "bad").await, Some(70));
        let after = running.view.shows().await.unwrap().unwrap();
        assert!(
            after.changes > before.changes && after.position == before.position,
            "rows change behind the position"
        );
        assert_eq!(positions(&letters(&world, DlqStatus::Resolved).await), [3, 4, 6]);
        assert_eq!(running.control.progress().live.unwrap().parked_streams, 0);
        let last = world.add("bad", 100).await;
        running.reach(last).await;
        assert_eq!(sum(&running, "bad").await, Some(170), "the stream is no longer parked");
        assert_eq!(verify(&totals, &running.view).await.unwrap(), []);
        running.shut_down().await.unwrap();
    });
}

#[test]
fn a_retry_that_fails_again_leaves_everything_parked() {
    in_a_world(async |world| {
        let running = jammed(&world, &Totals::default(), 1).await;
        let parked = letters(&world, DlqStatus::Pending).await;
        // Asking for the last one begins with the first one of the stream, which still fails.
        let outcome = running.control.retry(parked[2].letter.id, "ann", PATIENCE).await.unwrap();
        assert!(matches!(outcome, RetryOutcome::Failed(_)), "{outcome:?}");
        let parked = letters(&world, DlqStatus::Pending).await;
        assert_eq!(positions(&parked), [3, 4, 6]);
        assert_eq!(parked[0].letter.attempts, 2);
        assert_eq!(sum(&running, "bad").await, Some(10));
        running.shut_down().await.unwrap();
    });
}

#[test]
fn a_retried_event_takes_effect_once_although_its_commit_and_its_letter_are_two_writes() {
    for operation in ["commit", "transition", "list_dead_letters", "load"] {
        in_a_world(async |world| {
            let totals = Totals::default();
            let running = jammed(&world, &totals, 1).await;
            totals.mend();
            let parked = letters(&world, DlqStatus::Pending).await;
            let pending = [DlqStatus::Pending];
            let queue = &world.storage.dead_letters;
            let id = parked[1].letter.id;
            queue.transition(id, &pending, DlqStatus::Processing, Some("ann"), None).await.unwrap();
            world.faults.lose_next(operation);
            world.pass(PATIENCE).await;
            assert_eq!(sum(&running, "bad").await, Some(70), "after a lost {operation}");
            assert_eq!(verify(&totals, &running.view).await.unwrap(), []);
            running.shut_down().await.unwrap();
        });
    }
}

#[test]
fn a_restart_remembers_what_is_parked() {
    in_a_world(async |world| {
        let totals = Totals::default();
        jammed(&world, &totals, 1).await.shut_down().await.unwrap();
        totals.mend();
        let last = world.add("bad", 100).await;
        let running = world.start("b", totals.clone(), parking(1));
        running.reach(last).await;
        assert_eq!(sum(&running, "bad").await, Some(10));
        assert_eq!(positions(&letters(&world, DlqStatus::Pending).await), [3, 4, 6, 8]);
        let first = letters(&world, DlqStatus::Pending).await[0].letter.id;
        let outcome = running.control.retry(first, "ann", PATIENCE).await.unwrap();
        assert_eq!(outcome, RetryOutcome::Resolved);
        world.pass(Duration::from_secs(1)).await;
        assert_eq!(verify(&totals, &running.view).await.unwrap(), []);
        running.shut_down().await.unwrap();
    });
}

/// While old and new code run side by side, the old must not put aside what the new can handle.
#[test]
fn an_event_of_newer_code_is_not_parked_but_left_to_an_instance_that_knows_it() {
    in_a_world(async |world| {
        let running = world.start("old", Totals::default(), parking(1));
        let last = world.add("x", 1).await;
        running.reach(last).await;
        let mut newer = world.new_append("tally", "x", b"{}".to_vec());
        newer.streams[0].events[0].event_type = "tally.Renamed".into();
        world.storage.events.append(newer).await.unwrap();
        world.pass(Duration::from_secs(2)).await;
        let live = running.control.progress().live.unwrap();
        assert_eq!(live.state, SubscriptionState::Stopped);
        assert!(live.last_error.unwrap().contains("unknown event type"));
        assert!(letters(&world, DlqStatus::Pending).await.is_empty());
        let lease = world.storage.leases.acquire(&live.name, "new", Duration::from_secs(5)).await.unwrap();
        assert!(lease.is_some(), "the lease is free for another instance");
        running.shut_down().await.unwrap();
    });
}

#[test]
fn a_retry_of_the_last_of_very_many_letters_handles_each_before_it_in_order() {
    in_a_world(async |world| {
        let totals = Totals::default();
        world.append("bad", Tally::Jammed).await;
        let running = world.start("a", totals.clone(), parking(1));
        running.reach(Position::from(1_u32)).await;
        // More than are read at once.
        for _ in 0..1_100 {
            world.add("bad", 1).await;
        }
        running.reach(Position::from(1_101_u32)).await;
        totals.mend();
        let filter = DeadLetterFilter { statuses: vec![DlqStatus::Pending], ..DeadLetterFilter::default() };
        let last = PageRequest { page: 12, size: 100 };
        let last = world.storage.dead_letters.list(&filter, last).await.unwrap().items.pop().unwrap().letter;
        assert_eq!(last.position, Some(Position::from(1_101_u32)));
        let outcome = running.control.retry(last.id, "ann", PATIENCE).await.unwrap();
        assert_eq!(outcome, RetryOutcome::Resolved);
        assert_eq!(sum(&running, "bad").await, Some(1_100));
        running.shut_down().await.unwrap();
    });
}
