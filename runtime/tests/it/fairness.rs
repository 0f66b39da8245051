//! Instances of a process do not wait for each other, however much one of them has to do.

use crate::domain::application;
use composable_rust_core::{
    Action, Context, Decider, Decision, Input, Never, Process, ProcessId, Recorded, Rejected, State, Steps,
    dispatch,
};
use composable_rust_runtime::Application;
use composable_rust_testing::simulation::{Ending, Life, Simulation};

/// Counts what it was told.
#[derive(Debug, Clone, Default, PartialEq, State)]
struct Tally {
    told: u32,
}

#[derive(Debug, Clone, PartialEq, Action)]
enum TallyAction {
    #[command]
    Ask { times: u32 },
    #[command]
    Tell,
    #[event]
    Asked { times: u32 },
    #[event]
    Told,
}

impl Decider for Tally {
    type Action = TallyAction;
    type Rejection = Never;

    fn decide(&self, command: TallyCommand, _: &Context) -> Decision<Self> {
        match command {
            TallyCommand::Ask { times } => Ok(vec![TallyEvent::Asked { times }]),
            TallyCommand::Tell => Ok(vec![TallyEvent::Told]),
        }
    }

    fn evolve(&mut self, event: &TallyEvent) {
        match event {
            TallyEvent::Asked { .. } => {}
            TallyEvent::Told => self.told += 1,
        }
    }
}

/// Tells as often as it was asked to, by one command each.
#[derive(Debug, Clone, Default, PartialEq, State)]
struct Telling;

#[derive(Debug, Clone, PartialEq, Input)]
enum TellingInput {
    Tally(String, TallyEvent),
    #[rejected]
    Refused(Rejected<Tally>),
}

impl Process for Telling {
    type Input = TellingInput;
    const NAME: &'static str = "telling";

    fn id(input: &TellingInput) -> Option<ProcessId> {
        match input {
            TellingInput::Tally(key, TallyEvent::Asked { .. }) => Some(ProcessId::of(key)),
            TellingInput::Tally(_, TallyEvent::Told) | TellingInput::Refused(_) => None,
        }
    }

    fn react(&mut self, input: Recorded<TellingInput>) -> Steps<Self> {
        match input.body {
            TellingInput::Tally(key, TallyEvent::Asked { times }) => {
                (0..times).map(|_| dispatch(key.clone(), TallyCommand::Tell)).collect()
            }
            TellingInput::Tally(_, TallyEvent::Told) | TellingInput::Refused(_) => Steps::default(),
        }
    }
}

async fn told(app: &Application, key: &str) -> u32 {
    app.load::<Tally>(key).await.unwrap().unwrap().state.told
}

#[test]
fn an_instance_with_a_thousand_commands_does_not_hide_the_one_of_another() {
    Simulation::run(3, async |simulation| {
        let ending = simulation
            .live(Life::CALM, async |environment| {
                let app = application(simulation, environment).decider::<Tally>().process::<Telling>();
                let app = app.start().await.unwrap();
                app.execute("large", TallyCommand::Ask { times: 1_000 }).await.unwrap();
                app.execute("small", TallyCommand::Ask { times: 1 }).await.unwrap();
                let mut seen = app.events().signal().position();
                while told(&app, "small").await == 0 {
                    app.events().signal().reached(seen.next()).await;
                    seen = app.events().signal().position();
                }
                let large = told(&app, "large").await;
                assert!(large < 50, "the other instance came after {large} commands");
            })
            .await;
        assert_eq!(ending, Ending::Finished(()));
        assert!(simulation.task_panics().is_empty(), "{:?}", simulation.task_panics());
    });
}
