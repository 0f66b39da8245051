//! The contracts of the ports, under names of their own for each case.

use crate::support::{connect, url};
use composable_rust_core::port::{Cache, RateLimits, Sessions};
use composable_rust_testing::contract::TimedSubject;
use std::sync::Arc;
use std::time::Duration;

/// Waits by the server's clock: it holds the answer back for so long.
async fn pass(duration: Duration) {
    let client = redis::Client::open(url()).unwrap();
    let patient = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    let mut line = client.get_multiplexed_async_connection_with_config(&patient).await.unwrap();
    let wait = redis::cmd("BLPOP").arg("nobody-pushes-here").arg(duration.as_secs_f64()).to_owned();
    wait.query_async::<()>(&mut line).await.unwrap();
}

fn subject<P: ?Sized>(port: Arc<P>) -> TimedSubject<P> {
    TimedSubject::new(port, |duration| Box::pin(pass(duration)))
}

async fn fresh_limits() -> TimedSubject<dyn RateLimits> {
    subject(Arc::new(connect().await.rate_limits()))
}

async fn fresh_cache() -> TimedSubject<dyn Cache> {
    subject(Arc::new(connect().await.cache()))
}

async fn fresh_sessions() -> TimedSubject<dyn Sessions> {
    subject(Arc::new(connect().await.sessions()))
}

mod rate_limits {
    composable_rust_testing::rate_limits_contract!(super::fresh_limits);
}

mod cache {
    composable_rust_testing::cache_contract!(super::fresh_cache);
}

mod sessions {
    composable_rust_testing::sessions_contract!(super::fresh_sessions);
}
