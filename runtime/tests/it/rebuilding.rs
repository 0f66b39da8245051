//! A rebuild that cannot go on is seen from outside while readers are served by what was there before.

use crate::domain::{Sold, StockCommand, StockEvent, application};
use composable_rust_core::{Environment, Projection, Recorded, Rows};
use composable_rust_projections::SubscriptionState;
use composable_rust_runtime::{Application, ComponentHealth, ComponentStatus};
use composable_rust_testing::simulation::{Ending, Life, Simulation};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How much each stock was filled; while broken it cannot fold any event.
#[derive(Debug, Clone, Default)]
struct Fragile {
    is_broken: Arc<AtomicBool>,
}

impl Projection for Fragile {
    type Event = StockEvent;
    type Row = Sold;
    const NAME: &'static str = "fragile";

    fn project(&self, event: &Recorded<StockEvent>, rows: &mut Rows<Sold>) {
        if self.is_broken.load(Ordering::SeqCst) {
            return rows.update("nothing", |_| {});
        }
        match &event.body {
            StockEvent::Filled { amount } => rows.upsert(
                event.key(),
                || Sold { stock: event.key().clone(), amount: 0 },
                |row| row.amount += amount,
            ),
            StockEvent::Taken { .. } | StockEvent::GivenBack { .. } => {}
        }
    }
}

async fn part(app: &Application) -> ComponentHealth {
    app.health().await.into_iter().find(|part| part.name == "projection:fragile").unwrap()
}

#[test]
fn a_rebuild_that_stopped_is_seen_in_progress_and_health_and_goes_on_when_resumed() {
    let scenario = async |simulation: &Simulation| {
        let life = async |environment: Environment| {
            let fragile = Fragile::default();
            let app = application(simulation, environment).projection(fragile.clone()).start().await.unwrap();
            app.execute("a", StockCommand::Fill { amount: 7 }).await.unwrap();
            let pass = async || app.environment().clock.sleep(Duration::from_secs(3)).await;
            pass().await;

            fragile.is_broken.store(true, Ordering::SeqCst);
            let control = app.projections().iter().find(|control| control.name() == "fragile").unwrap();
            assert_eq!(control.rebuild().await.unwrap(), 2);
            pass().await;
            let progress = app.progress();
            let states: Vec<_> = progress.iter().filter(|one| one.name.contains("fragile")).collect();
            assert_eq!(
                states.iter().map(|one| one.state).collect::<Vec<_>>(),
                [SubscriptionState::Live, SubscriptionState::Stopped],
                "{states:?}"
            );
            let health = part(&app).await;
            assert_eq!(health.status, ComponentStatus::Degraded);
            let detail = health.detail.unwrap();
            assert!(detail.starts_with("the rebuild (generation 2) stopped: "), "{detail}");
            assert_eq!(app.view::<Fragile>().get("a").await.unwrap().unwrap().amount, 7);

            fragile.is_broken.store(false, Ordering::SeqCst);
            control.resume();
            pass().await;
            assert_eq!(control.progress().live_generation, Some(2));
            assert_eq!(part(&app).await.status, ComponentStatus::Healthy);
            app.shutdown().await.unwrap();
        };
        assert_eq!(simulation.live(Life::CALM, life).await, Ending::Finished(()));
    };
    Simulation::run(1, scenario);
}
