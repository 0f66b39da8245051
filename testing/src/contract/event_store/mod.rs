//! The contract of the event store: appends, batches, command ids, streams and the log.
//!
//! Timers that appends write have their own suite ([`super::timers`]).

mod appends;
mod batches;
mod commands;
mod log;
mod races;
mod streams;

pub use appends::*;
pub use batches::*;
pub use commands::*;
pub use log::*;
pub use races::*;
pub use streams::*;

/// Runs the contract of [`EventStore`](composable_rust_core::port::EventStore) on what `factory` makes: an
/// `async fn() -> Subject`, see [the module's example](crate::contract).
#[macro_export]
macro_rules! event_store_contract {
    ($factory:path) => {
        $crate::contract_cases!(
            $factory,
            event_store,
            [
                a_first_event_has_version_1_and_a_position_of_at_least_1,
                an_event_comes_back_as_it_was_written,
                a_version_conflict_is_typed_and_writes_nothing,
                expected_no_stream_refuses_an_existing_one,
                expected_exists_refuses_an_unknown_stream,
                expected_any_appends_after_whatever_is_there,
                an_append_to_several_streams_is_written_whole,
                an_append_to_several_streams_is_refused_whole,
                an_append_without_events_checks_the_version_only,
                an_append_without_events_has_a_position_after_what_was_read,
                a_payload_of_the_limit_is_kept_and_a_larger_one_refused,
                the_store_records_its_own_time,
                appended_events_survive_a_restart,
                a_batch_answers_each_append_in_its_place,
                an_empty_batch_answers_nothing,
                a_refused_append_does_not_affect_its_neighbours,
                later_appends_of_a_batch_see_the_versions_of_earlier_ones,
                a_batch_takes_effect_in_its_order,
                an_append_that_depends_on_a_refused_one_is_a_conflict,
                dependence_is_passed_on,
                an_append_that_depends_on_a_success_is_written,
                an_append_that_depends_on_others_must_name_a_stream,
                an_append_cannot_depend_on_what_is_not_before_it,
                positions_of_a_batch_grow_in_the_order_of_each_stream,
                a_command_id_is_used_once,
                a_duplicate_returns_the_first_record,
                a_duplicate_names_the_streams_of_the_first_use,
                a_duplicate_within_one_batch_returns_the_first_record,
                a_refused_append_does_not_use_up_its_command_id,
                a_command_of_an_append_without_events_is_kept_too,
                a_duplicate_is_noticed_before_a_version_conflict,
                a_large_payload_is_noticed_before_a_duplicate,
                a_duplicate_is_noticed_before_a_dependency,
                a_command_id_past_its_keep_may_be_used_again,
                a_command_id_within_its_keep_outlives_the_clearing_of_others,
                a_command_id_without_keep_stays,
                an_unknown_command_has_no_record,
                a_response_is_saved_once,
                a_response_for_an_unknown_command_changes_nothing,
                command_records_survive_a_restart,
                an_unknown_stream_is_empty,
                a_stream_is_read_forwards_after_a_version,
                a_stream_is_read_backwards_before_a_version,
                limits_of_0_1_and_more_than_there_is,
                streams_with_similar_names_are_apart,
                a_page_of_a_stream_ends_with_the_event_that_fills_its_bytes,
                load_events_reads_large_events_to_the_end,
                load_events_reads_3000_events_in_order,
                load_events_starts_after_the_version,
                the_log_of_an_empty_store_is_empty,
                the_log_holds_all_streams_in_order,
                the_log_is_read_in_pages_without_loss,
                a_full_page_has_read_to_its_last_event,
                a_page_that_is_not_full_has_read_to_the_horizon,
                a_page_of_limit_0_has_read_nothing,
                a_page_of_the_log_ends_with_the_event_that_fills_its_bytes,
                the_log_is_read_by_category,
                categories_are_compared_whole,
                the_signal_stands_at_what_was_appended,
                the_signal_wakes_who_waits,
                a_refused_append_shows_nothing_to_readers,
                of_many_appends_at_one_version_one_succeeds,
                of_many_repeats_of_a_command_one_is_written,
                appends_to_overlapping_streams_in_any_order_do_not_block_each_other,
                a_follower_of_concurrent_appenders_sees_each_event_once_in_stream_order,
                a_follower_of_one_category_among_many_skips_nothing,
                a_dropped_append_happens_whole_or_not_at_all,
            ]
        );
    };
}
