//! Generations: built beside the live one, switched when caught up, never seen half-built.

use crate::tally::{DoubleTotals, Totals};
use crate::world::{Running, World, in_a_world};
use composable_rust_core::{Position, Projection, describe, elapsed};
use composable_rust_projections::{
    ProjectionOptions, ProjectionRunner, SubscriptionError, SubscriptionState, subscription_name, verify,
};
use composable_rust_testing::memory::Fault;
use std::sync::atomic::Ordering;
use std::time::Duration;

fn options() -> ProjectionOptions {
    let mut options = ProjectionOptions::default();
    options.subscription.batch_size = 3;
    options
}

async fn generation(world: &World) -> u32 {
    world.storage.views.live_generation("totals").await.unwrap().unwrap().0
}

/// Waits until this generation is live.
async fn until_live<P: Projection>(running: &Running<P>, wanted: u32) {
    running.control.switched(wanted).await.unwrap();
}

/// The old definition's instance ends by itself, and the new one's rows are right.
async fn retired_for(old: Running<Totals>, new: Running<DoubleTotals>) {
    old.done.cancelled().await;
    let ended = old.shut_down().await;
    assert!(matches!(ended, Err(SubscriptionError::Superseded { .. })), "{ended:?}");
    assert_eq!(verify(&DoubleTotals, &new.view).await.unwrap(), []);
    new.shut_down().await.unwrap();
}

#[test]
fn the_first_generation_is_live_from_the_start() {
    in_a_world(async |world| {
        let running = world.start("a", Totals::default(), options());
        let last = world.add("x", 1).await;
        running.reach(last).await;
        assert_eq!(generation(&world).await, 1);
        running.shut_down().await.unwrap();
    });
}

#[test]
fn readers_never_see_a_half_built_generation() {
    in_a_world(async |world| {
        let totals = Totals::default();
        let last = world.add_many(60).await;
        let running = world.start("a", totals.clone(), options());
        running.reach(last).await;
        let mut shown = Position::ZERO;
        assert_eq!(running.control.rebuild().await.unwrap(), 2);
        assert_eq!(running.control.rebuild().await.unwrap(), 2, "one rebuild at a time");
        let mut building = 0;
        for number in 0..400 {
            if number % 10 == 0 {
                let position = world.add("x", 1).await;
                running.reach(position).await;
            }
            let (row, position) = running.view.get_with_position("all").await.unwrap();
            assert!(row.unwrap().events >= 60, "a half-built generation was shown");
            assert!(position >= shown || running.control.progress().live_generation == Some(2));
            shown = position;
            building += u32::from(running.control.progress().building.is_some());
            tokio::task::yield_now().await;
        }
        assert!(building > 3, "the rebuild was over before anybody looked");
        until_live(&running, 2).await;
        assert_eq!(verify(&totals, &running.view).await.unwrap(), []);
        running.shut_down().await.unwrap();
    });
}

#[test]
fn a_new_definition_is_built_and_switched_to_and_the_old_rows_are_dropped_later() {
    in_a_world(async |world| {
        let last = world.add_many(30).await;
        let old = world.start("a", Totals::default(), options());
        old.reach(last).await;
        old.shut_down().await.unwrap();
        let new = world.start("b", DoubleTotals, options());
        until_live(&new, 2).await;
        new.reach(last).await;
        assert_eq!(new.view.get("all").await.unwrap().unwrap().sum, 870);
        assert_eq!(verify(&DoubleTotals, &new.view).await.unwrap(), []);
        let old_model = composable_rust_projections::read_model::<Totals>(1);
        let key = ["all".to_owned()];
        assert_eq!(
            world.storage.views.load(&old_model, &key).await.unwrap().len(),
            1,
            "kept for late readers"
        );
        world.pass(Duration::from_secs(40)).await;
        let gone = world.storage.views.load(&old_model, &key).await;
        assert!(gone.is_err() || gone.is_ok_and(|rows| rows.is_empty()));
        new.shut_down().await.unwrap();
    });
}

