//! Where a derive was forgotten the message says which, and what to write.
use composable_rust_core::{
    Action, Context, Decider, Decision, Input, Never, Process, ProcessId, Projection, Recorded, Rows, State, Steps,
    call,
};

#[derive(Debug, Clone, PartialEq)]
struct CounterId(String);

#[derive(Debug, Clone, PartialEq, Action)]
#[action(key = CounterId)]
enum CounterAction {
    #[command]
    Add,
    #[event]
    Added,
}

#[derive(Debug, Clone, Default)]
struct Counter;

#[derive(Debug, Clone, PartialEq)]
struct TooLarge;

impl Decider for Counter {
    type Action = CounterAction;
    type Rejection = TooLarge;

    fn decide(&self, _: CounterCommand, _: &Context) -> Decision<Self> {
        Err(TooLarge)
    }

    fn evolve(&mut self, _: &CounterEvent) {}
}

#[derive(Debug, Clone, Default, State)]
struct Gauge;

#[derive(Debug, Clone, PartialEq)]
enum GaugeAction {
    Read,
}

impl Decider for Gauge {
    type Action = GaugeAction;
    type Rejection = Never;

    fn decide(&self, _: GaugeAction, _: &Context) -> Decision<Self> {
        Ok(vec![])
    }

    fn evolve(&mut self, _: &GaugeAction) {}
}

#[derive(Debug, Clone, PartialEq)]
struct Total {
    counter: String,
}

struct Totals;

impl Projection for Totals {
    type Event = CounterEvent;
    type Row = Total;
    const NAME: &'static str = "totals";

    fn project(&self, _: &Recorded<CounterEvent>, _: &mut Rows<Total>) {}
}

#[derive(Debug, Clone, PartialEq)]
struct SendMail;

#[derive(Debug, Clone)]
enum WelcomeInput {
    Counter(CounterEvent),
}

#[derive(Debug, Clone, Default, State)]
struct Welcome;

impl Process for Welcome {
    type Input = WelcomeInput;
    const NAME: &'static str = "welcome";

    fn id(_: &WelcomeInput) -> Option<ProcessId> {
        None
    }

    fn react(&mut self, _: Recorded<WelcomeInput>) -> Steps<Self> {
        vec![]
    }
}

#[derive(Debug, Clone, Input)]
enum ReminderInput {
    Counter(CounterEvent),
}

#[derive(Debug, Clone, Default, State)]
struct Reminder;

impl Process for Reminder {
    type Input = ReminderInput;
    const NAME: &'static str = "reminder";

    fn id(_: &ReminderInput) -> Option<ProcessId> {
        None
    }

    fn react(&mut self, _: Recorded<ReminderInput>) -> Steps<Self> {
        vec![call(SendMail)]
    }
}

fn main() {}
