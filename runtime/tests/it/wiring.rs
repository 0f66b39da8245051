//! The check before the start: every fault at once, each with the line to write.

use crate::domain::{Bank, Checkout, Order, Sales, Stock};
use composable_rust_core::port::StoreError;
use composable_rust_core::{
    Action, Context, Decider, Decision, Never, Process, ProcessId, Projection, Recorded, Rows, State, Steps,
    steps,
};
use composable_rust_runtime::{
    Application, ApplicationBuilder, ApplicationError, ApplicationOptions, Finding,
};
use composable_rust_testing::memory::MemoryStorage;
use std::time::Duration;

/// A second decider that claims a category and an event type of another.
#[derive(Debug, Clone, Default, PartialEq, State)]
struct Shelf {}

#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "stock")]
enum ShelfAction {
    #[command]
    Look {},
    #[event]
    Looked {},
}

impl Decider for Shelf {
    type Action = ShelfAction;
    type Rejection = Never;

    fn decide(&self, command: ShelfCommand, _: &Context) -> Decision<Self> {
        match command {
            ShelfCommand::Look {} => Ok(vec![ShelfEvent::Looked {}]),
        }
    }

    fn evolve(&mut self, _: &ShelfEvent) {}
}

/// A decider whose event has the name of another category's.
#[derive(Debug, Clone, Default, PartialEq, State)]
struct Copycat {}

#[derive(Debug, Clone, PartialEq, Action)]
enum CopycatAction {
    #[command]
    Copy {},
    #[event(name = "stock.Filled")]
    Copied {},
}

impl Decider for Copycat {
    type Action = CopycatAction;
    type Rejection = Never;

    fn decide(&self, command: CopycatCommand, _: &Context) -> Decision<Self> {
        match command {
            CopycatCommand::Copy {} => Ok(vec![CopycatEvent::Copied {}]),
        }
    }

    fn evolve(&mut self, _: &CopycatEvent) {}
}

/// A second process under the name of the first.
#[derive(Debug, Clone, Default, PartialEq, State)]
struct Twin {}

impl Process for Twin {
    type Input = crate::domain::CheckoutInput;
    const NAME: &'static str = "checkout";

    fn id(_: &Self::Input) -> Option<ProcessId> {
        None
    }

    fn react(&mut self, _: Recorded<Self::Input>) -> Steps<Self> {
        steps![]
    }
}

#[derive(Debug)]
struct Misnamed;

impl Projection for Misnamed {
    type Event = crate::domain::StockEvent;
    type Row = crate::domain::Sold;
    const NAME: &'static str = "Sales!";

    fn project(&self, _: &Recorded<Self::Event>, _: &mut Rows<Self::Row>) {}
}

#[test]
fn eight_wiring_faults_are_reported_at_once_each_with_the_line_to_add() {
    let mut options = ApplicationOptions::default();
    options.subscriptions.batch_size = 0;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime
        .block_on(
            Application::builder("faulty")
                .options(options)
                .decider::<Stock>()
                .decider::<Shelf>()
                .decider::<Copycat>()
                .process::<Checkout>()
                .process::<Twin>()
                .projection(Sales)
                .projection(Sales)
                .projection(Misnamed)
                .start(),
        )
        .unwrap_err();
    let ApplicationError::Invalid(findings) = &error else { unreachable!("{error}") };
    let text = error.to_string();
    for (problem, fix) in [
        ("nothing says where events are kept", "add `.storage(Sqlite::file(\"data/app.db\"))`"),
        (
            "category \"stock\" is decided by Stock and Shelf",
            "give one of them another `#[action(category = \"…\")]`",
        ),
        (
            "event type \"stock.Filled\" is claimed by the categories stock and copycat",
            "give one of them another `#[event(name = \"…\")]`",
        ),
        (
            "nobody decides category \"order\": process Checkout dispatches its commands, \
             process Twin dispatches its commands, process Checkout reads its events, \
             process Twin reads its events",
            "add `.decider::<Order>()`, or what else has that category",
        ),
        (
            "nothing performs activity \"pay\" of process Checkout and process Twin",
            "add `.activity(…)` with what has `type Call = Pay`",
        ),
        (
            "process name \"checkout\" is used by Checkout and Twin",
            "give one of them another `NAME`, or keep one `.process::<…>()` line",
        ),
        (
            "read model \"sales\" is written by Sales and Sales",
            "give one of them another `NAME`, or keep one `.projection(…)` line",
        ),
        ("\"Sales!\" is no name of a read model", "use 1 to 48 characters of a-z, 0-9 and '_' in its `NAME`"),
        ("option subscriptions.batch_size is 0", "set subscriptions.batch_size to at least 1"),
    ] {
        let expected = Finding::new(problem, fix);
        assert!(findings.contains(&expected), "{expected:?} is missing in:\n{text}");
    }
    assert_eq!(findings.len(), 9, "one finding for each cause:\n{text}");
}

/// A decider that would write into the streams of the process `checkout`.
#[derive(Debug, Clone, Default, PartialEq, State)]
struct Intruder {}

#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "process-checkout")]
enum IntruderAction {
    #[command]
    Intrude {},
    #[event]
    Intruded {},
}

