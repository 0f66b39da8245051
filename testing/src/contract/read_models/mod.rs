//! The contract of the read-model store: batches with their checkpoint, queries, generations.

mod commits;
mod generations;
mod queries;

pub use commits::*;
pub use generations::*;
pub use queries::*;

use super::fixture::Fixture;
use bytes::Bytes;
use composable_rust_core::Position;
use composable_rust_core::port::{
    IndexValue, Order, Page, PageRequest, Query, ReadModel, RowChange, StoreError, StoredRow, ViewBatch,
};

/// Runs the contract of [`ReadModelStore`](composable_rust_core::port::ReadModelStore) on what `factory` makes: an
/// `async fn() -> Subject`, see [the module's example](crate::contract).
#[macro_export]
macro_rules! read_models_contract {
    ($factory:path) => {
        $crate::contract_cases!(
            $factory,
            read_models,
            [
                a_new_read_model_is_empty_at_position_zero,
                preparing_again_changes_nothing,
                a_batch_writes_rows_and_checkpoint,
                a_put_replaces_the_row_and_its_indexed_values,
                a_delete_removes_the_row_and_a_missing_one_is_no_failure,
                a_batch_without_changes_moves_the_checkpoint,
                a_batch_at_or_before_the_checkpoint_writes_nothing,
                a_lower_fence_is_refused_and_writes_nothing,
                a_higher_fence_takes_over,
                a_higher_fence_is_saved_without_progress_and_shuts_the_old_holder_out,
                a_batch_can_be_fenced_by_another_subscription,
                subscriptions_have_checkpoints_of_their_own,
                load_leaves_out_what_does_not_exist,
                batches_and_loads_of_thousands_of_rows,
                keys_bodies_and_texts_come_back_byte_for_byte,
                rows_and_checkpoint_survive_a_restart,
                readers_see_whole_batches_only,
                of_racing_commits_of_one_position_one_is_written,
                equals_finds_integers_texts_and_null,
                equals_compares_texts_byte_by_byte,
                any_of_finds_each_of_its_values,
                at_least_and_less_than_bound_a_range,
                comparisons_leave_out_null,
                contains_finds_a_part_of_a_text_in_either_ascii_case,
                contains_takes_pattern_characters_literally,
                contains_matches_texts_only,
                quotes_and_unicode_are_values_like_any_other,
                all_conditions_of_a_query_must_hold,
                rows_are_ordered_by_key_without_a_column,
                rows_are_ordered_by_a_column_then_by_key,
                null_sorts_first_and_last_when_descending,
                texts_are_ordered_byte_by_byte,
                integers_are_ordered_as_numbers,
                pages_cover_all_rows_once_and_tell_the_total,
                a_page_past_the_end_is_empty_but_tells_the_total,
                page_sizes_outside_1_to_1000_are_refused,
                the_total_counts_what_matches,
                a_filter_on_a_column_that_is_not_indexed_is_refused,
                an_order_by_a_column_that_is_not_indexed_is_refused,
                read_models_with_similar_names_are_apart,
                generations_are_apart,
                no_generation_is_live_at_first,
                switching_names_the_live_generation_and_what_built_it,
                the_live_generation_survives_a_restart,
                a_fenced_out_holder_switches_nothing,
                a_switch_saves_its_checkpoint,
                dropping_a_generation_removes_its_rows_only,
                a_dropped_generation_can_be_prepared_again,
            ]
        );
    };
}

const SUBSCRIPTION: &str = "view:shows";

/// A read model with three indexed columns.
fn shows(generation: u32) -> ReadModel {
    named("shows", generation)
}

fn named(name: &str, generation: u32) -> ReadModel {
    ReadModel { name: name.into(), generation, indexes: vec!["city".into(), "title".into(), "price".into()] }
}

fn text(text: &str) -> IndexValue {
    IndexValue::Text(text.into())
}

/// A row with these values for its columns.
fn put(key: &str, city: IndexValue, title: IndexValue, price: IndexValue) -> RowChange {
    RowChange::Put { key: key.into(), body: body(key), indexes: vec![city, title, price] }
}

/// A row of which only the title matters.
fn titled(key: &str, title: &str) -> RowChange {
    put(key, IndexValue::Null, text(title), IndexValue::Null)
}

/// A row of which only the price matters.
fn priced(key: &str, price: i64) -> RowChange {
    put(key, IndexValue::Null, IndexValue::Null, IndexValue::Integer(price))
}

fn body(key: &str) -> Bytes {
    Bytes::from(format!("body of {key}"))
}

fn batch(model: ReadModel, changes: Vec<RowChange>, position: u32) -> ViewBatch {
    let checkpoint = Fixture::checkpoint(SUBSCRIPTION, position, 1);
    ViewBatch { model, changes, checkpoint, fenced_by: None }
}

async fn commit(fixture: &Fixture, batch: ViewBatch) {
    fixture.storage.views.commit(batch).await.expect("a batch");
}

/// Prepares [`shows`] and writes these rows at position 1.
async fn write(fixture: &Fixture, changes: Vec<RowChange>) {
    fixture.storage.views.prepare(&shows(1)).await.expect("a prepared read model");
    commit(fixture, batch(shows(1), changes, 1)).await;
}

async fn get(fixture: &Fixture, key: &str) -> (Option<Bytes>, Position) {
    let (row, position) =
        fixture.storage.views.get(&shows(1), SUBSCRIPTION, key).await.expect("a row or none");
    (row.map(|row| row.body), position)
}

fn query(filters: Vec<composable_rust_core::port::Filter>) -> Query {
    Query { filters, order: Order { column: None, descending: false }, page: PageRequest::first(1_000) }
}

async fn ask(fixture: &Fixture, query: &Query) -> Result<(Page<StoredRow>, Position), StoreError> {
    fixture.storage.views.query(&shows(1), SUBSCRIPTION, query).await
}

/// The keys that a query finds, in its order.
async fn keys(fixture: &Fixture, query: &Query) -> Vec<String> {
    let (page, _) = ask(fixture, query).await.expect("a page");
    page.items.into_iter().map(|row| row.key).collect()
}
