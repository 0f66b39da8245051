//! The strategies draw what the types allow.

use composable_rust_core::{EventMetadata, ExpectedVersion, StreamId, StreamVersion};
use composable_rust_testing::strategies;
use proptest::prelude::*;

proptest! {
    #[test]
    fn drawn_envelopes_are_valid(event in strategies::recorded_events()) {
        prop_assert_eq!(event.stream.as_str().parse::<StreamId>().unwrap(), event.stream.clone());
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&event.payload).is_ok());
        prop_assert_eq!(event.recorded_at.as_nanosecond() % 1_000, 0);
        prop_assert!(event.version.as_i64() >= 0 && event.position.as_i64() >= 0);
        prop_assert!(event.schema_version.get() >= 1);
    }

    #[test]
    fn drawn_metadata_survives_its_encoding(metadata in strategies::metadata()) {
        let back: EventMetadata = metadata.encode().decode();
        prop_assert_eq!(back, metadata);
    }

    #[test]
    fn an_exact_version_accepts_itself_alone(version in strategies::stream_versions(), expected in strategies::expected_versions()) {
        let others = [StreamVersion::ZERO, version.next()];
        if let ExpectedVersion::Exact(exact) = expected {
            prop_assert!(expected.accepts(exact));
            prop_assert!(others.iter().all(|other| *other == exact || !expected.accepts(*other)));
        }
    }

    #[test]
    fn issued_commands_have_growing_times_and_own_ids(history in strategies::commands(any::<u8>(), 30)) {
        prop_assert!(history.windows(2).all(|pair| pair[0].now <= pair[1].now && pair[0].id != pair[1].id));
    }
}
