//! Defects of the user's own code are refused before they reach the log.
#![expect(clippy::option_option, reason = "JSON has one null for both nothings")]

use composable_rust_core::{Action, Context, Decider, Decision, Never, State};
use composable_rust_runtime::{Application, ExecuteError};
use composable_rust_testing::simulation::{Ending, Life, Simulation};
use std::cell::Cell;

thread_local! {
    /// Whether no state can be built; a simulation runs on one thread.
    static RUSTY: Cell<bool> = const { Cell::new(false) };
}

#[derive(Debug, Clone, Default, PartialEq, State)]
struct Gauge {
    sum: f64,
    note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Action)]
enum GaugeAction {
    #[command]
    Read { value: f64 },
    #[command]
    Note { note: Option<Option<String>> },
    #[event]
    WasRead { value: f64 },
    #[event]
    Noted { note: Option<Option<String>> },
}

impl Decider for Gauge {
    type Action = GaugeAction;
    type Rejection = Never;

    fn decide(&self, command: GaugeCommand, _: &Context) -> Decision<Self> {
        assert!(command != GaugeCommand::Read { value: 0.0 }, "nothing is read");
        Ok(vec![match command {
            GaugeCommand::Read { value } => GaugeEvent::WasRead { value },
            GaugeCommand::Note { note } => GaugeEvent::Noted { note },
        }])
    }

    fn evolve(&mut self, event: &GaugeEvent) {
        assert!(!RUSTY.get(), "it is rusty");
        match event {
            GaugeEvent::WasRead { value } => {
                self.sum += *value;
                assert!(*value < 100.0, "off the scale");
            }
            GaugeEvent::Noted { note } => self.note = note.clone().flatten(),
        }
    }
}

fn with_gauge(body: impl AsyncFn(Application)) {
    Simulation::run(1, async |simulation| {
        let ending = simulation
            .live(Life::CALM, async |environment| {
                let app = Application::builder("gauges").environment(environment);
                body(app.storage(simulation.storage()).decider::<Gauge>().start().await.unwrap()).await;
            })
            .await;
        assert_eq!(ending, Ending::Finished(()));
        assert!(simulation.task_panics().is_empty(), "{:?}", simulation.task_panics());
    });
}

async fn refusal(app: &Application, command: GaugeCommand) -> String {
    match app.execute("a", command).await {
        Err(ExecuteError::Defect(reason)) => reason,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

async fn read(app: &Application) -> (f64, u64) {
    let loaded = app.load::<Gauge>("a").await.unwrap().unwrap();
    (loaded.state.sum, loaded.version.get())
}

#[test]
fn what_does_not_come_back_from_its_encoding_is_never_written() {
    with_gauge(async |app| {
        app.execute("a", GaugeCommand::Read { value: 1.5 }).await.unwrap();
        for value in [f64::NAN, f64::INFINITY] {
            let reason = refusal(&app, GaugeCommand::Read { value }).await;
            assert!(reason.contains("gauge.WasRead") && reason.contains("does not come back"), "{reason}");
        }
        let reason = refusal(&app, GaugeCommand::Note { note: Some(None) }).await;
        assert!(reason.contains("gauge.Noted"), "{reason}");
        app.execute("a", GaugeCommand::Note { note: None }).await.unwrap();
        assert_eq!(read(&app).await, (1.5, 2));
    });
}

#[test]
fn a_panic_in_evolve_writes_nothing_and_the_aggregate_goes_on() {
    with_gauge(async |app| {
        app.execute("a", GaugeCommand::Read { value: 1.5 }).await.unwrap();
        let reason = refusal(&app, GaugeCommand::Read { value: 1_000.0 }).await;
        assert!(reason.contains("off the scale") && reason.contains("nothing was written"), "{reason}");
        // What `evolve` had done before it panicked is not decided on: the receipt tells the state in memory.
        let receipt = app.execute("a", GaugeCommand::Read { value: 2.5 }).await.unwrap();
        assert_eq!((receipt.state.sum, receipt.version.get()), (4.0, 2));
        assert_eq!(read(&app).await, (4.0, 2));
    });
}

#[test]
fn a_panic_in_decide_is_a_defect_that_writes_nothing_and_the_aggregate_goes_on() {
    with_gauge(async |app| {
        app.execute("a", GaugeCommand::Read { value: 1.5 }).await.unwrap();
        let reason = refusal(&app, GaugeCommand::Read { value: 0.0 }).await;
        assert_eq!(reason, "`decide` panicked, so nothing was written: nothing is read");
        app.execute("a", GaugeCommand::Read { value: 2.5 }).await.unwrap();
        assert_eq!(read(&app).await, (4.0, 2));
    });
}

#[test]
fn a_panic_in_evolve_while_a_stream_is_loaded_names_the_event() {
    with_gauge(async |app| {
        app.execute("a", GaugeCommand::Read { value: 1.5 }).await.unwrap();
        RUSTY.set(true);
        let loaded = app.load::<Gauge>("a").await;
        RUSTY.set(false);
        let Err(ExecuteError::Defect(reason)) = loaded else { panic!("expected a defect, got {loaded:?}") };
        assert_eq!(reason, "`evolve` panicked at event 1 of gauge/a: it is rusty");
        assert_eq!(read(&app).await, (1.5, 1));
    });
}
