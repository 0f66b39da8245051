//! What is kept under an old declaration is noticed: rows at the start, by name; snapshots by being left aside.

use composable_rust::port::OpenStorage;
use composable_rust::prelude::*;
use composable_rust::runtime::{DeciderOptions, SnapshotPolicy};
use composable_rust::testing::memory::MemoryStorage;

/// One deployment of an application: the same names, with the fields and versions of its time.
macro_rules! deployment {
    ($module:ident, schema: $schema:tt, step: $step:literal, version: $version:literal, { $($field:ident: $of_type:ty = $value:expr),* }) => {
        mod $module {
            use super::*;

            #[derive(Debug, Clone, Default, PartialEq, State)]
            #[state(schema = $schema)]
            pub(super) struct Account {
                pub(super) total: u32,
                $(#[serde(default)] pub(super) $field: $of_type,)*
            }

            #[derive(Debug, Clone, PartialEq, Action)]
            pub(super) enum AccountAction {
                #[command]
                Add { times: u32 },
                #[event]
                Added {},
            }

            impl Decider for Account {
                type Action = AccountAction;
                type Rejection = Never;

                fn decide(&self, command: AccountCommand, _: &Context) -> Decision<Self> {
                    let AccountCommand::Add { times } = command;
                    Ok((0..times).map(|_| AccountEvent::Added {}).collect())
                }

                fn evolve(&mut self, _: &AccountEvent) {
                    self.total += $step;
                    $(self.$field += $value;)*
                }
            }

            /// What the row counts.
            #[derive(Debug, Clone, Default, PartialEq, Data)]
            pub(super) struct Counts {
                events: u32,
                $(#[serde(default)] pub(super) $field: $of_type,)*
            }

            #[derive(Debug, Clone, PartialEq, Row)]
            #[row(key = "name")]
            pub(super) struct Total {
                name: String,
                pub(super) counts: Counts,
            }

            /// Totals by account.
            pub(super) struct Totals;
            /// The same, to see that all findings come at once.
            pub(super) struct MoreTotals;
            /// A view whose rows stay as they are.
            pub(super) struct Names;

            #[derive(Debug, Clone, PartialEq, Row)]
            #[row(key = "name")]
            pub(super) struct Name {
                name: String,
            }

            fn count(event: &Recorded<AccountEvent>, rows: &mut Rows<Total>) {
                let new = || Total { name: event.key().to_owned(), counts: Counts::default() };
                rows.upsert(event.key(), new, |row| {
                    row.counts.events += 1;
                    $(row.counts.$field += $value;)*
                });
            }

            impl Projection for Totals {
                type Event = AccountEvent;
                type Row = Total;
                const NAME: &'static str = "totals";
                const VERSION: u32 = $version;

                fn project(&self, event: &Recorded<AccountEvent>, rows: &mut Rows<Total>) {
                    count(event, rows);
                }
            }

            impl Projection for MoreTotals {
                type Event = AccountEvent;
                type Row = Total;
                const NAME: &'static str = "more_totals";
                const VERSION: u32 = $version;

                fn project(&self, event: &Recorded<AccountEvent>, rows: &mut Rows<Total>) {
                    count(event, rows);
                }
            }

            impl Projection for Names {
                type Event = AccountEvent;
                type Row = Name;
                const NAME: &'static str = "names";

                fn project(&self, event: &Recorded<AccountEvent>, rows: &mut Rows<Name>) {
                    rows.put(Name { name: event.key().to_owned() });
                }
            }

            pub(super) async fn start(storage: impl OpenStorage + 'static) -> Result<Application, ApplicationError> {
                let snapshots = SnapshotPolicy::every(600);
                Application::builder("shapes")
                    .storage(storage)
                    .decider_with::<Account>(DeciderOptions { snapshots })
                    .projection(Totals)
                    .projection(MoreTotals)
                    .projection(Names)
                    .start()
                    .await
            }
        }
    };
}

deployment!(before, schema: 1, step: 1, version: 1, {});
deployment!(recounting, schema: 2, step: 3, version: 1, {});
deployment!(careless, schema: 1, step: 1, version: 1, { doubled: u32 = 2 });
deployment!(careful, schema: 1, step: 1, version: 2, { doubled: u32 = 2 });

/// Rows written before, then read by code that declares them otherwise.
async fn rows_of_another_shape<S: OpenStorage + 'static>(storage: impl Fn() -> S) {
    let app = before::start(storage()).await.unwrap();
    let receipt = app.execute("a", before::AccountCommand::Add { times: 3 }).await.unwrap();
    app.view::<before::Totals>().at_least_position(receipt.position).get("a").await.unwrap().unwrap();
    app.shutdown().await.unwrap();

    let error = careless::start(storage()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the application has 2 fault(s):
  1. the rows of read model \"totals\" were written in another shape than `Total` now has, and `Totals` is still of version 1
     → write `const VERSION: u32 = 2;` in `impl Projection for Totals`, and the rows are rebuilt
  2. the rows of read model \"more_totals\" were written in another shape than `Total` now has, and `MoreTotals` is still of version 1
     → write `const VERSION: u32 = 2;` in `impl Projection for MoreTotals`, and the rows are rebuilt"
    );

    before::start(storage()).await.expect("nothing was changed").shutdown().await.unwrap();

    let app = careful::start(storage()).await.expect("the line was written");
    let receipt = app.execute("a", careful::AccountCommand::Add { times: 1 }).await.unwrap();
    let view = app.view::<careful::Totals>();
    let row = view.at_least_position(receipt.position).get("a").await.unwrap().unwrap();
    assert_eq!(row.counts.doubled, 8, "the row was rebuilt");
    app.shutdown().await.unwrap();
}

/// Leaves a snapshot of 600 events.
async fn with_a_snapshot(storage: impl OpenStorage + 'static) {
    let app = before::start(storage).await.unwrap();
    app.execute("a", before::AccountCommand::Add { times: 600 }).await.unwrap();
    let stream: StreamId = "account/a".parse().unwrap();
    // It is saved in the background by a task that was spawned before the answer: each turn lets it go on.
    while app.storage().snapshots.load_snapshot(&stream).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    app.shutdown().await.unwrap();
}

/// A snapshot saved before, then found by code whose state has a field more.
async fn a_snapshot_of_another_shape<S: OpenStorage + 'static>(storage: impl Fn() -> S) {
    with_a_snapshot(storage()).await;
    let app = careful::start(storage()).await.unwrap();
    let loaded = app.load::<careful::Account>("a").await.unwrap().unwrap();
    assert_eq!(loaded.state.doubled, 1_200, "read from the snapshot, it would be 0");
    app.shutdown().await.unwrap();
}

