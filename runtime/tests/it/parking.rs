//! What a process cannot take is parked with its instance, and replayed in order, once.

use composable_rust_core::port::{
    Append, DeadLetter, DeadLetterFilter, DlqStatus, NewDeadLetter, PageRequest, StreamRange,
};
use composable_rust_core::{
    Action, Context, DeadLetterId, Decider, Decision, Environment, EventId, EventMetadata, ExpectedVersion,
    Input, NewEvent, Process, ProcessId, Recorded, Rejected, Rejection, SchemaVersion, State, Steps,
    StreamId, StreamVersion, dispatch, later, schedule, steps,
};
use composable_rust_projections::{FailurePolicy, Progress, RetryOutcome, SubscriptionState};
use composable_rust_runtime::{Application, ApplicationOptions, ComponentStatus, ProcessOptions};
use composable_rust_testing::memory::Faults;
use composable_rust_testing::simulation::{Ending, Life, Simulation};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

thread_local! {
    /// What the code cannot do at present; a simulation runs on one thread.
    static BROKEN: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

fn broken(what: &str) {
    BROKEN.with_borrow_mut(|broken| broken.insert(what.to_owned()));
}

fn mend() {
    BROKEN.with_borrow_mut(BTreeSet::clear);
}

fn fail_if_broken(what: &str) {
    assert!(!BROKEN.with_borrow(|broken| broken.contains(what)), "{what} is broken");
}

/// Something that is noted.
#[derive(Debug, Clone, Default, PartialEq, State)]
struct Item {
    noted: u32,
}

#[derive(Debug, Clone, PartialEq, Action)]
enum ItemAction {
    #[command]
    Note { n: u32 },
    #[event]
    Noted { n: u32 },
}

#[derive(Debug, Clone, PartialEq, Rejection)]
enum ItemRejection {
    NotInOrder,
}

impl Decider for Item {
    type Action = ItemAction;
    type Rejection = ItemRejection;

    fn decide(&self, command: ItemCommand, _: &Context) -> Decision<Self> {
        match command {
            ItemCommand::Note { n } if n == self.noted + 1 => Ok(vec![ItemEvent::Noted { n }]),
            ItemCommand::Note { .. } => Err(ItemRejection::NotInOrder),
        }
    }

    fn evolve(&mut self, event: &ItemEvent) {
        match event {
            ItemEvent::Noted { n } => self.noted = *n,
        }
    }
}

/// What the process made of it, in the order in which it did.
#[derive(Debug, Clone, Default, PartialEq, State)]
struct Copied {
    all: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Action)]
enum CopiedAction {
    #[command]
    Record { key: String, what: String },
    #[event]
    Recorded { what: String },
}

#[derive(Debug, Clone, PartialEq, Rejection)]
enum CopiedRejection {
    Never,
}

impl Decider for Copied {
    type Action = CopiedAction;
    type Rejection = CopiedRejection;

    fn decide(&self, command: CopiedCommand, _: &Context) -> Decision<Self> {
        match command {
            CopiedCommand::Record { key, what } => {
                fail_if_broken(&format!("recording {key}"));
                Ok(vec![CopiedEvent::Recorded { what }])
            }
        }
    }

    fn evolve(&mut self, event: &CopiedEvent) {
        match event {
            CopiedEvent::Recorded { what } => self.all.push(what.clone()),
        }
    }
}

/// Copies what is noted, and ten seconds after the first note says so.
#[derive(Debug, Clone, Default, PartialEq, State)]
struct Copier {
    key: String,
}

#[derive(Debug, Clone, Input)]
enum CopierInput {
    Item(String, ItemEvent),
    #[rejected]
    NotRecorded(Rejected<Copied>),
    #[timer]
    Reminded,
}

impl Process for Copier {
    type Input = CopierInput;
    const NAME: &'static str = "copier";

