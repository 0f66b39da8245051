//! Opening a database: what is made, what is refused, and what the refusal says.

use crate::support::{TestDatabase, append, close, environment, log, server};
use composable_rust_core::port::{OpenStorage, StoreError};
use composable_rust_postgres::{Postgres, PostgresOptions};
use sqlx::ConnectOptions;
use tokio::task::JoinSet;

/// The text of the refusal to open.
async fn refusal(postgres: &Postgres) -> String {
    match postgres.open(&environment()).await {
        Err(StoreError::Setup(text)) => text,
        Err(other) => panic!("expected a setup error, got {other:?}"),
        Ok(_) => panic!("{postgres:?} was opened"),
    }
}

#[tokio::test]
async fn opening_again_keeps_what_was_written() {
    let database = TestDatabase::schema().await;
    for round in 1..=3 {
        let storage = database.open().await;
        storage.events.append(append("a", 2)).await.unwrap();
        assert_eq!(log(&storage).await.len(), round * 2);
        close(&storage).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_instances_that_start_at_once_one_makes_the_tables_and_all_open() {
    let database = TestDatabase::schema().await;
    let mut opening = JoinSet::new();
    for _ in 0..6 {
        let postgres = database.storage();
        opening.spawn(async move { postgres.open(&environment()).await.unwrap() });
    }
    for (number, storage) in opening.join_all().await.into_iter().enumerate() {
        storage.events.append(append("a", 1)).await.unwrap();
        assert_eq!(log(&storage).await.len(), number + 1);
        close(&storage).await;
    }
}

#[tokio::test]
async fn what_is_no_url_of_a_database_is_refused_with_an_example_and_without_its_password() {
    for url in
        ["sqlite://app.db", "db.example/app", "", "postgres://u:secret@host:port/x", "postgres://u:secret@[/"]
    {
        let text = refusal(&Postgres::connect(url)).await;
        assert!(text.contains("postgres://user:password@host:5432/database"), "{url}: {text}");
        assert!(!text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn passwords_are_never_shown() {
    let postgres = Postgres::connect("postgres://app:secret@127.0.0.1:1/app")
        .with_direct("postgres://app:secret@127.0.0.1:1/app");
    let shown = format!("{postgres:?} {}", refusal(&postgres).await);
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains("postgres://127.0.0.1:1/app"), "{shown}");
}

#[tokio::test]
async fn a_server_that_is_not_there_says_so() {
    let text = refusal(&Postgres::connect("postgres://app:secret@127.0.0.1:1/app")).await;
    assert!(text.contains("cannot be reached") && text.contains("start the server"), "{text}");
    let text = refusal(&Postgres::connect("postgres://app:secret@no-such-host.invalid/app")).await;
    assert!(text.contains("cannot be reached") && text.contains("correct host and port"), "{text}");
}

#[tokio::test]
async fn a_wrong_password_a_missing_database_and_a_missing_right_say_what_to_do() {
    let database = TestDatabase::new().await;
    database
        .tamper("DROP ROLE IF EXISTS composable_weak; CREATE ROLE composable_weak LOGIN PASSWORD 'weak'; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        .await;
    let server = server();
    let as_weak = |password: &str| {
        let options = database.options().username("composable_weak").password(password);
        Postgres::connect(options.to_url_lossy().to_string())
    };
    let text = refusal(&as_weak("wrong")).await;
    assert!(text.contains("refuses the password") && text.contains("correct user and password"), "{text}");
    let text = refusal(&as_weak("weak")).await;
    assert!(text.contains("a right is missing") && text.contains("GRANT CREATE ON SCHEMA"), "{text}");
    let missing = server.database("no_such_database").to_url_lossy().to_string();
    let text = refusal(&Postgres::connect(missing)).await;
    assert!(text.contains("has no such database") && text.contains("createdb"), "{text}");
    database.tamper("DROP ROLE composable_weak").await;
}

#[tokio::test]
async fn tables_of_other_software_are_refused_and_left_alone() {
    let database = TestDatabase::new().await;
    database.tamper("CREATE TABLE events (theirs int)").await;
    let text = refusal(&database.storage()).await;
    assert!(text.contains("other software") && text.contains("schema"), "{text}");
    let aside = PostgresOptions { schema: Some("ours".into()), ..PostgresOptions::default() };
    let storage = database.storage().with_options(aside).open(&environment()).await.unwrap();
    storage.events.append(append("a", 1)).await.unwrap();
    assert_eq!(log(&storage).await.len(), 1);
    close(&storage).await;
}

#[tokio::test]
async fn a_database_that_needs_newer_code_is_refused_with_both_versions() {
    let database = TestDatabase::schema().await;
    close(&database.open().await).await;
    database.tamper("INSERT INTO schema_migrations VALUES (1000, 'newer', '99.1.0', '99.2.0', 0)").await;
    let text = refusal(&database.storage()).await;
    assert!(text.contains("99.1.0") && text.contains(env!("CARGO_PKG_VERSION")), "{text}");
}

#[tokio::test]
async fn a_newer_schema_that_allows_this_code_is_opened() {
    let database = TestDatabase::schema().await;
    close(&database.open().await).await;
    database.tamper("INSERT INTO schema_migrations VALUES (1000, 'newer', '0.0.1', '99.2.0', 0)").await;
    close(&database.open().await).await;
}

#[tokio::test]
async fn calls_after_close_fail_instead_of_hanging() {
    let database = TestDatabase::schema().await;
    let storage = database.open().await;
    close(&storage).await;
    close(&storage).await;
    assert!(storage.events.append(append("a", 1)).await.is_err());
    let read = storage.checkpoints.load_checkpoint("x").await;
    let Err(StoreError::Unavailable { source, .. }) = read else { panic!("{read:?}") };
    assert!(source.to_string().contains("its application was shut down"), "{source}");
}
