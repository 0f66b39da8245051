//! Reading: at a position, without polling, by question.

use crate::tally::{Total, Totals};
use crate::world::{World, in_a_world};
use composable_rust_core::port::{Checkpoint, IndexValue, RowChange, StoreError, ViewBatch};
use composable_rust_core::{FixedClock, Position};
use composable_rust_projections::{
    Behind, ProjectionOptions, ProjectionRunner, View, ViewError, read_model, subscription_name,
};
use composable_rust_testing::memory::Fault;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn a_reader_waits_for_its_position_and_is_woken_without_any_time_passing() {
    in_a_world(async |mut world| {
        world.environment.clock = Arc::new(FixedClock::at(world.environment.now()));
        let running = world.start("a", Totals::default(), ProjectionOptions::default());
        for number in 1..=20 {
            let position = world.add("x", 1).await;
            let view = running.view.at_least_position(position);
            let (row, shown) = view.get_with_position("x").await.unwrap();
            assert_eq!(row.unwrap().sum, number);
            assert!(shown >= position);
        }
        running.shut_down().await.unwrap();
    });
}

#[test]
fn a_position_of_a_foreign_event_is_reached_too() {
    in_a_world(async |world| {
        let running = world.start("a", Totals::default(), ProjectionOptions::default());
        world.add("x", 1).await;
        let position = world.append_to("foreign", "y", b"1".to_vec()).await;
        let view = running.view.at_least_position(position);
        let (row, shown) = view.get_with_position("x").await.unwrap();
        assert_eq!((row.unwrap().sum, shown), (1, position));
        running.shut_down().await.unwrap();
    });
}

#[test]
fn a_reader_that_waits_too_long_is_told_how_far_it_is() {
    in_a_world(async |world| {
        let running = world.start("a", Totals::default(), ProjectionOptions::default());
        let last = world.add("x", 1).await;
        running.reach(last).await;
        let wanted = last.plus(10);
        let before = world.environment.now();
        let behind = running.view.wait_for(wanted, Duration::from_millis(300)).await;
        assert_eq!(behind, Err(Behind { name: "totals", wanted, reached: last }));
        let took = composable_rust_core::elapsed(before, world.environment.now());
        assert_eq!(took.as_millis(), 300);
        let refused = running.view.at_least_position(wanted).query().fetch().await;
        assert!(matches!(refused, Err(ViewError::Behind(_))));
        running.shut_down().await.unwrap();
    });
}

#[test]
fn an_instance_that_does_not_maintain_the_view_reads_its_own_writes_too() {
    in_a_world(async |world| {
        let holder = world.start("a", Totals::default(), ProjectionOptions::default());
        let first = world.add("x", 1).await;
        holder.reach(first).await;
        let standby = world.start("b", Totals::default(), ProjectionOptions::default());
        let options = ProjectionOptions::default();
        let reader = ProjectionRunner::new(Totals::default(), world.instance("c"), options).view();
        for view in [&standby.view, &reader] {
            let position = world.add("x", 1).await;
            let before = world.environment.now();
            let (row, _) = view.at_least_position(position).get_with_position("x").await.unwrap();
            let sum = holder.view.get("x").await.unwrap().unwrap().sum;
            assert_eq!(row.unwrap().sum, sum);
            let waited = composable_rust_core::elapsed(before, world.environment.now());
            assert!(waited <= Duration::from_millis(60), "{waited:?}");
        }
        holder.shut_down().await.unwrap();
        standby.shut_down().await.unwrap();
    });
}

#[test]
fn a_view_that_was_never_built_says_so() {
    in_a_world(async |world| {
        let options = ProjectionOptions::default();
        let view = ProjectionRunner::new(Totals::default(), world.instance("a"), options).view();
        assert!(matches!(view.get("x").await, Err(ViewError::NotBuilt { name: "totals" })));
        assert_eq!(view.lag(), None);
    });
}

#[test]
fn questions_filter_order_and_page_typed_rows() {
    in_a_world(async |world| {
        let running = world.start("a", Totals::default(), ProjectionOptions::default());
        let mut last = Position::ZERO;
        for (name, amount) in [("a", 5), ("b", 7), ("c", 7), ("d", 9), ("e", 1)] {
            last = world.add(name, amount).await;
        }
        let view = running.view.at_least_position(last);
        let names = |rows: &[Total]| -> Vec<String> { rows.iter().map(|row| row.name.clone()).collect() };
        let page = view.query().filter_eq("sum", 7).fetch().await.unwrap();
        assert_eq!((names(&page.items), page.total), (vec!["b".into(), "c".into()], 2));
        assert!(page.position >= last);
        let page = view.query().at_least("sum", 5).less_than("sum", 20).order_by_descending("sum").page(2, 2);
        let page = page.fetch().await.unwrap();
        assert_eq!((names(&page.items), page.total), (vec!["b".into(), "a".into()], 4));
        let page = view.query().any_of("sum", [1, 9]).order_by("sum").fetch().await.unwrap();
        assert_eq!(names(&page.items), ["e", "d"]);
        let wrong = view.query().filter_eq("name", "a").fetch().await;
        assert!(matches!(wrong, Err(ViewError::Store(StoreError::InvalidRequest(_)))));
        assert_eq!(view.lag().unwrap().events, 0);
        running.shut_down().await.unwrap();
    });
}