    fn id(input: &CopierInput) -> Option<ProcessId> {
        match input {
            CopierInput::Item(key, _) => {
                fail_if_broken(&format!("finding {key}"));
                Some(ProcessId::of(key))
            }
            CopierInput::NotRecorded(_) | CopierInput::Reminded => None,
        }
    }

    fn react(&mut self, input: Recorded<CopierInput>) -> Steps<Self> {
        let at = input.recorded_at;
        match input.body {
            CopierInput::Item(key, ItemEvent::Noted { n }) => {
                fail_if_broken(&format!("reacting to {key}"));
                self.key.clone_from(&key);
                let mut steps =
                    steps![dispatch(key.clone(), CopiedCommand::Record { key, what: n.to_string() })];
                if n == 1 {
                    steps.push(schedule(CopierTimer::Reminded, later(at, Duration::from_secs(10))));
                }
                steps
            }
            CopierInput::Reminded => {
                let (key, what) = (self.key.clone(), "reminded".to_owned());
                steps![dispatch(key.clone(), CopiedCommand::Record { key, what })]
            }
            CopierInput::NotRecorded(_) => steps![],
        }
    }
}

async fn start(simulation: &Simulation, environment: Environment, policy: FailurePolicy) -> Application {
    let processes = ProcessOptions { failure_policy: policy, ..ProcessOptions::default() };
    Application::builder("test")
        .environment(environment)
        .storage(simulation.storage())
        .options(ApplicationOptions { processes, ..ApplicationOptions::default() })
        .decider::<Item>()
        .decider::<Copied>()
        .process::<Copier>()
        .start()
        .await
        .unwrap()
}

fn default_policy() -> FailurePolicy {
    ProcessOptions::default().failure_policy
}

fn live(policy: FailurePolicy, body: impl AsyncFnOnce(&Application)) {
    mend();
    Simulation::run(3, async |simulation| {
        let ending = simulation
            .live(Life::CALM, async |environment| {
                let app = start(simulation, environment, policy).await;
                body(&app).await;
                app.shutdown().await.unwrap();
            })
            .await;
        assert_eq!(ending, Ending::Finished(()));
        assert!(simulation.task_panics().is_empty(), "{:?}", simulation.task_panics());
    });
}

async fn note(app: &Application, key: &str, n: u32) {
    app.execute(key, ItemCommand::Note { n }).await.unwrap();
}

async fn pass(app: &Application, seconds: u64) {
    app.environment().clock.sleep(Duration::from_secs(seconds)).await;
}

async fn copied(app: &Application, key: &str) -> Vec<String> {
    let loaded = app.load::<Copied>(key).await.unwrap();
    loaded.map(|loaded| loaded.state.all).unwrap_or_default()
}

fn instance(key: &str) -> StreamId {
    StreamId::new("process-copier", key).unwrap()
}

async fn letters(app: &Application, status: DlqStatus) -> Vec<DeadLetter> {
    let filter = DeadLetterFilter { statuses: vec![status], ..DeadLetterFilter::default() };
    app.dead_letters().list(&filter, PageRequest::first(100)).await.unwrap().items
}

fn progress(app: &Application) -> Progress {
    app.progress().into_iter().find(|progress| progress.name == "process:copier").unwrap()
}

async fn retry_first(app: &Application) -> RetryOutcome {
    let first = letters(app, DlqStatus::Pending).await.remove(0);
    app.retry_dead_letter(first.letter.id, "somebody").await.unwrap()
}

