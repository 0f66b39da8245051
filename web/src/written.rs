//! Answers that carry a version: `ETag: "<version>"` and `X-Position`.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use composable_rust_core::{Decider, Position, StreamVersion};
use composable_rust_runtime::{Acknowledged, Loaded, Receipt};
use serde::Serialize;

/// What knows the version of an aggregate: the receipt of a command, a loaded state, or, of one part of a command over
/// several aggregates, the pair of its version and the receipt's position.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the version of one aggregate",
    label = "this has no one version",
    note = "an answer is about one aggregate: a `Receipt`, an `Acknowledged` or a `Loaded`",
    note = "of a receipt of `execute_all`, give the part that the answer is about: `&(receipt.parts.0.version, receipt.position)`"
)]
pub trait Versioned {
    /// The aggregate's version.
    fn version(&self) -> StreamVersion;

    /// The position of what was written; a read has none.
    fn position(&self) -> Option<Position>;
}

impl<D: Decider> Versioned for Receipt<D> {
    fn version(&self) -> StreamVersion {
        self.version
    }

    fn position(&self) -> Option<Position> {
        Some(self.position)
    }
}

impl<D: Decider> Versioned for Acknowledged<D> {
    fn version(&self) -> StreamVersion {
        self.version
    }

    fn position(&self) -> Option<Position> {
        Some(self.position)
    }
}

impl<D> Versioned for Loaded<D> {
    fn version(&self) -> StreamVersion {
        self.version
    }

    fn position(&self) -> Option<Position> {
        None
    }
}

/// One part of a command over several aggregates: its version, and the position of the whole.
impl Versioned for (StreamVersion, Position) {
    fn version(&self) -> StreamVersion {
        self.0
    }

    fn position(&self) -> Option<Position> {
        Some(self.1)
    }
}

/// An answer about one aggregate at a known version.
///
/// The `ETag` is what a later `If-Match` names; `X-Position` is what a later `X-Min-Position` asks a list to show.
#[derive(Debug, Clone)]
pub struct Written<T> {
    status: StatusCode,
    version: StreamVersion,
    position: Option<Position>,
    body: Option<T>,
}

/// A [`Written`] with the address of what was made: 201.
#[derive(Debug, Clone)]
pub struct Created<T> {
    location: String,
    written: Written<T>,
}

impl<T> Written<T> {
    /// 200 with a body, after a write or a read.
    pub fn ok(of: &impl Versioned, body: T) -> Self {
        let (version, position) = (of.version(), of.position());
        Self { status: StatusCode::OK, version, position, body: Some(body) }
    }

    /// 201 with a body and the address of what was made.
    pub fn created(of: &impl Versioned, location: impl Into<String>, body: T) -> Created<T> {
        let written = Self { status: StatusCode::CREATED, ..Self::ok(of, body) };
        Created { location: location.into(), written }
    }
}

impl Written<()> {
    /// 204 after a write.
    pub fn no_content(of: &impl Versioned) -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, ..Self::ok(of, ()) }
    }
}

impl<T: Serialize> IntoResponse for Written<T> {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        insert(&mut headers, header::ETAG, &format!("\"{}\"", self.version));
        if let Some(position) = self.position {
            insert(&mut headers, HeaderName::from_static("x-position"), &position.to_string());
        }
        match self.body {
            Some(body) => (self.status, headers, Json(body)).into_response(),
            None => (self.status, headers).into_response(),
        }
    }
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let mut response = self.written.into_response();
        insert(response.headers_mut(), header::LOCATION, &self.location);
        response
    }
}

/// A text that is no header value (a line break in it) is left out and reported.
fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    } else {
        tracing::error!(header = %name, "a header's text is not allowed in HTTP");
    }
}
