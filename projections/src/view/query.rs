//! Questions over all rows of a view.

use super::{Read, View, ViewError};
use composable_rust_core::port::{Filter, Order, PageRequest, Query, ReadModel};
use composable_rust_core::{IndexColumn, Position, Projection};
use serde::de::DeserializeOwned;
use std::fmt;

/// Rows on a page unless said otherwise.
const PAGE_SIZE: u32 = 100;

/// A page of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewPage<R> {
    /// The rows.
    pub items: Vec<R>,
    /// How many rows there are on all pages.
    pub total: u64,
    /// The position that they show.
    pub position: Position,
}

/// A question under construction: all conditions must hold; by key, ascending, the first 100 rows unless said otherwise.
///
/// Columns are the row's indexed ones; another one is answered with an error.
#[must_use = "a question is asked by `fetch`"]
pub struct ViewQuery<P: Projection> {
    view: View<P>,
    query: Query,
}

impl<P: Projection> fmt::Debug for ViewQuery<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewQuery").field("view", &self.view).field("query", &self.query).finish()
    }
}

impl<P: Projection> ViewQuery<P> {
    pub(super) fn new(view: View<P>) -> Self {
        let order = Order { column: None, descending: false };
        Self { view, query: Query { filters: Vec::new(), order, page: PageRequest::first(PAGE_SIZE) } }
    }

    /// Only rows whose column equals the value.
    pub fn filter_eq(self, column: &str, value: impl IndexColumn) -> Self {
        self.filter(Filter::Equals(column.to_owned(), value.to_index()))
    }

    /// Only rows whose column is one of the values.
    pub fn any_of<V: IndexColumn>(self, column: &str, values: impl IntoIterator<Item = V>) -> Self {
        let values = values.into_iter().map(|value| value.to_index()).collect();
        self.filter(Filter::AnyOf(column.to_owned(), values))
    }

    /// Only rows whose column is the value or more.
    pub fn at_least(self, column: &str, value: impl IndexColumn) -> Self {
        self.filter(Filter::AtLeast(column.to_owned(), value.to_index()))
    }

    /// Only rows whose column is less than the value.
    pub fn less_than(self, column: &str, value: impl IndexColumn) -> Self {
        self.filter(Filter::LessThan(column.to_owned(), value.to_index()))
    }

    /// Only rows whose text column contains the text; ASCII letters match in either case.
    pub fn contains(self, column: &str, text: &str) -> Self {
        self.filter(Filter::Contains(column.to_owned(), text.to_owned()))
    }

    /// Smallest first.
    pub fn order_by(mut self, column: &str) -> Self {
        self.query.order = Order { column: Some(column.to_owned()), descending: false };
        self
    }

    /// Largest first.
    pub fn order_by_descending(mut self, column: &str) -> Self {
        self.query.order = Order { column: Some(column.to_owned()), descending: true };
        self
    }

    /// Page `number`, from 1, with `size` rows, 1 to 1,000.
    pub fn page(mut self, number: u32, size: u32) -> Self {
        self.query.page = PageRequest { page: number, size };
        self
    }

    /// Asks.
    ///
    /// # Errors
    /// [`ViewError`]; of the store's, `InvalidRequest` when a column is not indexed.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn fetch(self) -> Result<ViewPage<P::Row>, ViewError> {
        self.fetch_as().await
    }

    /// Asks for parts of the rows: a `T` has some of a row's fields, under the same names, and the others are neither
    /// decoded nor kept. For lists that show little of large rows.
    ///
    /// ```
    /// # use composable_rust_core::Projection;
    /// # use composable_rust_projections::{View, ViewError};
    /// #[derive(serde::Deserialize)]
    /// struct Title {
    ///     title: String,
    /// }
    /// async fn titles<P: Projection>(books: View<P>) -> Result<Vec<String>, ViewError> {
    ///     let page = books.query().page(1, 20).fetch_as::<Title>().await?;
    ///     Ok(page.items.into_iter().map(|book| book.title).collect())
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`Self::fetch`]; [`ViewError::Row`] also when a row has no such field.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn fetch_as<T: DeserializeOwned>(self) -> Result<ViewPage<T>, ViewError> {
        let views = &self.view.shared.deps.storage.views;
        let query = &self.query;
        let read = |model: ReadModel, subscription: String| -> Read<'_, _> {
            Box::pin(async move { views.query(&model, &subscription, query).await })
        };
        let (live, page, position) = self.view.read(read).await?;
        let items = page.items.iter().map(|row| self.view.decode(&live, row));
        Ok(ViewPage { items: items.collect::<Result<_, _>>()?, total: page.total, position })
    }

    fn filter(mut self, filter: Filter) -> Self {
        self.query.filters.push(filter);
        self
    }
}