#[test]
fn an_input_that_cannot_be_taken_parks_its_instance_and_the_others_go_on() {
    live(default_policy(), async |app| {
        broken("reacting to a");
        for n in 1..=3 {
            note(app, "a", n).await;
            note(app, "b", n).await;
        }
        pass(app, 5).await;
        assert_eq!(copied(app, "b").await, ["1", "2", "3"]);
        assert!(copied(app, "a").await.is_empty());
        let parked = letters(app, DlqStatus::Pending).await;
        assert!(parked.iter().all(|found| found.letter.stream == instance("a")), "{parked:?}");
        assert_eq!(parked.iter().map(|found| found.letter.attempts).collect::<Vec<_>>(), [3, 0, 0]);
        let reason = &parked[0].letter.error_chain[0];
        assert_eq!(reason, "`react` panicked, so nothing was written: reacting to a is broken");
        assert_eq!((progress(app).state, progress(app).parked_streams), (SubscriptionState::Live, 1));
    });
}

#[test]
fn an_event_whose_instance_cannot_be_told_parks_its_own_stream_and_the_others_go_on() {
    live(default_policy(), async |app| {
        broken("finding a");
        for n in 1..=2 {
            note(app, "a", n).await;
            note(app, "b", n).await;
        }
        pass(app, 5).await;
        assert_eq!((copied(app, "a").await.len(), copied(app, "b").await.len()), (0, 2));
        let parked = letters(app, DlqStatus::Pending).await;
        assert!(parked.iter().all(|found| found.letter.stream.as_str() == "item/a"), "{parked:?}");
        let chain = &parked[0].letter.error_chain;
        assert!(chain[0].contains("`id` panicked: finding a is broken"), "{chain:?}");
        mend();
        assert_eq!(retry_first(app).await, RetryOutcome::Resolved);
        pass(app, 5).await;
        assert_eq!(copied(app, "a").await, ["1", "2"]);
    });
}

#[test]
fn a_retry_takes_the_parked_inputs_of_an_instance_in_order_once() {
    live(default_policy(), async |app| {
        broken("reacting to a");
        note(app, "a", 1).await;
        note(app, "a", 2).await;
        pass(app, 5).await;
        assert!(matches!(retry_first(app).await, RetryOutcome::Failed(_)), "it is still broken");
        assert_eq!(letters(app, DlqStatus::Pending).await.len(), 2);
        mend();
        note(app, "a", 3).await;
        pass(app, 2).await;
        assert!(copied(app, "a").await.is_empty(), "the third waits behind the first");
        assert_eq!(retry_first(app).await, RetryOutcome::Resolved);
        pass(app, 2).await;
        note(app, "a", 4).await;
        pass(app, 20).await;
        assert_eq!(copied(app, "a").await, ["1", "2", "3", "4", "reminded"]);
        assert!(letters(app, DlqStatus::Pending).await.is_empty());
        assert_eq!(progress(app).parked_streams, 0);
        let all = StreamRange::after(StreamVersion::ZERO, 100);
        let steps = app.events().read_stream(&instance("a"), all).await.unwrap();
        assert_eq!(steps.len(), 5, "each input is one step");
    });
}

#[test]
fn all_that_is_parked_is_retried_at_once() {
    live(default_policy(), async |app| {
        for key in ["a", "b", "c"] {
            broken(&format!("reacting to {key}"));
            note(app, key, 1).await;
            note(app, key, 2).await;
        }
        pass(app, 5).await;
        mend();
        broken("reacting to b");
        let of_c = DeadLetterFilter { stream: Some(instance("c")), ..DeadLetterFilter::default() };
        assert_eq!(app.retry_dead_letters(&of_c, "somebody").await.unwrap(), 2);
        assert_eq!(app.retry_dead_letters(&DeadLetterFilter::default(), "somebody").await.unwrap(), 4);
        pass(app, 20).await;
        for (key, all) in [("a", &["1", "2", "reminded"][..]), ("b", &[]), ("c", &["1", "2", "reminded"])] {
            assert_eq!(copied(app, key).await, all);
        }
        assert_eq!(letters(app, DlqStatus::Pending).await.len(), 2, "those of b");
        assert!(letters(app, DlqStatus::Processing).await.is_empty());
    });
}