#[test]
fn an_instance_of_the_old_definition_serves_until_the_switch_and_then_retires() {
    in_a_world(async |world| {
        let last = world.add_many(30).await;
        let old = world.start("a", Totals::default(), options());
        old.reach(last).await;
        let new = world.start("b", DoubleTotals, options());
        until_live(&new, 2).await;
        let position = world.add("x", 1).await;
        new.reach(position).await;
        retired_for(old, new).await;
    });
}

/// Nobody wakes who builds it: it switches as soon as it has caught up, and only then looks what is live.
#[test]
fn a_generation_that_catches_up_after_a_newer_one_is_live_is_not_switched_to() {
    in_a_world(async |world| {
        let last = world.add_many(30).await;
        let options = ProjectionOptions { generation_check: Duration::from_hours(1), ..options() };
        let old = world.start("a", Totals::default(), options);
        old.reach(last).await;
        let building = subscription_name("totals", 2);
        let hour = Duration::from_hours(1);
        let held = world.storage.leases.acquire(&building, "another", hour).await.unwrap().unwrap();
        assert_eq!(old.control.rebuild().await.unwrap(), 2);
        let new = world.start("b", DoubleTotals, self::options());
        until_live(&new, 3).await;
        world.storage.leases.release(&held).await.unwrap();
        world.pass(Duration::from_secs(10)).await;
        assert_eq!(generation(&world).await, 3);
        retired_for(old, new).await;
    });
}

/// The next holder has not switched anything itself: that it has begun is enough.
#[test]
fn a_switch_that_comes_after_its_lease_has_passed_to_another_is_refused() {
    in_a_world(async |world| {
        let last = world.add_many(10).await;
        world.faults.next("switch_generation", Fault::Delay(Duration::from_secs(30)));
        let late = world.start("a", Totals::default(), options());
        world.pass(Duration::from_secs(20)).await;
        let next = ProjectionRunner::new(Totals::default(), world.instance("b"), options());
        assert_eq!(next.control().rebuild().await.unwrap(), 1, "there is nothing to replace");
        world.pass(Duration::from_secs(5)).await;
        assert_eq!(world.storage.views.live_generation("totals").await.unwrap(), None);
        late.reach(last).await;
        assert_eq!(generation(&world).await, 2, "it was given a new number under a new lease");
        late.shut_down().await.unwrap();
    });
}

#[test]
fn a_rebuild_survives_the_death_of_its_instance_and_resumes() {
    in_a_world(async |world| {
        let last = world.add_many(60).await;
        let old = world.start("a", Totals::default(), options());
        old.reach(last).await;
        old.shut_down().await.unwrap();
        let dying = world.start("b", DoubleTotals, options());
        while dying.control.progress().building.is_none_or(|(_, progress)| progress.position.get() < 12) {
            tokio::task::yield_now().await;
        }
        dying.shut_down().await.unwrap();
        assert_eq!(generation(&world).await, 1, "half-built is not live");
        let next = world.start("c", DoubleTotals, options());
        until_live(&next, 2).await;
        let live = next.control.progress().live.unwrap();
        assert!(live.started_at.get() >= 12, "it went on where the other one was");
        assert_eq!(verify(&DoubleTotals, &next.view).await.unwrap(), []);
        next.shut_down().await.unwrap();
    });
}

#[test]
fn another_instance_follows_a_switch_it_did_not_make() {
    in_a_world(async |world| {
        let totals = Totals::default();
        let last = world.add_many(10).await;
        let holder = world.start("a", totals.clone(), options());
        holder.reach(last).await;
        let other = world.start("b", totals.clone(), options());
        other.reach(last).await;
        assert_eq!(other.control.rebuild().await.unwrap(), 2);
        until_live(&other, 2).await;
        world.pass(Duration::from_mins(1)).await;
        assert_eq!(holder.control.progress().live_generation, Some(2));
        let position = world.add("x", 5).await;
        let view = holder.view.at_least_position(position);
        assert_eq!(view.get("x").await.unwrap().unwrap().sum, 5);
        holder.shut_down().await.unwrap();
        other.shut_down().await.unwrap();
    });
}

