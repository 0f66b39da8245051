//! A newcomer's program, whose types are all private: what it derives and never looks into gives no warning.
#![deny(warnings, dead_code, unused)]

use composable_rust_core::{
    Action, Activity, ActivityContext, ActivityError, Call, Context, Data, Decider, Decision, Events, Id,
    Input, Label, Outcome, Process, ProcessId, Projection, Recorded, Rejected, Rejection, Row, Rows, State,
    Steps, call, dispatch, steps,
};

#[derive(Debug, Clone, PartialEq, Id)]
struct CounterId(String);

#[derive(Debug, Clone, Copy, PartialEq, Label)]
enum Size {
    Small,
    Large,
}

#[derive(Debug, Clone, PartialEq, Data)]
struct Note {
    text: String,
}

#[derive(Debug, Clone, Default, State)]
struct Counter {
    total: u64,
}

#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "counter", key = CounterId)]
enum CounterAction {
    #[command]
    Add { amount: u32, note: Note, size: Size },
    #[command]
    Reset,
    #[event]
    Added { amount: u32, note: Note, size: Size },
    #[event]
    WasReset,
}

#[derive(Debug, Clone, PartialEq, Rejection)]
enum Refused {
    TooLarge { most: u32, wanted: u32 },
    Closed(String),
}

#[derive(Debug, Clone, PartialEq, Rejection)]
struct NotToday {
    until: String,
}

impl Decider for Counter {
    type Action = CounterAction;
    type Rejection = Refused;

    fn decide(&self, command: CounterCommand, _: &Context) -> Decision<Self> {
        match command {
            CounterCommand::Add { amount, .. } if amount > 9 => {
                Err(Refused::TooLarge { most: 9, wanted: amount })
            }
            CounterCommand::Add { amount, note, size } => {
                Ok(vec![CounterEvent::Added { amount, note, size }])
            }
            CounterCommand::Reset if self.total == 0 => Err(Refused::Closed("empty".into())),
            CounterCommand::Reset => Ok(vec![CounterEvent::WasReset]),
        }
    }

    fn evolve(&mut self, event: &CounterEvent) {
        match event {
            CounterEvent::Added { amount, .. } => self.total += u64::from(*amount),
            CounterEvent::WasReset => self.total = 0,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Call)]
#[call(answer = bool)]
struct Mail {
    to: String,
}

#[derive(Debug)]
struct Mailer;

#[async_trait::async_trait]
impl Activity for Mailer {
    type Call = Mail;

    async fn perform(&self, _: Mail, _: ActivityContext) -> Result<bool, ActivityError> {
        Ok(true)
    }

    fn give_up(&self, _: &Mail, _: &ActivityError) -> bool {
        false
    }
}

#[derive(Debug, Clone, Input)]
enum WatcherInput {
    Counter(CounterId, CounterEvent),
    #[rejected]
    NotReset(Rejected<Counter>),
    #[outcome]
    Mailed(Outcome<Mail>),
    #[timer]
    Later {
        seconds: u32,
    },
}

#[derive(Debug, Clone, Default, State)]
struct Watcher {
    seen: u32,
}

impl Process for Watcher {
    type Input = WatcherInput;
    const NAME: &'static str = "watcher";

    fn id(input: &WatcherInput) -> Option<ProcessId> {
        match input {
            WatcherInput::Counter(..) => Some(ProcessId::of(&"all")),
            WatcherInput::NotReset(_) | WatcherInput::Mailed(_) | WatcherInput::Later { .. } => None,
        }
    }

    fn react(&mut self, input: Recorded<WatcherInput>) -> Steps<Self> {
        match input.body {
            WatcherInput::Counter(..) => {
                self.seen += 1;
                steps![dispatch(CounterId("a".into()), CounterCommand::Reset), call(Mail { to: "me".into() })]
            }
            WatcherInput::NotReset(_) | WatcherInput::Mailed(_) | WatcherInput::Later { .. } => steps![],
        }
    }
}

#[derive(Debug, Clone, Events)]
enum AnyEvent {
    Counter(CounterEvent),
}

#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "name")]
struct Line {
    name: String,
    noted: u32,
}

struct Lines;

impl Projection for Lines {
    type Event = AnyEvent;
    type Row = Line;
    const NAME: &'static str = "lines";

    fn project(&self, event: &Recorded<AnyEvent>, rows: &mut Rows<Line>) {
        match &event.body {
            AnyEvent::Counter(_) => rows.put(Line { name: event.key.to_string(), noted: 1 }),
        }
    }
}

#[test]
fn a_program_of_private_types_compiles_without_a_warning() {
    let context = Context::new(
        "2030-01-01T00:00:00Z".parse().unwrap(),
        composable_rust_core::CommandId::derived(&["a"]),
    );
    let refused = Counter::default().decide(CounterCommand::Reset, &context);
    assert!(refused.is_err());
    let added = CounterCommand::Add { amount: 1, note: Note { text: "n".into() }, size: Size::Small };
    assert!(Counter::default().decide(added, &context).is_ok());
    assert_ne!(Size::Small, Size::Large);
    assert_eq!(NotToday { until: "noon".into() }.to_string(), "not today");
    let _ = (Watcher::id, Mailer, Lines);
}