/// A snapshot saved before, then found by code whose `evolve` counts otherwise, and which says so.
async fn a_snapshot_of_another_schema<S: OpenStorage + 'static>(storage: impl Fn() -> S) {
    with_a_snapshot(storage()).await;
    let app = recounting::start(storage()).await.unwrap();
    let loaded = app.load::<recounting::Account>("a").await.unwrap().unwrap();
    assert_eq!(loaded.state.total, 1_800, "read from the snapshot, it would be 600");
    app.shutdown().await.unwrap();
}

#[tokio::test]
async fn rows_of_another_shape_under_the_same_version_are_findings_on_memory() {
    let storage = MemoryStorage::new();
    rows_of_another_shape(|| storage.clone()).await;
}

#[tokio::test]
async fn rows_of_another_shape_under_the_same_version_are_findings_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    rows_of_another_shape(|| Sqlite::file(folder.path().join("shapes.db"))).await;
}

#[tokio::test]
async fn a_snapshot_of_another_shape_is_folded_anew_on_memory() {
    let storage = MemoryStorage::new();
    a_snapshot_of_another_shape(|| storage.clone()).await;
}

#[tokio::test]
async fn a_snapshot_of_another_shape_is_folded_anew_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    a_snapshot_of_another_shape(|| Sqlite::file(folder.path().join("shapes.db"))).await;
}

#[tokio::test]
async fn a_snapshot_of_another_schema_is_folded_anew_on_memory() {
    let storage = MemoryStorage::new();
    a_snapshot_of_another_schema(|| storage.clone()).await;
}

#[tokio::test]
async fn a_snapshot_of_another_schema_is_folded_anew_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    a_snapshot_of_another_schema(|| Sqlite::file(folder.path().join("shapes.db"))).await;
}
