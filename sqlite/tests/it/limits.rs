//! A full file: writes are refused whole, reads go on, and so do writes when there is room again.

use crate::support::{append, close, environment, fresh, log};
use composable_rust_core::port::{AppendError, OpenStorage, StoreError};
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
    assert_eq!(log(&storage).await.len(), written, "part of the refused append is there");
    let again = storage.events.append(append(&environment, "b", 50)).await;
    assert!(matches!(again, Err(AppendError::Store(StoreError::Full { .. }))), "{again:?}");
    close(&storage).await;

    let storage = Sqlite::file(&path).open(&environment).await.unwrap();
    storage.events.append(append(&environment, "a", 50)).await.unwrap();
    assert_eq!(log(&storage).await.len(), written + 50);
    close(&storage).await;
}
