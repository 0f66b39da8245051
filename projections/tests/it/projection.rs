//! Rows and checkpoint: one transaction, whatever happens around it.

use crate::tally::{Tally, Totals};
use crate::world::{World, in_a_world, live};
use composable_rust_core::Position;
use composable_rust_projections::{
    Batch, ProjectionOptions, ProjectionSubscriber, Subscriber, SubscriptionState, verify,
};
use composable_rust_testing::memory::{Faults, Moment};
use composable_rust_testing::simulation::{Ending, Simulation};
use std::sync::Arc;
use std::time::Duration;

fn small_batches() -> ProjectionOptions {
    let mut options = ProjectionOptions { rows_kept: 6, ..ProjectionOptions::default() };
    options.subscription.batch_size = 7;
    options
}

async fn runs_to_the_end_and_is_right(world: &World) {
    let totals = Totals::default();
    let running = world.start("a", totals.clone(), small_batches());
    running.reach(Position::from(30_u32)).await;
    assert_eq!(verify(&totals, &running.view).await.unwrap(), []);
    let all = running.view.get("all").await.unwrap().unwrap();
    assert_eq!((all.sum, all.events), (435, 30));
    running.shut_down().await.unwrap();
}

#[test]
fn a_crash_at_any_point_of_a_commit_neither_loses_nor_repeats_an_event() {
    let mut crashes = 0;
    for moment in [Moment::Before, Moment::After] {
        for commits in 0..6 {
            Simulation::run_with(
                1,
                |_| Faults::scripted(),
                async |simulation| {
                    live(simulation, async |world| _ = world.add_many(30).await).await;
                    let mut passed = 0;
                    simulation.faults().crash_when(move |point| {
                        let here = point.operation == "commit" && point.moment == moment;
                        passed += i32::from(here);
                        here && passed == commits + 1
                    });
                    let ending =
                        live(simulation, async |world| runs_to_the_end_and_is_right(&world).await).await;
                    crashes += i32::from(ending == Ending::Crashed);
                    simulation.faults().calm(true);
                    live(simulation, async |world| runs_to_the_end_and_is_right(&world).await).await;
                },
            );
        }
    }
    assert!(crashes >= 10, "only {crashes} crashes");
}

#[test]
fn a_commit_whose_answer_is_lost_is_not_applied_twice() {
    in_a_world(async |world| {
        world.add_many(30).await;
        for _ in 0..3 {
            world.faults.lose_next("commit");
        }
        runs_to_the_end_and_is_right(&world).await;
    });
}

#[test]
fn replaying_any_suffix_changes_nothing() {
    in_a_world(async |world| {
        world.add_many(30).await;
        runs_to_the_end_and_is_right(&world).await;
        let query = composable_rust_core::port::LogQuery::after(Position::ZERO, 100);
        let events = world.storage.events.read_log(query).await.unwrap().events;
        for from in [0, 1, 15, 29] {
            let totals = Arc::new(Totals::default());
            let mut subscriber = ProjectionSubscriber::new(totals, 1, world.storage.clone(), 100);
            subscriber.checkpoint().await.unwrap();
            let read_to = events.last().unwrap().position;
            subscriber
                .handle(Batch { events: &events[from..], read_to, fence: u64::MAX >> 1 })
                .await
                .unwrap();
            let view = composable_rust_projections::ProjectionRunner::new(
                Totals::default(),
                world.instance("reader"),
                ProjectionOptions::default(),
            )
            .view();
            assert_eq!(verify(&Totals::default(), &view).await.unwrap(), [], "from {from}");
        }
    });
}

#[test]
fn an_event_that_cannot_be_decoded_stops_the_projection_and_resume_goes_on() {
    in_a_world(async |world| {
        world.add("x", 1).await;
        let totals = Totals::default();
        let running = world.start("a", totals.clone(), ProjectionOptions::default());
        running.reach(Position::from(1_u32)).await;
        let jam = world.append("x", Tally::Jammed).await;
        world.pass(Duration::from_secs(1)).await;
        let stopped = running.control.progress().live.unwrap();
        assert_eq!(stopped.state, SubscriptionState::Stopped);
        assert!(stopped.last_error.as_ref().unwrap().contains("cannot be updated"));
        assert_eq!(stopped.lag_events(), 1);
        assert_eq!(running.view.get("x").await.unwrap().unwrap().sum, 1, "what is there can be read");
        totals.mend();
        running.control.resume();
        running.reach(jam).await;
        running.shut_down().await.unwrap();
    });
}
