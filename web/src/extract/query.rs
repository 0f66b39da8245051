//! The query string, typed.
//!
//! Parameters that nobody asks for are ignored, unlike fields of a body: links are decorated on their way (campaign
//! tags, cache busters), and one request may be read by several extractors. An empty value counts as absent, because
//! HTML forms send every field.

use crate::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// The query string as a struct; a value that does not fit is refused with 400 `invalid_parameter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryParams<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parse(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

pub(crate) fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let has_value = |part: &&str| part.split_once('=').is_some_and(|(_, value)| !value.is_empty());
    let filled: Vec<&str> = query.split('&').filter(has_value).collect();
    let filled = filled.join("&");
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(filled.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let name = error.path().to_string();
        let detail: String = error.inner().to_string().chars().take(200).collect();
        match name.as_str() {
            "." => Problem::invalid_parameter("query", detail),
            name => Problem::invalid_parameter(name, format!("{name}: {detail}")),
        }
    })
}
