//! What a program that was stopped or killed has left behind, opened in this process.

use composable_rust::prelude::*;
use composable_rust::runtime::SystemClock;
use std::path::Path;
use std::sync::Arc;
use ticketing::domain;
use ticketing::payment::gateway::{Ledger, PaymentGateway, SimulatedGateway};

/// The application on the program's data, without HTTP, beside the gateway with its books.
#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) app: Application,
    pub(crate) gateway: Arc<SimulatedGateway>,
}

impl Books {
    /// Opens what is in the program's `folder`.
    pub(crate) async fn open(folder: &Path) -> Self {
        let ledger =
            Ledger::open(&folder.join("data/ticketing.db.gateway.jsonl")).expect("the gateway's books");
        let gateway = Arc::new(SimulatedGateway::new(ledger, Arc::new(SystemClock)));
        let storage = Sqlite::file(folder.join("data/ticketing.db"));
        let port = Arc::clone(&gateway) as Arc<dyn PaymentGateway>;
        let app = domain(&port).storage(storage).start().await.expect("the program's data");
        Self { app, gateway }
    }
}