#[test]
fn a_rebuild_that_waits_for_its_turn_ends_at_once_at_a_shutdown() {
    in_a_world(async |world| {
        let running = world.start("a", Totals::default(), options());
        let last = world.add_many(10).await;
        running.reach(last).await;
        let minutes = Duration::from_mins(10);
        let other = world.storage.leases.acquire("projection:totals", "another", minutes).await.unwrap();
        assert!(other.is_some(), "somebody else is at it");
        let (control, began) = (running.control.clone(), world.environment.now());
        let shut_down = async {
            world.pass(Duration::from_secs(1)).await;
            running.shut_down().await
        };
        let (ordered, ended) = tokio::join!(control.rebuild(), shut_down);
        let refused = describe(&ordered.unwrap_err());
        assert!(refused.contains("shuts down"), "{refused}");
        ended.unwrap();
        assert!(elapsed(began, world.environment.now()) < Duration::from_millis(1_100));
    });
}

#[test]
fn the_store_may_fail_during_a_rebuild() {
    in_a_world(async |world| {
        let totals = Totals::default();
        for operation in ["live_generation", "prepare", "switch_generation", "save_checkpoint", "get"] {
            world.faults.fail_next(operation);
            world.faults.lose_next(operation);
        }
        let last = world.add_many(10).await;
        let running = world.start("a", totals.clone(), options());
        running.reach(last).await;
        for operation in ["live_generation", "prepare", "switch_generation", "commit", "get", "release"] {
            world.faults.fail_next(operation);
            world.faults.lose_next(operation);
        }
        while running.control.rebuild().await.is_err() {
            world.pass(Duration::from_secs(1)).await;
        }
        let before = generation(&world).await;
        world.pass(Duration::from_secs(30)).await;
        assert!(generation(&world).await >= before.max(2));
        assert_eq!(verify(&totals, &running.view).await.unwrap(), []);
        assert_eq!(running.control.progress().live.unwrap().state, SubscriptionState::Live);
        running.shut_down().await.unwrap();
    });
}

#[test]
fn who_waits_for_a_rebuild_hears_of_the_switch_and_of_the_shutdown() {
    in_a_world(async |world| {
        let last = world.add_many(30).await;
        let running = world.start("a", Totals::default(), options());
        running.reach(last).await;
        let generation = running.control.rebuild().await.unwrap();
        running.control.switched(generation).await.unwrap();
        assert_eq!(running.control.progress().live_generation, Some(generation));
        running.control.switched(generation - 1).await.unwrap();

        let never = running.control.clone();
        let waiting = never.switched(generation + 1);
        let stopping = async { running.shut_down().await.unwrap() };
        let (waited, ()) = futures_util::join!(waiting, stopping);
        let error = describe(&waited.unwrap_err());
        assert!(error.contains("shut down"), "{error}");
    });
}

#[test]
fn who_waits_for_a_rebuild_hears_why_it_stopped_and_of_the_switch_after_the_repair() {
    in_a_world(async |world| {
        let totals = Totals::default();
        totals.mend();
        world.add("x", 1).await;
        let last = world.append_to("tally", "bad", b"\"Jammed\"".to_vec()).await;
        let running = world.start("a", totals.clone(), options());
        running.reach(last).await;
        totals.mended.store(false, Ordering::SeqCst);
        let generation = running.control.rebuild().await.unwrap();
        let error = describe(&running.control.switched(generation).await.unwrap_err());
        assert!(error.contains("cannot be handled"), "{error}");
        totals.mend();
        running.control.resume();
        until_live(&running, generation).await;
        running.shut_down().await.unwrap();
    });
}
