//! What one command may append, and commands that cannot work as given.

use composable_rust_core::port::MAX_PAYLOAD_BYTES;
use composable_rust_core::{Action, Context, Decider, Decision, Never, State, StreamVersion};
use composable_rust_runtime::{
    Application, ApplicationOptions, CommandOn, CommandOptions, ExecuteError, OverLimit, on,
};
use composable_rust_testing::simulation::{Ending, Life, Simulation};

/// Writes as much as it is told.
#[derive(Debug, Clone, Default, PartialEq, State)]
struct Journal {
    lines: u64,
}

#[derive(Debug, Clone, PartialEq, Action)]
enum JournalAction {
    #[command]
    Write { lines: usize, length: usize },
    #[event]
    Written { line: String },
}

impl Decider for Journal {
    type Action = JournalAction;
    type Rejection = Never;

    fn decide(&self, command: JournalCommand, _: &Context) -> Decision<Self> {
        let JournalCommand::Write { lines, length } = command;
        Ok((0..lines).map(|_| JournalEvent::Written { line: "x".repeat(length) }).collect())
    }

    fn evolve(&mut self, _: &JournalEvent) {
        self.lines += 1;
    }
}

const fn write(lines: usize, length: usize) -> JournalCommand {
    JournalCommand::Write { lines, length }
}

fn with_journal(commands: CommandOptions, body: impl AsyncFn(Application)) {
    Simulation::run(1, async |simulation| {
        let ending = simulation
            .live(Life::CALM, async |environment| {
                let options = ApplicationOptions { commands, ..ApplicationOptions::default() };
                let app = Application::builder("journals").environment(environment).options(options);
                body(app.storage(simulation.storage()).decider::<Journal>().start().await.unwrap()).await;
            })
            .await;
        assert_eq!(ending, Ending::Finished(()));
    });
}

async fn refused(app: &Application, command: JournalCommand) -> OverLimit {
    match app.execute("a", command).await {
        Err(ExecuteError::TooLarge(over)) => over,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn one_command_appends_as_many_events_and_bytes_as_the_options_say_and_no_more() {
    let options = CommandOptions { max_events: 3, max_bytes: 10_000, ..CommandOptions::default() };
    with_journal(options, async |app| {
        app.execute("a", write(3, 10)).await.unwrap();
        let events = refused(&app, write(4, 10)).await;
        assert_eq!(events, OverLimit::Events { events: 4, limit: 3 });
        assert!(events.to_string().contains("`commands.max_events`"), "{events}");
        let bytes = refused(&app, write(2, 5_000)).await;
        assert!(matches!(bytes, OverLimit::Bytes { bytes: 10_001.., limit: 10_000 }), "{bytes:?}");
        assert!(bytes.to_string().contains("`commands.max_bytes`"), "{bytes}");
        let loaded = app.load::<Journal>("a").await.unwrap().unwrap();
        assert_eq!(
            (loaded.version, loaded.state.lines),
            (StreamVersion::from(3), 3),
            "nothing more was written"
        );
        app.execute("a", write(1, 10)).await.unwrap();
    });
}

#[test]
fn the_limits_are_of_all_the_aggregates_of_one_command() {
    let options = CommandOptions { max_events: 3, ..CommandOptions::default() };
    with_journal(options, async |app| {
        let refused = app.execute_all((on("a", write(2, 1)), on("b", write(2, 1)))).await.unwrap_err();
        assert!(matches!(refused, ExecuteError::TooLarge(OverLimit::Events { events: 4, limit: 3 })));
        assert!(app.load::<Journal>("a").await.unwrap().is_none());
    });
}

#[test]
fn by_default_a_command_may_append_a_thousand_events_and_a_payload_of_a_mebibyte() {
    with_journal(CommandOptions::default(), async |app| {
        app.execute("a", write(1_000, 1)).acknowledged().await.unwrap();
        assert_eq!(refused(&app, write(1_001, 1)).await, OverLimit::Events { events: 1_001, limit: 1_000 });
        app.execute("a", write(1, MAX_PAYLOAD_BYTES - 100)).acknowledged().await.unwrap();
        let over = refused(&app, write(1, MAX_PAYLOAD_BYTES)).await;
        assert!(
            matches!(over, OverLimit::Payload { ref stream, .. } if stream.as_str() == "journal/a"),
            "{over:?}"
        );
        let OverLimit::Bytes { limit, .. } = refused(&app, write(5, MAX_PAYLOAD_BYTES - 100)).await else {
            unreachable!()
        };
        assert_eq!(limit, 4 * 1024 * 1024);
    });
}

#[test]
fn a_command_that_cannot_work_as_given_is_refused_and_says_why() {
    with_journal(CommandOptions::default(), async |app| {
        let none: Vec<CommandOn<JournalCommand>> = Vec::new();
        let errors = [
            app.execute_all(none).await.unwrap_err().to_string(),
            app.execute_all((Vec::<CommandOn<JournalCommand>>::new(),)).await.unwrap_err().to_string(),
            app.execute("", write(1, 1)).await.unwrap_err().to_string(),
            app.execute("x".repeat(201), write(1, 1)).await.unwrap_err().to_string(),
            app.execute("a\nb", write(1, 1)).await.unwrap_err().to_string(),
        ];
        for (error, reason) in errors.iter().zip([
            "no command was given",
            "no command was given",
            "1 to 200 bytes",
            "1 to 200 bytes",
            "control characters",
        ]) {
            assert!(error.contains(reason), "{error}");
        }
        assert!(matches!(app.execute("", write(1, 1)).await, Err(ExecuteError::Invalid(_))));
    });
}
