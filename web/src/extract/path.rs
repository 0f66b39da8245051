//! Ids in the path.

use crate::Problem;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use composable_rust_core::StreamId;
use std::str::FromStr;

/// The one id of a path such as `/events/{id}`; a text that is none is refused with 400 `invalid_parameter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathId<T>(pub T);

/// The two ids of a path such as `/events/{id}/sections/{section_id}`, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathIds<A, B>(pub A, pub B);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = params(parts, state).await?;
        parse(&params, 0).map(Self)
    }
}

impl<A: FromStr, B: FromStr, S: Send + Sync> FromRequestParts<S> for PathIds<A, B> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = params(parts, state).await?;
        Ok(Self(parse(&params, 0)?, parse(&params, 1)?))
    }
}

async fn params<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RawPathParams, Problem> {
    RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| Problem::invalid_parameter("path", "the path is not UTF-8"))
}

fn parse<T: FromStr>(params: &RawPathParams, index: usize) -> Result<T, Problem> {
    let Some((name, text)) = params.iter().nth(index) else {
        tracing::error!(index, "a handler asks for a path parameter that its route does not have");
        return Err(Problem::internal());
    };
    let invalid = || Problem::invalid_parameter(name, format!("{name} is not a valid id"));
    // Whatever type it is read as, it names a stream: a text that cannot is no id.
    StreamId::new("id", text).map_err(|_| invalid())?;
    text.parse().map_err(|_| invalid())
}
