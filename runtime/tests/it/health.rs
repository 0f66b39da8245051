//! What health says when a part of the store fails: the truth, with a reason, and no longer than it is true.

use crate::domain::{StockCommand, application};
use composable_rust_core::Environment;
use composable_rust_core::port::OpenStorage;
use composable_rust_runtime::{Application, ComponentHealth, ComponentStatus};
use composable_rust_testing::memory::Faults;
use composable_rust_testing::simulation::{Ending, Life, Simulation};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Runs `body` with a plan of faults, in virtual time.
fn with_faults(body: impl AsyncFnOnce(&Simulation, Environment, Faults)) {
    let scenario = async |simulation: &Simulation| {
        let life =
            async |environment: Environment| body(simulation, environment, simulation.faults().clone()).await;
        assert_eq!(simulation.live(Life::CALM, life).await, Ending::Finished(()));
    };
    Simulation::run_with(1, |_| Faults::scripted(), scenario);
}

async fn part(app: &Application, name: &str) -> ComponentHealth {
    app.health().await.into_iter().find(|part| part.name == name).unwrap()
}

async fn pass(app: &Application, time: Duration) {
    app.environment().clock.sleep(time).await;
}

async fn fill(app: &Application) -> bool {
    app.execute("a", StockCommand::Fill { amount: 1 }).await.is_ok()
}

#[test]
fn a_store_that_takes_no_events_is_unhealthy_until_it_takes_one() {
    with_faults(async |simulation, environment, faults| {
        let app = application(simulation, environment).start().await.unwrap();
        faults.fail_next("append");
        assert!(!fill(&app).await);
        // A command that is refused only checks a version; that it can be read says nothing about writing.
        let order = "o".to_owned();
        app.execute("a", StockCommand::Take { order, amount: 9 }).await.unwrap_err();
        for _ in 0..2 {
            faults.fail_next("append");
            let store = part(&app, "event_store").await;
            assert!(store.critical && store.status == ComponentStatus::Unhealthy, "{store:?}");
            assert!(store.detail.clone().unwrap().contains("cannot be written"), "{store:?}");
        }
        let seen = app.events().signal().position();
        let store = part(&app, "event_store").await;
        assert_eq!(store.status, ComponentStatus::Healthy, "the check itself found out: {store:?}");
        assert_eq!(app.events().signal().position(), seen, "and wrote no event");

        faults.fail_next("append");
        assert!(!fill(&app).await);
        assert!(fill(&app).await);
        faults.fail_next("append");
        let store = part(&app, "event_store").await;
        assert_eq!(
            store.status,
            ComponentStatus::Healthy,
            "a command found out, so nothing is tried: {store:?}"
        );
    });
}

#[test]
fn a_view_whose_rows_cannot_be_written_is_degraded_with_the_reason() {
    with_faults(async |simulation, environment, faults| {
        let app = application(simulation, environment).start().await.unwrap();
        // First while it takes over, then while it follows.
        for _ in 0..2 {
            (0..8).for_each(|_| faults.fail_next("commit"));
            assert!(fill(&app).await);
            pass(&app, SECOND).await;
            let view = part(&app, "projection:sales").await;
            assert_eq!(view.status, ComponentStatus::Degraded, "{view:?}");
            assert!(view.detail.clone().unwrap().contains("commit"), "{view:?}");
            pass(&app, 60 * SECOND).await;
            let view = part(&app, "projection:sales").await;
            assert_eq!(view.status, ComponentStatus::Healthy, "{view:?}");
        }
    });
}

#[test]
fn a_lease_that_cannot_be_asked_for_is_degraded_with_the_reason() {
    with_faults(async |simulation, environment, faults| {
        let storage = simulation.storage().open(&environment).await.unwrap();
        storage.leases.acquire("relay", "dead", SECOND).await.unwrap().unwrap();
        let app = application(simulation, environment).start().await.unwrap();
        (0..6).for_each(|_| faults.fail_next("acquire"));
        pass(&app, 2 * SECOND).await;
        let relay = part(&app, "relay").await;
        assert_eq!(relay.status, ComponentStatus::Degraded, "{relay:?}");
        assert!(relay.detail.clone().unwrap().contains("acquire"), "{relay:?}");
        pass(&app, 60 * SECOND).await;
        assert_eq!(part(&app, "relay").await.status, ComponentStatus::Healthy);
    });
}

#[test]
fn waiting_for_a_lease_whose_holder_does_nothing_is_degraded_with_the_reason() {
    with_faults(async |simulation, environment, _| {
        let storage = simulation.storage().open(&environment).await.unwrap();
        storage.leases.acquire("relay", "stuck", 600 * SECOND).await.unwrap().unwrap();
        let app = application(simulation, environment).start().await.unwrap();
        pass(&app, 30 * SECOND).await;
        let relay = part(&app, "relay").await;
        assert_eq!(relay.status, ComponentStatus::Healthy, "there is nothing to do: {relay:?}");
        assert!(fill(&app).await);
        pass(&app, 4 * SECOND).await;
        let relay = part(&app, "relay").await;
        assert_eq!(relay.status, ComponentStatus::Healthy, "its lease may still end: {relay:?}");
        pass(&app, 3 * SECOND).await;
        let relay = part(&app, "relay").await;
        assert_eq!(relay.status, ComponentStatus::Degraded, "{relay:?}");
        assert!(relay.detail.clone().unwrap().contains("nobody has worked for"), "{relay:?}");
    });
}

#[test]
fn an_instance_that_stands_by_beside_a_working_one_is_healthy() {
    with_faults(async |simulation, environment, _| {
        let working = application(simulation, environment.clone()).start().await.unwrap();
        pass(&working, SECOND).await;
        let standby = application(simulation, environment).start().await.unwrap();
        for _ in 0..30 {
            assert!(fill(&working).await);
            pass(&working, SECOND).await;
            let ill: Vec<_> =
                standby.health().await.into_iter().filter(|part| part.detail.is_some()).collect();
            assert!(ill.is_empty(), "{ill:?}");
        }
    });
}