#[test]
fn work_that_cannot_be_done_keeps_what_comes_later_for_its_instance_waiting() {
    live(default_policy(), async |app| {
        broken("recording a");
        note(app, "a", 1).await;
        pass(app, 2).await;
        note(app, "a", 2).await;
        note(app, "b", 1).await;
        pass(app, 20).await;
        assert_eq!(copied(app, "b").await, ["1", "reminded"]);
        let parked = letters(app, DlqStatus::Pending).await;
        let kinds: Vec<_> = parked.iter().map(|found| found.letter.event_type.as_str()).collect();
        assert_eq!((kinds[0], kinds.len()), ("work", 2), "{parked:?}");
        assert_eq!(parked[0].letter.attempts, 3);
        let waiting = app.storage().timers.pending(&instance("a")).await.unwrap();
        assert_eq!(waiting.len(), 1, "the reminder is long due");
        mend();
        assert_eq!(retry_first(app).await, RetryOutcome::Resolved);
        pass(app, 5).await;
        assert_eq!(copied(app, "a").await, ["1", "2", "reminded"]);
        assert!(letters(app, DlqStatus::Pending).await.is_empty());
        assert!(app.storage().timers.pending(&instance("a")).await.unwrap().is_empty());
    });
}

#[test]
fn what_is_discarded_no_longer_keeps_its_instance_waiting() {
    live(default_policy(), async |app| {
        broken("recording a");
        note(app, "a", 1).await;
        pass(app, 20).await;
        mend();
        let parked = letters(app, DlqStatus::Pending).await.remove(0);
        let from = [DlqStatus::Pending];
        let by = Some("somebody");
        app.dead_letters().transition(parked.letter.id, &from, DlqStatus::Discarded, by, None).await.unwrap();
        pass(app, 5).await;
        note(app, "a", 2).await;
        pass(app, 5).await;
        assert_eq!(copied(app, "a").await, ["reminded", "2"]);
    });
}

#[test]
fn under_the_policy_to_stop_a_process_stands_still_and_says_why() {
    for what in ["reacting to a", "recording a"] {
        mend();
        Simulation::run(5, async |simulation| {
            let first = simulation.live(Life::CALM, async |environment| {
                let app = start(simulation, environment, FailurePolicy::Stop).await;
                broken(what);
                note(&app, "a", 1).await;
                pass(&app, 5).await;
                note(&app, "b", 1).await;
                pass(&app, 20).await;
                assert_eq!(progress(&app).state, SubscriptionState::Stopped, "{what}");
                let error = progress(&app).last_error.unwrap();
                assert!(error.contains(&format!("{what} is broken")), "{error}");
                let health = app.health().await;
                let health = health.iter().find(|part| part.name == "process:copier").unwrap();
                assert_eq!(health.status, ComponentStatus::Unhealthy);
                assert!(copied(&app, "b").await.is_empty(), "nothing goes on");
                assert!(letters(&app, DlqStatus::Pending).await.is_empty());
                app.shutdown().await.unwrap();
            });
            assert_eq!(first.await, Ending::Finished(()));
            mend();
            let second = simulation.live(Life::CALM, async |environment| {
                let app = start(simulation, environment, FailurePolicy::Stop).await;
                pass(&app, 20).await;
                for key in ["a", "b"] {
                    assert_eq!(copied(&app, key).await, ["1", "reminded"], "nothing was lost");
                }
                app.shutdown().await.unwrap();
            });
            assert_eq!(second.await, Ending::Finished(()));
        });
    }
}

/// Appends an event as other code, or a fault, would have written it.
async fn append_raw(app: &Application, stream: &str, event_type: &'static str, schema: u32, payload: &str) {
    let event = NewEvent {
        id: EventId::from_uuid(app.environment().new_id()),
        event_type: event_type.into(),
        schema_version: SchemaVersion::new(schema),
        payload: payload.to_owned().into(),
        metadata: EventMetadata::default().encode(),
    };
    let stream = stream.parse().unwrap();
    app.events().append(Append::to(stream, ExpectedVersion::Any, vec![event])).await.unwrap();
}