impl Decider for Intruder {
    type Action = IntruderAction;
    type Rejection = Never;

    fn decide(&self, command: IntruderCommand, _: &Context) -> Decision<Self> {
        match command {
            IntruderCommand::Intrude {} => Ok(vec![IntruderEvent::Intruded {}]),
        }
    }

    fn evolve(&mut self, _: &IntruderEvent) {}
}

fn builder() -> ApplicationBuilder {
    Application::builder("spare").storage(MemoryStorage::new())
}

#[test]
fn a_decider_in_the_category_of_a_process_is_a_fault() {
    let findings = builder().decider::<Intruder>().findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].problem.contains("\"process-checkout\" of Intruder is kept for processes"));
    assert!(findings[0].fix.contains("#[action(category"), "{findings:?}");
}

#[test]
fn every_number_and_time_of_the_options_has_limits() {
    fn set_all(options: &mut ApplicationOptions, number: usize, time: Duration) {
        let (commands, processes) = (&mut options.commands, &mut options.processes);
        commands.max_attempts = u32::try_from(number).unwrap_or(u32::MAX);
        for count in [
            &mut commands.max_events,
            &mut commands.max_bytes,
            &mut commands.cached_aggregates,
            &mut commands.committer.max_batch,
            &mut commands.committer.max_waiting,
            &mut commands.committer.max_batch_bytes,
            &mut commands.committer.max_waiting_bytes,
            &mut processes.cached_instances,
            &mut processes.concurrent_steps,
            &mut processes.concurrent_work,
            &mut options.projections.rows_kept,
            &mut options.relay.max_batch,
            &mut options.notice_buffer,
        ] {
            *count = number;
        }
        for span in [
            &mut commands.first_pause,
            &mut commands.longest_pause,
            &mut processes.poll_interval,
            &mut processes.first_pause,
            &mut processes.longest_pause,
            &mut options.projections.generation_check,
            &mut options.projections.drop_after,
            &mut options.projections.wait_poll,
            &mut options.projections.wait_timeout,
            &mut options.relay.publish_timeout,
            &mut options.relay.circuit.open_for,
            &mut options.drain_timeout,
        ] {
            *span = time;
        }
        for subscription in [&mut options.subscriptions, &mut options.projections.subscription] {
            (subscription.batch_size, subscription.batch_bytes) = (number, number);
            for span in [
                &mut subscription.poll_interval,
                &mut subscription.reread_interval,
                &mut subscription.lease_ttl,
                &mut subscription.lease_retry,
                &mut subscription.backoff.first,
                &mut subscription.backoff.longest,
                &mut subscription.lazy_checkpoint,
                &mut subscription.parked_check,
            ] {
                *span = time;
            }
        }
    }
    assert_eq!(builder().findings(), []);
    // All 14 numbers and 12 times, and 2 and 8 of each of the two subscriptions, but for those that may be 0.
    for (number, time, count) in
        [(0, Duration::ZERO, 46 - 9), (usize::MAX, Duration::MAX, 46), (usize::MAX, Duration::ZERO, 18 + 20)]
    {
        let mut options = ApplicationOptions::default();
        set_all(&mut options, number, time);
        let findings = builder().options(options).findings();
        let wrong: Vec<_> = findings.iter().filter(|found| !found.fix.starts_with("set ")).collect();
        assert_eq!((findings.len(), wrong), (count, vec![]), "{findings:#?}");
    }
    let mut options = ApplicationOptions::default();
    options.projections.subscription.lease_ttl = Duration::ZERO;
    let findings = builder().options(options).findings();
    assert_eq!(findings[0].problem, "option projections.subscription.lease_ttl is 0ns");
    assert_eq!(findings[0].fix, "set projections.subscription.lease_ttl to at least 100ms");
}

#[test]
fn an_activity_that_nobody_calls_and_storage_given_twice_are_faults() {
    let storage = MemoryStorage::new();
    let builder = Application::builder("spare")
        .storage(storage.clone())
        .storage(storage)
        .decider::<Order>()
        .activity(Bank::default());
    let problems: Vec<_> = builder.findings().into_iter().map(|finding| finding.problem).collect();
    assert_eq!(problems, ["storage is given 2 times", "activity \"pay\" (Bank) is called by no process"]);
}

#[test]
fn a_line_that_stands_twice_doubles_no_other_finding() {
    let builder = Application::builder("faulty").process::<Checkout>().process::<Checkout>();
    let told = builder.findings().into_iter().map(|finding| finding.problem).collect::<Vec<_>>();
    let expected = "nobody decides category \"order\": process Checkout dispatches its commands, \
                    process Checkout reads its events";
    assert!(told.iter().any(|problem| problem == expected), "{told:#?}");
}

#[test]
fn an_error_that_main_returns_is_printed_as_its_text() {
    let error = ApplicationError::Invalid(vec![Finding::new("a is wrong", "write b")]);
    assert_eq!(format!("{error:?}"), "the application has 1 fault(s):\n  1. a is wrong\n     → write b");
    let error = ApplicationError::Storage(StoreError::Setup("it is locked".into()));
    assert_eq!(format!("{error:?}"), "the storage cannot be opened: it is locked");
}
