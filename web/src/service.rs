//! The HTTP side as a part of an application: declared on its builder, started last and stopped first.

use crate::server::{Server, bind};
use crate::web::{Ports, WeakWeb};
use crate::{
    Authenticator, HttpOptions, OpenApi, Problem, ProblemPages, Routes, Web, extract, health, idempotency,
    layer, metrics, openapi, rate_limit,
};
use async_trait::async_trait;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use composable_rust_core::port::RateLimits;
use composable_rust_runtime::{Application, ApplicationBuilder, BoxError, Finding, Service};
use futures_util::FutureExt;
use std::any::Any;
use std::fmt;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use tokio::sync::oneshot;
use tower::ServiceExt;

/// Where the application listens, for `app.get::<Listening>()` once it has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// The bound address; its port is never 0.
    pub address: SocketAddr,
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.address)
    }
}

/// Takes requests without a socket, through everything that a request from outside passes; for simulations and tests.
/// Found by `app.get::<InProcess>()` once the application has started.
#[derive(Clone)]
pub struct InProcess {
    /// A task keeps it: the application that is kept by its routes must not keep them itself.
    router: Weak<Router>,
}

/// Shows the routes.
impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").field("router", &self.router.upgrade()).finish()
    }
}

impl InProcess {
    /// Answers one request; with 503 `draining` after the application has ended.
    ///
    /// # Cancel safety
    /// Dropping the future is like a client that went away.
    pub async fn answer(&self, request: Request) -> Response {
        let Some(router) = self.router.upgrade() else { return Problem::draining().into_response() };
        match Router::clone(&router).oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// Adds an HTTP side to an application.
///
/// ```
/// use axum::{Router, routing::get};
/// use composable_rust_runtime::Application;
/// use composable_rust_web::{HttpOptions, WebExt};
///
/// let routes = Router::new().route("/api/hello", get(async || "hello"));
/// let builder = Application::builder("hello").http(HttpOptions::default()).routes(routes);
/// ```
pub trait WebExt: Sized {
    /// Where to listen and what to allow; without it the defaults of [`HttpOptions`].
    #[must_use]
    fn http(self, options: HttpOptions) -> Self;

    /// Adds routes; handlers take the application as `State<Application>`.
    #[must_use]
    fn routes(self, routes: impl Into<Routes>) -> Self;

    /// Describes the API at `/api-docs/openapi.json` and `/docs`: all that is in [`Routes`].
    #[must_use]
    fn openapi(self, api: OpenApi) -> Self;

    /// How tokens become principals; without it everybody is anonymous.
    #[must_use]
    fn authenticator(self, authenticator: impl Authenticator + 'static) -> Self;

    /// Where requests are counted for [`HttpOptions::rate_limits`]; without it in this process.
    #[must_use]
    fn rate_limits(self, limits: impl RateLimits + 'static) -> Self;

    /// What people see of problems; without it they see the JSON text.
    #[must_use]
    fn problem_pages(self, pages: impl ProblemPages + 'static) -> Self;
}

impl WebExt for ApplicationBuilder {
    fn http(mut self, options: HttpOptions) -> Self {
        self.service_mut::<HttpService>().options = options;
        self
    }

    fn routes(mut self, routes: impl Into<Routes>) -> Self {
        self.service_mut::<HttpService>().routes.push(routes.into());
        self
    }

    fn openapi(mut self, api: OpenApi) -> Self {
        self.service_mut::<HttpService>().api = Some(api);
        self
    }

    fn authenticator(mut self, authenticator: impl Authenticator + 'static) -> Self {
        self.service_mut::<HttpService>().ports.authenticator = Some(Arc::new(authenticator));
        self
    }

    fn rate_limits(mut self, limits: impl RateLimits + 'static) -> Self {
        self.service_mut::<HttpService>().ports.rate_limits = Some(Arc::new(limits));
        self
    }

    fn problem_pages(mut self, pages: impl ProblemPages + 'static) -> Self {
        self.service_mut::<HttpService>().ports.problem_pages = Some(Arc::new(pages));
        self
    }
}

/// The HTTP side of an application; declared through [`WebExt`].
#[derive(Debug, Default)]
pub struct HttpService {
    options: HttpOptions,
    routes: Vec<Routes>,
    api: Option<OpenApi>,
    ports: Ports,
    merged: OnceLock<Result<Router<Application>, String>>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    server: Option<Server>,
    /// Kept by the routes; as long as they are.
    web: WeakWeb,
    /// Ends the task that keeps the routes.
    _routes: oneshot::Sender<()>,
    /// Ends when the service stops.
    _recording: Option<metrics::Recording>,
}

impl HttpService {
    /// All routes in one router; an overlap is the text of axum's panic, which is its only way to say so.
    fn merge(&self) -> Result<Router<Application>, String> {
        let merge = || {
            let own = if self.options.metrics { metrics::routes() } else { Routes::new() };
            let Routes { router, operations } = self.routes.iter().cloned().fold(own, Routes::merge);
            let described = self.api.as_ref().map(|api| {
                let probes = health::routes().operations;
                openapi::serve(api.clone(), [operations, probes].concat())
            });
            let router = described.into_iter().fold(router, Router::merge);
            drop(router.clone().merge(health::routes().router));
            router
        };
        catch_unwind(AssertUnwindSafe(merge)).map_err(|panic| text_of(panic.as_ref()))
    }
}

#[async_trait]
impl Service for HttpService {
    fn name(&self) -> &'static str {
        "http"
    }

    fn check(&self) -> Vec<Finding> {
        let overlap = self.merged.get_or_init(|| self.merge()).as_ref().err();
        let fix = "give each path and method to one `.routes(…)` only";
        let overlap = overlap.map(|text| Finding::new(format!("routes overlap: {text}"), fix));
        let origin = layer::bad_origin(&self.options.cors_origins);
        let origin = origin.map(|origin| {
            let fix = "write scheme, host and port as a browser sends them, such as https://shop.example";
            Finding::new(format!("{origin:?} is no origin"), fix)
        });
        let examples = self.api.as_ref().and_then(OpenApi::fault).map(|fault| {
            Finding::new(format!("the examples of the API cannot be read: {fault}"), "record them again")
        });
        overlap.into_iter().chain(origin).chain(examples).collect()
    }

    async fn start(&mut self, application: &Application) -> Result<(), BoxError> {
        let web = Web::new(application.clone(), self.options.clone(), self.ports.clone());
        let merged = self.merged.take().unwrap_or_else(|| self.merge());
        let router = stack(merged?, &web);
        let recording =
            self.options.metrics.then(|| metrics::record(application.environment())).transpose()?;
        let keeper = keep(router.clone(), application);
        let server = if self.options.listens { Some(self.listen(application, router).await?) } else { None };
        let web = web.downgrade();
        self.running = Some(Running { server, web, _routes: keeper, _recording: recording });
        Ok(())
    }

    async fn stop(&mut self, timeout: Duration) {
        let Some(Running { server, web, _routes, _recording }) = self.running.take() else { return };
        let Some(web) = web.upgrade() else { return };
        web.drain();
        let deadline = web.application().environment().clock.sleep(timeout).shared();
        if let Some(server) = server {
            let requests = web.under_way();
            tracing::info!(requests, "draining: waiting for the requests under way");
            server.stop(deadline.clone()).await;
        }
        let finished = async {
            web.live().sockets.wait().await;
            web.answers().saved().await;
        };
        tokio::select! {
            biased;
            () = finished => {}
            () = deadline => {}
        }
    }
}

impl HttpService {
    async fn listen(&self, application: &Application, router: Router) -> Result<Server, BoxError> {
        let (listener, address) = bind(self.options.address).await.map_err(|error| {
            format!(
                "cannot listen on {} ({error}): stop what listens there, or choose another address or port",
                self.options.address
            )
        })?;
        let server = Server::start(listener, router, self.options.clone(), application.environment());
        application.put(Listening { address });
        tracing::info!("listening on http://{address}");
        Ok(server)
    }
}

/// Keeps the routes in a task, which ends with what is answered here or with the application's tasks: so an application
/// that was dropped with all its tasks, as in a simulated crash, is freed although its routes name it.
fn keep(router: Router, application: &Application) -> oneshot::Sender<()> {
    let router = Arc::new(router);
    application.put(InProcess { router: Arc::downgrade(&router) });
    let (keeper, ended) = oneshot::channel();
    let keeping = async move {
        _ = ended.await;
        drop(router);
    };
    application.environment().spawner.spawn("http.routes", keeping.boxed());
    keeper
}

/// Routes within everything that happens to each request; the last layer is the outermost. Read from the end, this is
/// the order that the crate's documentation lists.
fn stack(routes: Router<Application>, web: &Web) -> Router {
    let options = web.options();
    let probes = health::routes().router.method_not_allowed_fallback(layer::not_here);
    let mut service = routes
        .fallback(layer::not_found)
        .method_not_allowed_fallback(layer::not_here)
        .layer(DefaultBodyLimit::max(options.body_limit))
        .layer(from_fn(extract::known_parameters))
        .layer(from_fn_with_state(web.clone(), idempotency::idempotency))
        .layer(from_fn_with_state(web.clone(), rate_limit::limited))
        .layer(from_fn_with_state(web.clone(), layer::authenticate))
        .layer(from_fn_with_state(web.clone(), layer::same_site))
        .layer(from_fn_with_state(web.clone(), layer::intake))
        .merge(probes)
        .layer(from_fn_with_state(web.clone(), layer::bounded));
    if let Some(cors) = layer::cors(&options.cors_origins) {
        service = service.layer(cors);
    }
    service = service.layer(from_fn_with_state(web.clone(), layer::scope));
    if options.compression {
        service = service.layer(layer::compression());
    }
    service.with_state(web.application().clone())
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "axum refused them".to_owned())
}
