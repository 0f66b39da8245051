//! When books are compared, and what was found the last time.

use super::Mismatch;
use super::books::compare;
use crate::payment::PaymentGateway;
use composable_rust::prelude::*;
use composable_rust::runtime::resilience::Circuits;
use composable_rust::runtime::{BoxError, Service};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long between two looks.
const EVERY: Duration = Duration::from_mins(5);

/// Compares the books again and again as long as the application runs. Found by `app.get::<Reconciliation>()`.
#[derive(Debug, Clone, Default)]
pub struct Reconciliation {
    last: Arc<Mutex<Report>>,
}

/// What was found.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Report {
    /// When it was looked last; nothing before the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    checked_at: Option<Timestamp>,
    /// How many payments were compared.
    compared: u64,
    /// What two looks in a row have found. What only the last one has found may just be under way.
    mismatches: Vec<Mismatch>,
    #[serde(skip)]
    suspects: Vec<Mismatch>,
}

/// The part of the application that does it.
#[derive(Debug, Default)]
pub(crate) struct ReconciliationService {
    pub(crate) gateway: Option<Arc<dyn PaymentGateway>>,
    /// Ends it when dropped.
    running: Option<oneshot::Sender<()>>,
}

impl Reconciliation {
    /// The newest report.
    pub fn report(&self) -> Report {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks once; when a book cannot be read, the last report stays.
    async fn look(&self, app: &Application, gateway: &dyn PaymentGateway) {
        let Ok(found) = compare(app, gateway).await else { return };
        let before = self.report();
        let is_old = |mismatch: &&Mismatch| before.suspects.contains(mismatch);
        let mismatches: Vec<_> = found.mismatches.iter().filter(is_old).cloned().collect();
        for mismatch in mismatches.iter().filter(|mismatch| !before.mismatches.contains(mismatch)) {
            let Mismatch { payment, difference, ours, gateway } = mismatch;
            let shown = |money: &Option<crate::shared::Money>| money.map(|money| money.to_string());
            let (ours, gateway) = (shown(ours), shown(gateway));
            tracing::error!(%payment, %difference, ours, gateway, "the gateway's books differ from ours");
        }
        let report = Report {
            checked_at: Some(app.environment().now()),
            compared: found.compared,
            mismatches,
            suspects: found.mismatches,
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = report;
    }
}

impl Report {
    /// What differs for certain.
    pub fn mismatches(&self) -> &[Mismatch] {
        &self.mismatches
    }
}

#[async_trait]
impl Service for ReconciliationService {
    fn name(&self) -> &'static str {
        "reconciliation"
    }

    async fn start(&mut self, application: &Application) -> Result<(), BoxError> {
        let Some(gateway) = self.gateway.clone() else { return Ok(()) };
        if let (Some(circuits), Some(circuit)) = (application.get::<Circuits>(), gateway.circuit()) {
            circuits.add(circuit.clone());
        }
        let reconciliation = Reconciliation::default();
        application.put(reconciliation.clone());
        let (running, mut stopped) = oneshot::channel();
        let app = application.clone();
        let looking = async move {
            loop {
                tokio::select! {
                    biased;
                    _ = &mut stopped => return,
                    () = app.environment().clock.sleep(EVERY) => {}
                }
                tokio::select! {
                    biased;
                    _ = &mut stopped => return,
                    () = reconciliation.look(&app, &*gateway) => {}
                }
            }
        };
        application.environment().spawner.spawn("reconciliation", Box::pin(looking));
        self.running = Some(running);
        Ok(())
    }

    async fn stop(&mut self, _: Duration) {
        self.running = None;
    }
}