#[test]
fn a_part_of_each_row_is_read_and_a_field_that_no_row_has_is_an_error() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Part {
        sum: i64,
    }
    #[derive(Debug, serde::Deserialize)]
    struct Other {
        #[serde(rename = "colour")]
        _colour: String,
    }
    in_a_world(async |world| {
        let running = world.start("a", Totals::default(), ProjectionOptions::default());
        world.add("a", 5).await;
        let last = world.add("b", 7).await;
        let view = running.view.at_least_position(last);
        let page = view.query().any_of("sum", [5, 7]).order_by("sum").fetch_as::<Part>().await.unwrap();
        assert_eq!((page.items, page.total), (vec![Part { sum: 5 }, Part { sum: 7 }], 2));
        assert!(page.position >= last);
        let wrong = view.query().fetch_as::<Other>().await;
        assert!(matches!(wrong, Err(ViewError::Row { .. })), "{wrong:?}");
        running.shut_down().await.unwrap();
    });
}

#[test]
fn what_a_view_shows_changes_with_events_that_it_takes_and_with_no_others() {
    in_a_world(async |world| {
        let running = world.start("a", Totals::default(), ProjectionOptions::default());
        let first = world.add("x", 1).await;
        let before = running.view.at_least_position(first).shows().await.unwrap().unwrap();
        let foreign = world.append_to("foreign", "y", b"1".to_vec()).await;
        let after = running.view.at_least_position(foreign).shows().await.unwrap().unwrap();
        assert_eq!((after.generation, after.changes), (before.generation, before.changes));
        assert!(before.position >= first && after.position >= foreign);
        let own = world.add("x", 1).await;
        let changed = running.view.at_least_position(own).shows().await.unwrap().unwrap();
        assert!(changed.changes > after.changes && changed.position >= own);
        running.shut_down().await.unwrap();
    });
}

#[test]
fn a_view_that_is_maintained_elsewhere_tells_nothing_without_a_read() {
    in_a_world(async |world| {
        let holder = world.start("a", Totals::default(), ProjectionOptions::default());
        let first = world.add("x", 1).await;
        holder.reach(first).await;
        let reader =
            ProjectionRunner::new(Totals::default(), world.instance("b"), ProjectionOptions::default())
                .view();
        assert_eq!(reader.at_least_position(first).shows().await.unwrap(), None);
        // Who takes over cannot know what the last holder wrote since.
        let standby = world.start("c", Totals::default(), ProjectionOptions::default());
        holder.shut_down().await.unwrap();
        let second = world.add("x", 1).await;
        standby.reach(second).await;
        assert!(standby.view.shows().await.unwrap().is_some_and(|shows| shows.changes > 0));
        standby.shut_down().await.unwrap();
    });
}

fn checkpoint(subscription: &str, position: u32) -> Checkpoint {
    Checkpoint { subscription: subscription.to_owned(), position: Position::from(position), fence: 1 }
}

/// Brings a generation to `position`, which its row `x` shows.
async fn write(world: &World, generation: u32, position: u32) {
    let row = Total { name: "x".into(), sum: position.into(), events: 0 };
    let body = serde_json::to_vec(&row).unwrap().into();
    let put = RowChange::Put { key: "x".into(), body, indexes: vec![IndexValue::Integer(row.sum)] };
    let checkpoint = checkpoint(&subscription_name("totals", generation), position);
    let model = read_model::<Totals>(generation);
    world.storage.views.prepare(&model).await.unwrap();
    let batch = ViewBatch { model, changes: vec![put], checkpoint, fenced_by: None };
    world.storage.views.commit(batch).await.unwrap();
}

async fn switch(world: &World, generation: u32) {
    let checkpoint = checkpoint("projection:totals:generations", generation);
    world.storage.views.switch_generation("totals", generation, "test", checkpoint).await.unwrap();
}

/// The reader has waited for one generation, and reads another that is behind it.
#[test]
fn a_switch_between_the_wait_and_the_read_shows_nothing_older_than_was_asked_for() {
    in_a_world(async |world| {
        write(&world, 1, 5).await;
        write(&world, 2, 3).await;
        switch(&world, 1).await;
        let options = ProjectionOptions { generation_check: Duration::ZERO, ..ProjectionOptions::default() };
        let view = View::<Totals>::detached(world.instance("a"), options);
        for delay in [0, 1_000] {
            world.faults.next("live_generation", Fault::Delay(Duration::from_millis(delay)));
        }
        let writing = async {
            world.pass(Duration::from_millis(500)).await;
            switch(&world, 2).await;
            world.pass(Duration::from_secs(1)).await;
            write(&world, 2, 6).await;
        };
        let view = view.at_least_position(Position::from(5_u32));
        let (found, ()) = tokio::join!(view.get_with_position("x"), writing);
        let (row, position) = found.unwrap();
        assert_eq!((row.unwrap().sum, position.get()), (6, 6));
    });
}
