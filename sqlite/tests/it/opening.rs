//! Opening a file: what is made, what is refused, and what the refusal says.

use crate::support::{append, close, environment, fresh, log, open};
use composable_rust_core::port::{OpenStorage, StoreError};
use composable_rust_sqlite::Sqlite;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::path::Path;
use std::time::Duration;

/// The text of the refusal to open `path`.
async fn refusal(path: impl AsRef<Path>) -> String {
    text(&Sqlite::file(path.as_ref())).await
}

async fn text(sqlite: &Sqlite) -> String {
    match sqlite.open(&environment()).await {
        Err(StoreError::Setup(text)) => text,
        Err(other) => panic!("expected a setup error, got {other:?}"),
        Ok(_) => panic!("{sqlite:?} was opened"),
    }
}

/// Runs statements on a file behind the adapter's back.
async fn tamper(path: &Path, statements: &'static str) {
    let mut connection =
        SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap();
    sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn missing_folders_and_the_file_are_made() {
    let (folder, _) = fresh();
    let path = folder.path().join("a/b/app.db");
    let storage = open(&path).await;
    close(&storage).await;
    assert!(path.is_file());
}

#[tokio::test]
async fn opening_again_keeps_what_was_written() {
    let (_folder, path) = fresh();
    let environment = environment();
    for round in 1..=3 {
        let storage = open(&path).await;
        storage.events.append(append(&environment, "a", 2)).await.unwrap();
        assert_eq!(log(&storage).await.len(), round * 2);
        close(&storage).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_not_there_yet_has_the_name_that_it_will_have() {
    let (folder, _) = fresh();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    std::fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let claimed = Sqlite::file(link.join("app.db")).claim().unwrap();
    assert_eq!(claimed.path(), real.canonicalize().unwrap().join("app.db"));
}

#[tokio::test]
async fn a_url_names_the_same_file() {
    let (_folder, path) = fresh();
    let url = format!("sqlite://{}", path.display());
    let storage = Sqlite::url(&url).open(&environment()).await.unwrap();
    close(&storage).await;
    assert!(path.is_file());
}

#[tokio::test]
async fn a_url_that_names_no_file_is_refused_with_an_example() {
    for url in ["postgres://localhost/app", "sqlite://app.db?mode=ro", "app.db", "sqlite:/app.db?x"] {
        assert!(text(&Sqlite::url(url)).await.contains("sqlite://data/app.db"), "{url}");
    }
    for url in ["sqlite::memory:", "sqlite://:memory:"] {
        assert!(text(&Sqlite::url(url)).await.contains("name a file"), "{url}");
    }
}

#[tokio::test]
async fn a_second_opening_in_the_same_process_says_what_to_shut_down() {
    let (_folder, path) = fresh();
    let storage = open(&path).await;
    let text = refusal(&path).await;
    assert!(text.contains("already open in this process; shut that application down first"), "{text}");
    close(&storage).await;
    close(&open(&path).await).await;
}

#[tokio::test]
async fn a_lock_file_that_a_dead_process_left_does_not_block() {
    let (_folder, path) = fresh();
    std::fs::write(path.with_file_name("app.db-lock"), "4711\n").unwrap();
    close(&open(&path).await).await;
}

#[tokio::test]
async fn a_folder_is_refused() {
    let (folder, _) = fresh();
    assert!(refusal(folder.path()).await.contains("is a folder"));
}

#[tokio::test]
async fn a_path_through_a_file_is_refused() {
    let (folder, _) = fresh();
    std::fs::write(folder.path().join("file"), "").unwrap();
    assert!(refusal(folder.path().join("file/app.db")).await.contains("cannot be made"));
}

/// `/proc` takes no files from anybody, root included.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_that_takes_no_files_is_refused() {
    assert!(refusal("/proc/app.db").await.contains("where this user may create files"));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let (_folder, path) = fresh();
    let garbage = "This is not a database. ".repeat(200);
    std::fs::write(&path, &garbage).unwrap();
    assert!(refusal(&path).await.contains("is not a SQLite database"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), garbage);
}

#[tokio::test]
async fn a_database_of_other_software_is_refused_and_left_alone() {
    let (_folder, path) = fresh();
    tamper(&path, "CREATE TABLE theirs (x)").await;
    let before = std::fs::read(&path).unwrap();
    assert!(refusal(&path).await.contains("other software"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_database_that_needs_newer_code_is_refused_with_both_versions() {
    let (_folder, path) = fresh();
    close(&open(&path).await).await;
    tamper(&path, "INSERT INTO schema_migrations VALUES (1000, 'newer', '99.1.0', '99.2.0', 0)").await;
    let text = refusal(&path).await;
    assert!(text.contains("99.1.0") && text.contains(env!("CARGO_PKG_VERSION")), "{text}");
}

#[tokio::test]
async fn a_newer_schema_that_allows_this_code_is_opened() {
    let (_folder, path) = fresh();
    close(&open(&path).await).await;
    tamper(&path, "INSERT INTO schema_migrations VALUES (1000, 'newer', '0.0.1', '99.2.0', 0)").await;
    close(&open(&path).await).await;
}

#[tokio::test]
async fn calls_after_close_fail_instead_of_hanging() {
    let (_folder, path) = fresh();
    let storage = open(&path).await;
    close(&storage).await;
    close(&storage).await;
    let written = storage.events.append(append(&environment(), "a", 1)).await;
    assert!(written.is_err());
    let read = storage.checkpoints.load_checkpoint("x").await;
    let Err(StoreError::Unavailable { source, .. }) = read else { panic!("{read:?}") };
    assert!(source.to_string().contains("its application was shut down"), "{source}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_is_the_same_under_every_name() {
    let (folder, path) = fresh();
    let storage = open(&path).await;
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let text = refusal(&link).await;
    assert!(text.contains("already open in this process"), "{text}");
    close(&storage).await;

    let claimed = Sqlite::file(&link).claim().unwrap();
    assert_eq!(claimed.path(), path.canonicalize().unwrap(), "what is kept beside it is kept once");
    let text = refusal(&path).await;
    assert!(text.contains("already open in this process"), "a claim is kept: {text}");
    close(&claimed.open(&environment()).await.unwrap()).await;
    drop(Sqlite::file(&path).claim().unwrap());

    let second = folder.path().join("second.db");
    std::fs::hard_link(&path, &second).unwrap();
    let text = refusal(&second).await;
    assert!(text.contains("has 2 names") && text.contains("remove the others"), "{text}");

    let dangling = folder.path().join("dangling.db");
    std::os::unix::fs::symlink(folder.path().join("nowhere/app.db"), &dangling).unwrap();
    let text = refusal(&dangling).await;
    assert!(text.contains("leads nowhere"), "{text}");
}

/// Root may enter every folder, so nothing is proven where it runs the tests.
#[cfg(unix)]
#[tokio::test]
async fn a_file_in_a_folder_that_the_user_may_not_enter_says_which_right_is_missing() {
    use std::fs::{Permissions, read_dir, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("closed");
    std::fs::create_dir_all(closed.join("data")).unwrap();
    set_permissions(&closed, Permissions::from_mode(0o000)).unwrap();
    if read_dir(&closed).is_err() {
        for path in [closed.join("app.db"), closed.join("data/app.db")] {
            let text = refusal(&path).await;
            let told = format!("may not enter the folder {};", closed.display());
            assert!(text.contains(&told), "{text}");
        }
    }
    set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn leases_of_a_dead_process_are_free_at_once_and_its_fences_stay_behind() {
    const LONG: Duration = Duration::from_hours(1);
    let (_folder, path) = fresh();
    let storage = open(&path).await;
    let dead = storage.leases.acquire("work", "dead", LONG).await.unwrap().unwrap();
    // As a crash: the lease is not given back.
    close(&storage).await;

    let storage = open(&path).await;
    let alive = storage.leases.acquire("work", "alive", LONG).await.unwrap().unwrap();
    assert!(alive.fence > dead.fence, "{alive:?}");
    close(&storage).await;
}
