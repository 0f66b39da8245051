//! Specifications of projections.

use super::domain::SectionEvent::{Held, Opened, Released, Sold};
use super::domain::*;
use super::failure;
use composable_rust_core::{EventOf, Fault, Projection, Recorded, Rows};
use composable_rust_testing::spec::{START, project};
use std::cell::Cell;

#[test]
fn rows_follow_from_events() {
    let events = [
        ("left", Opened { capacity: 5 }),
        ("right", Opened { capacity: 5 }),
        ("left", Held { hold: hold(1), count: 2 }),
        ("left", Sold { hold: hold(1) }),
    ];
    let row = |section: &str, held| HoldsRow { section: section.to_owned(), held };
    project(Holds, events.clone())
        .then_rows([row("right", 0), row("left", 2)])
        .then_row("left", |row| assert_eq!(row.held, 2));
    project(Holds, [("left", Opened { capacity: 5 }), ("left", Released { hold: hold(1) })]).then_no_rows();

    let message = failure(|| project(Holds, events.clone()).then_rows([row("left", 3), row("right", 0)]));
    assert!(message.contains("-         held: 3,") && message.contains("+         held: 2,"), "{message}");
    assert!(message.contains("events:\n  \"left\": Opened { capacity: 5 }"), "{message}");
    let message = failure(|| project(Holds, events).then_row("middle", |_| {}));
    assert!(message.starts_with(r#"no row middle; there are ["left", "right"]"#), "{message}");
}

#[test]
fn a_fault_names_its_event() {
    let events = [("left", Opened { capacity: 5 }), ("right", Held { hold: hold(1), count: 2 })];
    project(Holds, events.clone()).then_fault(1, Fault::MissingRow { key: "right".into() });
    let message = failure(|| project(Holds, events).then_no_rows());
    assert!(message.starts_with(r#"the event at place 1 is at fault: row "right""#), "{message}");
}

/// Counts what it sees, which it must not: the fold runs as often as the engine likes.
#[derive(Debug, Default)]
struct Counting {
    seen: Cell<u32>,
}

// A projection is shared between threads; this one is used by one.
struct Shared(std::sync::Mutex<Counting>);

impl Projection for Shared {
    type Event = EventOf<Section>;
    type Row = HoldsRow;
    const NAME: &'static str = "counting";

    fn project(&self, event: &Recorded<SectionEvent>, rows: &mut Rows<HoldsRow>) {
        let counting = self.0.lock().unwrap();
        counting.seen.set(counting.seen.get() + 1);
        rows.put(HoldsRow { section: event.key().clone(), held: counting.seen.get() });
    }
}

#[test]
fn rows_that_depend_on_the_batch_are_told() {
    let counting = Shared(std::sync::Mutex::default());
    let message = failure(|| project(counting, [("left", Opened { capacity: 5 })]));
    assert!(message.starts_with("the rows depend on how events are batched"), "{message}");
}

/// Keeps the time of the last event.
#[derive(Debug, Clone, Copy)]
struct Seconds;

impl Projection for Seconds {
    type Event = EventOf<Section>;
    type Row = HoldsRow;
    const NAME: &'static str = "seconds";

    fn project(&self, event: &Recorded<SectionEvent>, rows: &mut Rows<HoldsRow>) {
        let seconds = event.recorded_at.as_second() - START.as_second();
        rows.put(HoldsRow { section: event.key().clone(), held: u32::try_from(seconds).unwrap() });
    }
}

#[test]
fn events_are_a_second_apart() {
    let events = [("a", Opened { capacity: 1 }), ("b", Opened { capacity: 1 })];
    project(Seconds, events)
        .then_row("a", |row| assert_eq!(row.held, 0))
        .then_row("b", |row| assert_eq!(row.held, 1));
}
