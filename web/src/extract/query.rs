//! The query string, typed.
//!
//! A parameter that no extractor of the route knows is refused, since a filter that is misspelt would find everything.
//! Addresses of pages are decorated on their way (campaign tags, cache busters), so whoever asks for a page may send
//! any. An empty value counts as absent, because HTML forms send every field.

use super::findings::pointer_in;
use super::reader::read;
use super::tree::Node;
use crate::Problem;
use crate::page::Asked;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The query string as a struct; a value that does not fit is refused with 400 `invalid_parameter`, and so is a
/// parameter that neither this nor [`Pagination`](crate::Pagination) knows, unless a page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryParams<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parse(parts).map(Self)
    }
}

/// The parameters that some extractor of a request knows; `None` while none has looked.
#[derive(Debug, Clone, Default)]
struct Known(Arc<Mutex<Option<BTreeSet<String>>>>);

impl Known {
    fn lock(&self) -> MutexGuard<'_, Option<BTreeSet<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The query as one extractor reads it.
pub(super) fn parse<T: DeserializeOwned>(parts: &Parts) -> Result<T, Problem> {
    let query = parts.uri.query().unwrap_or_default();
    if !is_utf8(query) {
        return Err(Problem::invalid_parameter("query", "the query is not UTF-8"));
    }
    let tree = tree_of(query);
    let (value, unknown) = read(&tree, true);
    let value = value.map_err(|faults| {
        // The first stands for all: a query has no place for a list of faults.
        let Some(wrong) = faults.into_iter().next() else { return Problem::internal() };
        match wrong.pointer.strip_prefix('/') {
            Some(name) => Problem::invalid_parameter(name, format!("{name}: {}", wrong.detail)),
            None => Problem::invalid_parameter("query", wrong.detail),
        }
    })?;
    if let (Some(known), Node::Object(parameters)) = (parts.extensions.get::<Known>(), tree) {
        let unknown: BTreeSet<_> = unknown.into_iter().map(|unknown| unknown.pointer).collect();
        let names = parameters.iter().map(|(name, _)| name.text());
        let names = names.filter(|name| !unknown.contains(&pointer_in("", name)));
        known.lock().get_or_insert_default().extend(names.map(str::to_owned));
    }
    Ok(value)
}

/// Refuses what no extractor of a list knows. Which there are is only known when all have looked, so the answer is
/// made by then; reading changes nothing.
pub(crate) async fn known_parameters(mut request: Request, next: Next) -> Response {
    let query = request.uri().query().map(str::to_owned);
    let Some(query) = query.filter(|_| request.method().is_safe() && !Asked::of(&request).wants_page) else {
        return next.run(request).await;
    };
    let known = Known::default();
    request.extensions_mut().insert(known.clone());
    let response = next.run(request).await;
    let known = known.lock().take();
    let (Some(known), Node::Object(sent)) =
        (known.filter(|_| response.status().is_success()), tree_of(&query))
    else {
        return response;
    };
    match sent.iter().map(|(name, _)| name.text()).find(|name| !known.contains(*name)) {
        Some(name) => {
            let name: String = name.chars().take(80).collect();
            Problem::invalid_parameter(&name, format!("{name} is not known here")).into_response()
        }
        None => response,
    }
}

/// Whether what it encodes in percent is text: reading it leniently would look for something else.
fn is_utf8(query: &str) -> bool {
    let mut bytes = Vec::with_capacity(query.len());
    let mut rest = query.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let coded = (*first == b'%').then(|| after.get(..2)).flatten();
        let coded = coded.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(coded.unwrap_or(*first));
        rest = if coded.is_some() { &after[2..] } else { after };
    }
    std::str::from_utf8(&bytes).is_ok()
}

fn tree_of(query: &str) -> Node {
    let has_value = |part: &&str| part.split_once('=').is_some_and(|(_, value)| !value.is_empty());
    let filled: Vec<&str> = query.split('&').filter(has_value).collect();
    Node::of_pairs(form_urlencoded::parse(filled.join("&").as_bytes()))
}
