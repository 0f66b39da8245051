//! What one command may append, and commands that cannot work as given.

use composable_rust_core::port::MAX_PAYLOAD_BYTES;
use composable_rust_core::{Action, Context, Decider, Decision, Never, State, StreamVersion};
use composable_rust_runtime::CommitterOptions;
use composable_rust_runtime::{
    Application, ApplicationOptions, CommandOn, CommandOptions, ExecuteError, OverLimit, on,
};
use composable_rust_testing::memory::{Fault, Faults, Moment};
use composable_rust_testing::simulation::{Ending, Life, Simulation};
use futures_util::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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

/// Ten commands at once, of `length` bytes each, while the first transaction takes a second: how many were written, how
/// many were answered `overloaded`, and in how many transactions.
fn rush(committer: CommitterOptions, length: usize) -> (usize, usize, u64) {
    let appends = Arc::new(AtomicU64::new(0));
    let mut ended = (0, 0);
    let run = async |simulation: &Simulation| {
        let life = async |environment| {
            let commands = CommandOptions { committer, ..CommandOptions::default() };
            let options = ApplicationOptions { commands, ..ApplicationOptions::default() };
            let app = Application::builder("journals").environment(environment).options(options);
            let app = app.storage(simulation.storage()).decider::<Journal>().start().await.unwrap();
            let seen = Arc::clone(&appends);
            simulation.faults().crash_when(move |point| {
                let begins = point.operation == "append" && point.moment == Moment::Before;
                seen.fetch_add(u64::from(begins), Ordering::SeqCst);
                false
            });
            simulation.faults().next("append", Fault::Delay(Duration::from_secs(1)));
            let commands = (0..10).map(|n| {
                let app = app.clone();
                async move { app.execute(format!("{n}"), write(1, length)).acknowledged().await }
            });
            let results = join_all(commands).await;
            let overloaded = results.iter().filter(|result| matches!(result, Err(ExecuteError::Overloaded)));
            let counts = (results.iter().filter(|result| result.is_ok()).count(), overloaded.count());
            app.execute("after", write(1, 1)).await.unwrap();
            counts
        };
        match simulation.live(Life::CALM, life).await {
            Ending::Finished(counts) => counts,
            crashed @ Ending::Crashed => panic!("{crashed:?}"),
        }
    };
    Simulation::run_with(1, |_| Faults::scripted(), async |simulation| ended = run(simulation).await);
    (ended.0, ended.1, appends.load(Ordering::SeqCst) - 1)
}

#[test]
fn a_transaction_takes_as_many_appends_and_bytes_as_the_options_say() {
    let few = CommitterOptions { max_batch: 2, ..CommitterOptions::default() };
    let (written, overloaded, transactions) = rush(few, 10);
    assert_eq!((written, overloaded), (10, 0));
    assert!(transactions >= 5, "{transactions}");
    let small = CommitterOptions { max_batch_bytes: 2_500, ..CommitterOptions::default() };
    let (written, overloaded, transactions) = rush(small, 1_000);
    assert_eq!((written, overloaded), (10, 0));
    assert!(transactions >= 5, "{transactions}");
    let (_, _, transactions) = rush(CommitterOptions { max_batch_bytes: 10, ..few }, 1_000);
    assert_eq!(transactions, 10, "a larger one has a transaction of its own");
    let (_, _, transactions) = rush(CommitterOptions::default(), 1_000);
    assert!(transactions <= 2, "{transactions}");
}

#[test]
fn what_waits_is_limited_in_appends_and_bytes_and_one_more_is_overload() {
    for options in [
        CommitterOptions { max_waiting: 3, ..CommitterOptions::default() },
        CommitterOptions { max_waiting_bytes: 2_500, ..CommitterOptions::default() },
    ] {
        let (written, overloaded, _) = rush(options, 1_000);
        assert_eq!(written + overloaded, 10);
        assert!((3..=6).contains(&written), "{written} of {options:?}");
    }
}
