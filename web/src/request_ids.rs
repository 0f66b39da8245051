//! Which request this is, what it belongs to, and the trace it continues.
//!
//! Ids from outside are taken only if they fit `[A-Za-z0-9-]{1,64}`, so that none can forge a log line or a header.

use crate::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use composable_rust_core::{CorrelationId, Environment, derived_uuid};
use std::sync::Arc;
use uuid::Uuid;

pub(crate) const X_REQUEST_ID: &str = "x-request-id";
pub(crate) const X_CORRELATION_ID: &str = "x-correlation-id";

/// The ids of the request at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestIds {
    request_id: Arc<str>,
    correlation_text: Arc<str>,
    correlation_id: CorrelationId,
    trace_parent: Arc<str>,
}

impl RequestIds {
    /// The ids that the headers bring; what is missing or not fit is made.
    pub(crate) fn of(headers: &HeaderMap, environment: &Environment) -> Self {
        let request_id =
            accepted(headers, X_REQUEST_ID).unwrap_or_else(|| environment.new_id().to_string().into());
        let correlation_text = accepted(headers, X_CORRELATION_ID);
        let correlation_text = correlation_text.unwrap_or_else(|| environment.new_id().to_string().into());
        let correlation = Uuid::parse_str(&correlation_text)
            .unwrap_or_else(|_| derived_uuid(&["correlation", &correlation_text]));
        let trace_parent = headers.get("traceparent").and_then(|value| trace_parent(value.to_str().ok()?));
        let trace_parent =
            trace_parent.unwrap_or_else(|| new_trace(&request_id, &correlation_text, environment));
        Self {
            request_id,
            correlation_text,
            correlation_id: CorrelationId::from_uuid(correlation),
            trace_parent,
        }
    }

    /// The id of this request alone, as in `X-Request-ID`.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// What this request belongs to, as in `X-Correlation-ID`.
    pub fn correlation_text(&self) -> &str {
        &self.correlation_text
    }

    /// What this request belongs to, as events keep it: the text where it is a UUID, else an id derived from it.
    pub fn correlation_id(&self) -> CorrelationId {
        self.correlation_id
    }

    /// The W3C `traceparent` that this request continues: the one that came with it, if it was well-formed, else that of
    /// a trace that begins here.
    pub fn trace_parent(&self) -> &str {
        &self.trace_parent
    }

    /// The trace's id within [`Self::trace_parent`].
    pub(crate) fn trace_id(&self) -> &str {
        self.trace_parent.get(3..35).unwrap_or_default()
    }

    /// Puts the ids on an answer.
    pub(crate) fn echo(&self, headers: &mut HeaderMap) {
        for (name, text) in [(X_REQUEST_ID, &self.request_id), (X_CORRELATION_ID, &self.correlation_text)] {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestIds {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(|| {
            tracing::error!("request ids are asked for outside of the HTTP service");
            Problem::internal()
        })
    }
}

fn accepted(headers: &HeaderMap, name: &str) -> Option<Arc<str>> {
    let text = headers.get(name)?.to_str().ok()?;
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    fits.then(|| text.into())
}

/// A trace that begins here. Made from what is unique to the request already, so that it costs no randomness.
fn new_trace(request_id: &str, correlation: &str, environment: &Environment) -> Arc<str> {
    let moment = environment.now().to_string();
    let id = |kind| derived_uuid(&[kind, request_id, correlation, &moment]).simple().to_string();
    let (trace, span) = (id("trace"), id("span"));
    format!("00-{trace}-{}-01", span.get(..16).unwrap_or_default()).into()
}

/// `00-<32 hex>-<16 hex>-<2 hex>`, lower case, neither id all zero (W3C Trace Context).
fn trace_parent(text: &str) -> Option<Arc<str>> {
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_set = |part: &str| part.bytes().any(|b| b != b'0');
    let fits = version == "00" && hex(trace, 32) && hex(span, 16) && hex(flags, 2) && parts.next().is_none();
    (fits && is_set(trace) && is_set(span)).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_trace_parents_are_taken() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(trace_parent(good).as_deref(), Some(good));
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert_eq!(trace_parent(bad), None, "{bad}");
        }
    }
}
