//! Pages of a list: what is asked for and what is answered.

use super::query;
use crate::Problem;
use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use composable_rust_core::Position;
use composable_rust_runtime::ViewPage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const DEFAULT_SIZE: u32 = 20;
const LARGEST_SIZE: u32 = 100;

/// `?page=` from 1 (1 when absent) and `?page_size=` from 1 to 100 (20 when absent); anything else is refused with 400
/// `invalid_parameter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pagination {
    /// From 1.
    pub page: u32,
    /// 1 to 100.
    pub page_size: u32,
}

/// As it is written.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct PageQuery {
    /// From 1.
    #[schemars(range(min = 1), extend("default" = 1))]
    page: Option<u32>,
    /// Most items on a page.
    #[schemars(range(min = 1, max = LARGEST_SIZE), extend("default" = DEFAULT_SIZE))]
    page_size: Option<u32>,
}

impl<S: Send + Sync> FromRequestParts<S> for Pagination {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let raw: PageQuery = query::parse(parts)?;
        let (page, page_size) = (raw.page.unwrap_or(1), raw.page_size.unwrap_or(DEFAULT_SIZE));
        if page == 0 {
            return Err(Problem::invalid_parameter("page", "page starts at 1"));
        }
        if !(1..=LARGEST_SIZE).contains(&page_size) {
            return Err(Problem::invalid_parameter("page_size", "page_size must be 1 to 100"));
        }
        Ok(Self { page, page_size })
    }
}

/// A page as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub struct PageBody<T> {
    /// What is on it; empty past the end.
    pub items: Vec<T>,
    /// From 1.
    pub page: u32,
    /// 1 to 100.
    pub page_size: u32,
    /// How many items there are in all.
    pub total: u64,
    /// How many pages there are in all; 0 when there is no item.
    pub total_pages: u64,
    /// What the page shows, as `X-Position`.
    #[serde(skip)]
    pub position: Position,
}

impl<T> PageBody<T> {
    /// The page that answers `pagination`, with each row turned into what the client sees.
    pub fn new<R>(pagination: Pagination, page: ViewPage<R>, show: impl FnMut(R) -> T) -> Self {
        Self {
            items: page.items.into_iter().map(show).collect(),
            page: pagination.page,
            page_size: pagination.page_size,
            total: page.total,
            total_pages: page.total.div_ceil(u64::from(pagination.page_size)),
            position: page.position,
        }
    }
}

impl<T: Serialize> IntoResponse for PageBody<T> {
    fn into_response(self) -> Response {
        ([("x-position", self.position.to_string())], Json(self)).into_response()
    }
}
