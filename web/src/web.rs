//! What all requests of one HTTP service share.

use crate::idempotency::Answers;
use crate::live::Live;
use crate::principal::Authenticator;
use crate::{HttpOptions, InProcessRateLimits, ProblemPages};
use composable_rust_core::port::RateLimits;
use composable_rust_runtime::Application;
use std::sync::{Arc, Weak};

/// What all requests share; every request carries it in its extensions, so extractors work in any router.
#[derive(Debug, Clone)]
pub(crate) struct Web(Arc<Inner>);

/// The same, which does not keep the application.
#[derive(Debug)]
pub(crate) struct WeakWeb(Weak<Inner>);

impl WeakWeb {
    pub(crate) fn upgrade(&self) -> Option<Web> {
        self.0.upgrade().map(Web)
    }
}

#[derive(Debug)]
struct Inner {
    application: Application,
    options: HttpOptions,
    authenticator: Option<Arc<dyn Authenticator>>,
    rate_limits: Arc<dyn RateLimits>,
    problem_pages: Option<Arc<dyn ProblemPages>>,
    answers: Answers,
    live: Live,
    /// A clone for each request that is being answered.
    under_way: Arc<()>,
}

/// What the application may bring of its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ports {
    pub(crate) authenticator: Option<Arc<dyn Authenticator>>,
    pub(crate) rate_limits: Option<Arc<dyn RateLimits>>,
    pub(crate) problem_pages: Option<Arc<dyn ProblemPages>>,
}

impl Web {
    pub(crate) fn new(application: Application, options: HttpOptions, ports: Ports) -> Self {
        let Ports { authenticator, rate_limits, problem_pages } = ports;
        let clock = &application.environment().clock;
        let rate_limits =
            rate_limits.unwrap_or_else(|| Arc::new(InProcessRateLimits::new(Arc::clone(clock))));
        let (answers, live) = (Answers::default(), Live::new(options.live.clone()));
        Self(Arc::new(Inner {
            application,
            options,
            authenticator,
            rate_limits,
            problem_pages,
            answers,
            live,
            under_way: Arc::default(),
        }))
    }

    pub(crate) fn downgrade(&self) -> WeakWeb {
        WeakWeb(Arc::downgrade(&self.0))
    }

    pub(crate) fn application(&self) -> &Application {
        &self.0.application
    }

    pub(crate) fn options(&self) -> &HttpOptions {
        &self.0.options
    }

    pub(crate) fn authenticator(&self) -> Option<&dyn Authenticator> {
        self.0.authenticator.as_deref()
    }

    pub(crate) fn rate_limits(&self) -> &dyn RateLimits {
        &*self.0.rate_limits
    }

    pub(crate) fn problem_pages(&self) -> Option<&dyn ProblemPages> {
        self.0.problem_pages.as_deref()
    }

    pub(crate) fn answers(&self) -> &Answers {
        &self.0.answers
    }

    pub(crate) fn live(&self) -> &Live {
        &self.0.live
    }

    /// Counts a request as long as what is returned lives.
    pub(crate) fn entered(&self) -> Arc<()> {
        Arc::clone(&self.0.under_way)
    }

    /// How many requests are being answered.
    pub(crate) fn under_way(&self) -> usize {
        Arc::strong_count(&self.0.under_way).saturating_sub(1)
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.live.ending.is_cancelled() || self.0.application.is_draining()
    }

    pub(crate) fn drain(&self) {
        self.0.live.end();
    }
}
