//! How an application begins and ends: one shutdown for all who ask, and nothing left of what was given up.

use crate::domain::{Order, Sales, Stock, StockCommand};
use async_trait::async_trait;
use composable_rust_core::Environment;
use composable_rust_core::port::{DeadLetterFilter, OpenStorage, Storage, StoreError};
use composable_rust_runtime::{
    Application, ApplicationBuilder, ApplicationError, ApplicationOptions, BoxError, ExecuteError, Service,
};
use composable_rust_testing::memory::{Fault, Faults, MemoryStorage};
use composable_rust_testing::{TestEnvironment, test_environment};
use futures_util::FutureExt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn builder(control: &TestEnvironment, storage: MemoryStorage) -> ApplicationBuilder {
    Application::builder("test")
        .environment(control.environment.clone())
        .storage(storage)
        .decider::<Stock>()
        .decider::<Order>()
        .projection(Sales)
}

/// Runs `future` on the test's tasks; its result is there when it has ended.
fn begin<T: Send + 'static>(
    control: &TestEnvironment,
    future: impl Future<Output = T> + Send + 'static,
) -> Arc<Mutex<Option<T>>> {
    let result = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&result);
    let run = async move {
        let output = future.await;
        *slot.lock().unwrap() = Some(output);
    };
    control.environment.spawner.spawn("test", run.boxed());
    control.tasks.run();
    result
}

fn end<T>(result: &Mutex<Option<T>>) -> T {
    result.lock().unwrap().take().expect("it has not ended")
}

fn started(control: &TestEnvironment) -> Application {
    let app = end(&begin(control, builder(control, MemoryStorage::new()).start())).unwrap();
    control.tasks.run();
    assert!(control.tasks.names().len() > 1, "{:?}", control.tasks.names());
    app
}

/// Takes a second to stop; never starts when told so.
#[derive(Default)]
struct Slow {
    application: Option<Application>,
    never_starts: bool,
    stops: Arc<AtomicU32>,
}

#[async_trait]
impl Service for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    async fn start(&mut self, application: &Application) -> Result<(), BoxError> {
        self.application = Some(application.clone());
        if self.never_starts {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    async fn stop(&mut self, _: Duration) {
        self.stops.fetch_add(1, Ordering::SeqCst);
        if let Some(application) = self.application.take() {
            application.environment().clock.sleep(SECOND).await;
        }
    }
}

#[test]
fn two_shutdowns_at_once_and_one_that_was_dropped_are_one() {
    let control = test_environment();
    let mut builder = builder(&control, MemoryStorage::new());
    let stops = Arc::clone(&builder.service_mut::<Slow>().stops);
    let app = end(&begin(&control, builder.start())).unwrap();

    assert!(app.shutdown().now_or_never().is_none(), "the service takes its time");
    control.tasks.run();
    assert_eq!(stops.load(Ordering::SeqCst), 1, "a dropped caller does not stop it");
    let callers = [(); 2].map(|()| {
        let app = app.clone();
        begin(&control, async move { app.shutdown().await })
    });
    assert!(
        callers.iter().all(|caller| caller.lock().unwrap().is_none()),
        "nobody is answered before the end"
    );
    control.advance(SECOND);
    control.tasks.run();
    assert!(callers.iter().all(|caller| end(caller).is_ok()));
    assert_eq!(stops.load(Ordering::SeqCst), 1);
    assert!(
        end(&begin(&control, async move { app.shutdown().await })).is_ok(),
        "nor does a late one find another"
    );
    assert_eq!(control.tasks.names(), [""; 0]);
}

#[test]
fn a_start_that_fails_leaves_no_task() {
    let control = test_environment();
    let faults = Faults::scripted();
    faults.fail_next("live_generation");
    let storage = MemoryStorage::new().with_faults(faults);
    let failed = end(&begin(&control, builder(&control, storage).start()));
    assert!(matches!(failed, Err(ApplicationError::Storage(_))), "{failed:?}");
    control.tasks.run();
    assert_eq!(control.tasks.names(), [""; 0]);
}

#[test]
fn a_start_that_is_dropped_leaves_no_task() {
    let control = test_environment();
    let mut builder = builder(&control, MemoryStorage::new());
    builder.service_mut::<Slow>().never_starts = true;
    let start = Box::pin(builder.start());
    assert!(start.now_or_never().is_none());
    control.tasks.run();
    assert_eq!(control.tasks.names(), [""; 0]);
}

#[test]
fn an_application_whose_last_handle_is_dropped_stops() {
    let control = test_environment();
    let app = started(&control);
    let clone = app.clone();
    drop(app);
    control.tasks.run();
    assert!(!control.tasks.names().is_empty(), "a clone keeps it");
    drop(clone);
    control.tasks.run();
    assert_eq!(control.tasks.names(), [""; 0]);
}

#[test]
fn what_is_asked_of_an_application_after_its_shutdown_is_refused_in_words() {
    let control = test_environment();
    let app = started(&control);
    let asked = app.clone();
    let filled = async move { asked.execute("a", StockCommand::Fill { amount: 1 }).await.map(drop) };
    end(&begin(&control, filled)).unwrap();
    let closing = app.clone();
    end(&begin(&control, async move { closing.shutdown().await })).unwrap();

    let loading = app.clone();
    let loaded = end(&begin(&control, async move { loading.load::<Stock>("a").await.map(drop) }));
    assert!(matches!(loaded, Err(ExecuteError::Draining)), "{loaded:?}");
    let sales = app.projections()[0].clone();
    let rebuilt = end(&begin(&control, async move { sales.rebuild().await })).unwrap_err();
    let cause = std::error::Error::source(&rebuilt).unwrap().to_string();
    assert!(cause.contains("shut down"), "{cause}");
    let all = DeadLetterFilter::default();
    let retried = end(&begin(&control, async move { app.retry_dead_letters(&all, "me").await })).unwrap_err();
    let cause = std::error::Error::source(&retried).unwrap().to_string();
    assert!(cause.contains("shut down"), "{cause}");
}

/// Never stops.
#[derive(Default)]
struct Stubborn;

#[async_trait]
impl Service for Stubborn {
    fn name(&self) -> &'static str {
        "stubborn"
    }

