//! The contracts of the ports that several instances share, on what one process keeps for itself.

use composable_rust_core::port::{Cache, Sessions};
use composable_rust_core::{Clock, FixedClock};
use composable_rust_runtime::{InProcessCache, InProcessSessions};
use composable_rust_testing::contract::TimedSubject;
use std::sync::Arc;

fn on_a_clock<P: ?Sized>(make: impl FnOnce(Arc<dyn Clock>) -> Arc<P>) -> TimedSubject<P> {
    let clock = FixedClock::at("2026-01-01T00:00:00Z".parse().unwrap());
    TimedSubject::new(make(Arc::new(clock.clone())), move |duration| {
        clock.advance(duration);
        Box::pin(std::future::ready(()))
    })
}

async fn cache_subject() -> TimedSubject<dyn Cache> {
    on_a_clock(|clock| Arc::new(InProcessCache::new(clock, 1_000_000)) as Arc<dyn Cache>)
}

async fn sessions_subject() -> TimedSubject<dyn Sessions> {
    on_a_clock(|clock| Arc::new(InProcessSessions::new(clock)) as Arc<dyn Sessions>)
}

mod cache {
    composable_rust_testing::cache_contract!(super::cache_subject);
}

mod sessions {
    composable_rust_testing::sessions_contract!(super::sessions_subject);
}