#[test]
fn a_payload_that_cannot_be_read_parks_its_own_stream_and_says_which_event_it_is() {
    live(default_policy(), async |app| {
        append_raw(app, "item/a", "item.Noted", 1, r#"{"n":"many"}"#).await;
        append_raw(app, "item/a", "item.Noted", 1, r#"{"n":2}"#).await;
        note(app, "b", 1).await;
        pass(app, 5).await;
        assert_eq!(copied(app, "b").await, ["1"], "the others go on");
        assert_eq!((progress(app).state, progress(app).parked_streams), (SubscriptionState::Live, 1));
        let parked = letters(app, DlqStatus::Pending).await;
        assert!(parked.iter().all(|found| found.letter.stream.as_str() == "item/a"), "{parked:?}");
        assert_eq!(parked.iter().map(|found| found.letter.attempts).collect::<Vec<_>>(), [3, 0]);
        let named = r#"the payload of "item.Noted" (schema version 1) does not fit its type (event 1 of item/a, position 1)"#;
        assert_eq!(parked[0].letter.error_chain[0], named);

        let (from, by) = ([DlqStatus::Pending], Some("somebody"));
        app.dead_letters()
            .transition(parked[0].letter.id, &from, DlqStatus::Discarded, by, None)
            .await
            .unwrap();
        assert_eq!(retry_first(app).await, RetryOutcome::Resolved);
        pass(app, 5).await;
        assert_eq!(copied(app, "a").await, ["2"]);
        assert_eq!(progress(app).parked_streams, 0);
    });
}

#[test]
fn an_event_that_was_parked_unread_does_not_overtake_the_letters_of_its_instance() {
    live(default_policy(), async |app| {
        append_raw(app, "item/a", "item.Noted", 1, r#"{"n":"many"}"#).await;
        append_raw(app, "item/a", "item.Noted", 1, r#"{"n":2}"#).await;
        pass(app, 5).await;
        let unread = letters(app, DlqStatus::Pending).await.remove(0);
        let instances_own = NewDeadLetter {
            id: DeadLetterId::from_uuid(app.environment().new_id()),
            stream: instance("a"),
            position: None,
            ..unread.letter.clone()
        };
        app.dead_letters().add(instances_own).await.unwrap();
        let (from, by) = ([DlqStatus::Pending], Some("somebody"));
        app.dead_letters().transition(unread.letter.id, &from, DlqStatus::Discarded, by, None).await.unwrap();
        pass(app, 5).await;
        let second = letters(app, DlqStatus::Pending).await;
        let second = second.iter().find(|found| found.letter.stream.as_str() == "item/a").unwrap();
        let retried = app.retry_dead_letter(second.letter.id, "somebody").await.unwrap();
        let RetryOutcome::Failed(why) = retried else { panic!("{retried:?}") };
        assert!(why[0].contains("retry those first"), "{why:?}");
        assert!(copied(app, "a").await.is_empty());
    });
}

/// The process gives its leases up, and an instance with newer code goes on; nothing is parked.
#[test]
fn what_newer_code_wrote_stops_the_process_under_any_policy() {
    let written = [
        ("item/a", "item.Renamed", 1, r#"unknown event type "item.Renamed" (event 1 of item/a, position 1)"#),
        ("item/a", "item.Noted", 9, r#""item.Noted" has schema version 9, newer than 1"#),
        (
            "copied/b",
            "copied.Renamed",
            1,
            r#"unknown event type "copied.Renamed" (event 1 of copied/b, position 1)"#,
        ),
    ];
    for (stream, event_type, schema, why) in written {
        live(default_policy(), async |app| {
            append_raw(app, stream, event_type, schema, r#"{"n":1}"#).await;
            note(app, "b", 1).await;
            pass(app, 5).await;
            assert_eq!(progress(app).state, SubscriptionState::Stopped, "{event_type}");
            let error = progress(app).last_error.unwrap();
            assert!(error.contains(why), "{error}");
            assert!(letters(app, DlqStatus::Pending).await.is_empty());
        });
    }
}

/// Whatever is broken, and wherever the application dies while it parks and retries.
#[test]
fn parked_inputs_are_taken_in_order_once_wherever_the_application_crashes() {
    for seed in 0..100 {
        mend();
        Simulation::run(seed, async |simulation| {
            for _ in 0..3 {
                let life = Life::crashing_after(1 + simulation.below(1_000));
                let what = match simulation.below(3) {
                    0 => "reacting to a",
                    1 => "recording a",
                    _ => "nothing",
                };
                mend();
                broken(what);
                simulation
                    .live(life, async |environment| {
                        let app = start(simulation, environment, default_policy()).await;
                        note_all(&app, 4).await;
                        pass(&app, 10).await;
                        mend();
                        retry_all(&app).await;
                        pass(&app, 10).await;
                    })
                    .await;
            }
            mend();
            let ending = simulation.live(Life::CALM, async |environment| {
                let app = start(simulation, environment, default_policy()).await;
                note_all(&app, 4).await;
                pass(&app, 10).await;
                while retry_all(&app).await > 0 {
                    pass(&app, 5).await;
                }
                pass(&app, 20).await;
                for key in ["a", "b"] {
                    let mut all = copied(&app, key).await;
                    let reminded = all.iter().filter(|what| *what == "reminded").count();
                    all.retain(|what| what != "reminded");
                    assert_eq!((all.join(" ").as_str(), reminded), ("1 2 3 4", 1), "seed {seed}, {key}");
                }
                app.shutdown().await.unwrap();
            });
            assert_eq!(ending.await, Ending::Finished(()), "seed {seed}");
        });
    }
}

/// Crashes at each point of the operations that put work aside, one after the other.
#[test]
fn work_is_among_the_letters_before_its_timer_goes_wherever_the_application_crashes() {
    let crashes_at = |nth: usize| {
        mend();
        let scenario = async |simulation: &Simulation| {
            let mut before = 0..nth;
            simulation.faults().crash_when(move |point| {
                ["add_dead_letter", "remove"].contains(&point.operation) && before.next().is_none()
            });
            broken("recording a");
            let first = simulation.live(Life::CALM, async |environment| {
                let app = start(simulation, environment, default_policy()).await;
                note(&app, "a", 1).await;
                pass(&app, 5).await;
                app.shutdown().await.unwrap();
            });
            let crashed = first.await == Ending::Crashed;
            simulation.faults().calm(true);
            mend();
            let second = simulation.live(Life::CALM, async |environment| {
                let app = start(simulation, environment, default_policy()).await;
                pass(&app, 5).await;
                retry_all(&app).await;
                pass(&app, 20).await;
                assert_eq!(copied(&app, "a").await, ["1", "reminded"], "crashed at point {nth}");
                app.shutdown().await.unwrap();
            });
            assert_eq!(second.await, Ending::Finished(()));
            crashed
        };
        Simulation::run_with(6, |_| Faults::scripted(), scenario)
    };
    assert_eq!((0..9).take_while(|nth| crashes_at(*nth)).count(), 4, "before and after two operations");
}

async fn note_all(app: &Application, last: u32) {
    for n in 1..=last {
        for key in ["a", "b"] {
            // Refused when an earlier life has done it.
            _ = app.execute(key, ItemCommand::Note { n }).await;
        }
    }
}

/// Answers how many letters there were.
async fn retry_all(app: &Application) -> usize {
    let parked = letters(app, DlqStatus::Pending).await;
    for found in &parked {
        app.retry_dead_letter(found.letter.id, "somebody").await.unwrap();
    }
    parked.len()
}