    async fn start(&mut self, _: &Application) -> Result<(), BoxError> {
        Ok(())
    }

    async fn stop(&mut self, _: Duration) {
        std::future::pending::<()>().await;
    }
}

/// Storage that somebody holds open, so that it never closes.
#[derive(Debug)]
struct Held(MemoryStorage);

#[async_trait]
impl OpenStorage for Held {
    async fn open(&self, environment: &Environment) -> Result<Storage, StoreError> {
        let storage = self.0.open(environment).await?;
        Ok(Storage { close: Arc::new(|| std::future::pending().boxed()), ..storage })
    }
}

/// What was late after all the time that the options give, and the second that a service and the storage have then.
fn late_after(control: &TestEnvironment, builder: ApplicationBuilder) -> Vec<String> {
    let options = ApplicationOptions { drain_timeout: SECOND * 2, ..ApplicationOptions::default() };
    let app = end(&begin(control, builder.options(options).start())).unwrap();
    let ended = begin(control, async move { app.shutdown().await });
    for _ in 0..4 {
        assert!(control.tasks.names().contains(&"shutdown"), "it ends too soon");
        control.advance(SECOND);
        control.tasks.run();
        if ended.lock().unwrap().is_some() {
            break;
        }
    }
    match end(&ended) {
        Err(ApplicationError::DrainTimeout(late)) => late,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_shutdown_waits_for_the_commands_under_way_as_long_as_it_may_and_names_them() {
    for (takes, is_late) in [(1, false), (10, true)] {
        let control = test_environment();
        let faults = Faults::scripted();
        let storage = MemoryStorage::new().with_faults(faults.clone());
        let options = ApplicationOptions { drain_timeout: SECOND * 2, ..ApplicationOptions::default() };
        let app = end(&begin(&control, builder(&control, storage).options(options).start())).unwrap();
        control.tasks.run();
        faults.next("append", Fault::Delay(SECOND * takes));
        let asked = app.clone();
        let filling = async move { asked.execute("a", StockCommand::Fill { amount: 1 }).await.map(drop) };
        let filled = begin(&control, filling);
        let shutdown = begin(&control, async move { app.shutdown().await });
        assert!(shutdown.lock().unwrap().is_none(), "a command is under way");
        control.advance(SECOND);
        assert_eq!(shutdown.lock().unwrap().is_some(), !is_late);
        control.advance(SECOND * 4);
        match end(&shutdown) {
            Ok(()) => assert!(!is_late && end(&filled).is_ok()),
            Err(ApplicationError::DrainTimeout(late)) => assert!(is_late && late == ["commands"], "{late:?}"),
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_service_that_never_stops_is_named_and_keeps_nobody_from_ending() {
    let control = test_environment();
    let mut builder = builder(&control, MemoryStorage::new());
    builder.service_mut::<Stubborn>();
    assert_eq!(late_after(&control, builder), ["stubborn"]);
    assert_eq!(control.tasks.names(), [""; 0], "what comes after the service has ended all the same");
}

#[test]
fn storage_that_never_closes_is_named_and_keeps_nobody_from_ending() {
    let control = test_environment();
    let storage = Held(MemoryStorage::new());
    let builder = Application::builder("test").environment(control.environment.clone()).storage(storage);
    assert_eq!(late_after(&control, builder.decider::<Stock>()), ["storage"]);
}
