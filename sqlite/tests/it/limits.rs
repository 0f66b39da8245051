//! A full file: writes are refused whole, reads go on, and so do writes when there is room again.

use crate::support::{append, close, environment, fresh, log};
use composable_rust_core::port::{AppendError, OpenStorage, StoreError};
use composable_rust_core::{ExpectedVersion, StreamVersion, describe};
use composable_rust_sqlite::{Sqlite, SqliteOptions};

#[tokio::test]
async fn a_full_file_refuses_writes_and_keeps_what_it_has() {
    let (_folder, path) = fresh();
    let environment = environment();
    let small = SqliteOptions { file_pages: Some(100), ..SqliteOptions::default() };
    let storage = Sqlite::file(&path).with_options(small).open(&environment).await.unwrap();
    let mut written = 0;
    let refused = loop {
        match storage.events.append(append(&environment, "a", 50)).await {
            Ok(_) => written += 50,
            Err(refused) => break refused,
        }
        assert!(written < 100_000, "the limit does not hold");
    };
    assert!(matches!(refused, AppendError::Store(StoreError::Full { .. })), "{refused:?}");
    let AppendError::Store(full) = &refused else { panic!("{refused:?}") };
    let text = describe(full);
    assert_eq!(text.matches("database or disk is full").count(), 1, "the cause is told once: {text}");
    assert_eq!(log(&storage).await.len(), written, "part of the refused append is there");
    let again = storage.events.append(append(&environment, "b", 50)).await;
    assert!(matches!(again, Err(AppendError::Store(StoreError::Full { .. }))), "{again:?}");
    close(&storage).await;

    let storage = Sqlite::file(&path).open(&environment).await.unwrap();
    storage.events.append(append(&environment, "a", 50)).await.unwrap();
    assert_eq!(log(&storage).await.len(), written + 50);
    close(&storage).await;
}

#[tokio::test]
async fn streams_beyond_the_remembered_ones_keep_their_versions() {
    let (_folder, path) = fresh();
    let environment = environment();
    let forgetful = SqliteOptions { known_streams: 2, ..SqliteOptions::default() };
    let storage = Sqlite::file(&path).with_options(forgetful).open(&environment).await.unwrap();
    for turn in 0..3_u64 {
        for key in ["a", "b", "c"] {
            let mut next = append(&environment, key, 2);
            next.streams[0].expected = ExpectedVersion::Exact(StreamVersion::ZERO.plus(turn * 2));
            storage.events.append(next).await.unwrap();
            let mut late = append(&environment, key, 1);
            late.streams[0].expected = ExpectedVersion::Exact(StreamVersion::ZERO.plus(turn * 2));
            let refused = storage.events.append(late).await;
            assert!(matches!(refused, Err(AppendError::Conflict { .. })), "{refused:?}");
        }
    }
    assert_eq!(log(&storage).await.len(), 18);
    close(&storage).await;
}
