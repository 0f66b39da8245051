//! Routes that remember what they are.

use super::document::OpenApi;
use super::operation::Operation;
use super::{Described, page};
use crate::CacheControl;
use crate::extract::no_body;
use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{Method, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{Html, IntoResponse};
use axum::routing::{self, MethodRouter, Route};
use bytes::Bytes;
use composable_rust_runtime::Application;
use schemars::JsonSchema;
use std::convert::Infallible;
use std::sync::{Arc, LazyLock};
use tower::{Layer, Service};

/// Routes that show in the API's description: axum's router, and what it takes and answers.
///
/// ```
/// use composable_rust_web::{Routes, axum::Json, get};
/// let routes = Routes::new().route("/api/hello", get(async || Json("hello")).about("Greets"));
/// ```
///
/// A POST, PUT or DELETE whose handler takes no body, as its arguments tell, refuses one as strictly as a
/// [`JsonBody`](crate::JsonBody) with no fields: nobody believes that he was heard. A handler whose own extractor reads
/// the body says so in its [`Describes`](crate::Describes), with `Operation::body`.
///
/// Where nothing is to be described, a plain `Router` serves as well.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    pub(crate) router: Router<Application>,
    pub(crate) operations: Vec<(String, Operation)>,
}

/// The methods of one path; begun by [`get`], [`post`], [`put`] or [`delete`].
#[derive(Debug, Clone)]
pub struct Endpoint {
    methods: MethodRouter<Application>,
    operations: Vec<Operation>,
}

impl Routes {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the methods of one path, which reads `/events/{id}`.
    #[must_use]
    pub fn route(mut self, path: &str, endpoint: Endpoint) -> Self {
        self.router = self.router.route(path, endpoint.methods);
        self.operations.extend(endpoint.operations.into_iter().map(|operation| (path.to_owned(), operation)));
        self
    }

    /// With a layer around all routes so far, such as an `Extension`.
    #[must_use]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.router = self.router.layer(layer);
        self
    }

    /// With all of another.
    #[must_use]
    pub fn merge(mut self, other: impl Into<Self>) -> Self {
        let other = other.into();
        self.router = self.router.merge(other.router);
        self.operations.extend(other.operations);
        self
    }
}

/// Routes that nothing is told about.
impl From<Router<Application>> for Routes {
    fn from(router: Router<Application>) -> Self {
        Self { router, operations: Vec::new() }
    }
}

macro_rules! methods {
    ($($name:ident $method:ident $of:literal,)*) => {
        $(
            #[doc = concat!("Answers ", $of, " with a handler that is described by its arguments.")]
            pub fn $name<H, T, D>(handler: H) -> Endpoint
            where
                H: Handler<T, Application> + Described<D>,
                T: 'static,
            {
                let methods = MethodRouter::new();
                Endpoint { methods, operations: Vec::new() }.$name(handler)
            }
        )*

        impl Endpoint {
            $(
                #[doc = concat!("Answers ", $of, " as well.")]
                #[must_use]
                pub fn $name<H, T, D>(mut self, handler: H) -> Self
                where
                    H: Handler<T, Application> + Described<D>,
                    T: 'static,
                {
                    let mut operation = Operation::new(Method::$method);
                    H::describe(&mut operation);
                    self.methods = if operation.refuses_body() {
                        let strict = MethodRouter::new().$name(handler).route_layer(from_fn(no_body));
                        self.methods.merge(strict)
                    } else {
                        self.methods.$name(handler)
                    };
                    self.operations.push(operation);
                    self
                }
            )*
        }
    };
}

methods! {
    get GET "GET",
    post POST "POST",
    put PUT "PUT",
    delete DELETE "DELETE",
}

impl Endpoint {
    /// Says in a few words what the method that was named last does.
    #[must_use]
    pub fn about(self, text: &'static str) -> Self {
        self.said(|operation| operation.about = text)
    }

    /// Says with which codes the method that was named last refuses, besides those that its arguments tell.
    #[must_use]
    pub fn refuses(self, status: StatusCode, codes: &[&'static str]) -> Self {
        self.said(|operation| operation.refuses(status, codes))
    }

    /// Says that the method that was named last may succeed with this status, where its answer does not tell; say each.
    #[must_use]
    pub fn succeeds(self, status: StatusCode) -> Self {
        self.said(|operation| operation.succeeds(status))
    }

    /// Says that the method that was named last answers `T` as JSON, where its handler answers a text that it has written.
    #[must_use]
    pub fn answers<T: JsonSchema>(self) -> Self {
        self.said(Operation::answers::<T>)
    }

    /// Says that the method that was named last answers this media type.
    #[must_use]
    pub fn answers_text(self, media: &'static str) -> Self {
        self.said(|operation| operation.answers_text(media))
    }

    pub(crate) fn said(mut self, say: impl FnOnce(&mut Operation)) -> Self {
        if let Some(operation) = self.operations.last_mut() {
            say(operation);
        }
        self
    }

    /// With a layer around the methods so far, such as [`body_limit`](crate::body_limit).
    #[must_use]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.methods = self.methods.layer(layer);
        self
    }
}

/// `/api-docs/openapi.json` and `/docs`, of these operations. Both are made when somebody first asks for one of them: a
/// start does not wait for what it may never need.
pub(crate) fn serve(api: OpenApi, operations: Vec<(String, Operation)>) -> Router<Application> {
    let written = Arc::new(LazyLock::new(move || {
        let document = api.document(&operations);
        [document.to_string(), page::html(&document)].map(Bytes::from)
    }));
    let (json, html) = (Arc::clone(&written), written);
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Router::new()
        .route(
            "/api-docs/openapi.json",
            routing::get(async move || (kind, CacheControl::REVALIDATE, json[0].clone())),
        )
        .route("/docs", routing::get(async move || (CacheControl::REVALIDATE, Html(html[1].clone()))))
        .merge(crate::assets(&page::FILES))
}
