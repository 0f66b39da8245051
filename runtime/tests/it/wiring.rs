//! The check before the start: every fault at once, each with the line to write.

use crate::domain::{Bank, Checkout, Order, Sales, Stock};
use composable_rust_core::{
    Action, Context, Decider, Decision, Never, Process, ProcessId, Projection, Recorded, Rows, State, Steps,
    steps,
};
use composable_rust_runtime::{Application, ApplicationError, ApplicationOptions};

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
        ("nothing says where events are kept", ".storage("),
        ("category \"stock\" is decided by Stock and Shelf", "#[action(category = "),
        ("event type \"stock.Filled\" is claimed", "#[event(name = "),
        ("process Checkout dispatches commands of category \"order\", which nobody decides", ".decider::<"),
        ("process Checkout calls activity \"pay\", which nothing performs", ".activity("),
        ("process name \"checkout\" is used by Checkout and Twin", "NAME"),
        ("read model \"sales\" is written by Sales and Sales", ".projection("),
        ("\"Sales!\" is no name of a read model", "NAME"),
        ("process Checkout reads events of category \"order\", which nobody writes", ".decider::<"),
        ("option subscriptions.batch_size is 0", "set subscriptions.batch_size"),
    ] {
        let found = findings.iter().find(|finding| finding.problem.contains(problem));
        let found = found.unwrap_or_else(|| unreachable!("{problem:?} is missing in:\n{text}"));
        assert!(found.fix.contains(fix), "{:?} does not say {fix:?}", found.fix);
    }
}

#[test]
fn an_activity_that_nobody_calls_and_storage_given_twice_are_faults() {
    let storage = composable_rust_testing::memory::MemoryStorage::new();
    let builder = Application::builder("spare")
        .storage(storage.clone())
        .storage(storage)
        .decider::<Order>()
        .activity(Bank::default());
    let problems: Vec<_> = builder.findings().into_iter().map(|finding| finding.problem).collect();
    assert_eq!(problems, ["storage is given 2 times", "activity \"pay\" (Bank) is called by no process"]);
}
