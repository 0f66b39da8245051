//! Answers that are kept: made again when rows change and at no other time, and never older than what was waited for.

use crate::domain::FreeSeatsView;
use crate::live::{open, take};
use crate::server::{TestServer, start};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use composable_rust_core::port::Append;
use composable_rust_core::{
    EventId, EventMetadata, ExpectedVersion, NewEvent, Position, SchemaVersion, StreamId,
};
use composable_rust_runtime::Application;
use composable_rust_web::{MinPosition, Problem, ViewAnswer, ViewAnswers};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// All rooms, counted each time that the answer is made.
pub(crate) fn routes() -> Router<Application> {
    let (answers, made) = (ViewAnswers::<()>::keeping(1024 * 1024), Arc::new(AtomicU64::new(0)));
    let all = async move |State(app): State<Application>, at: MinPosition| -> Result<ViewAnswer, Problem> {
        let view = at.of(app.view::<FreeSeatsView>());
        let count = async |view: composable_rust_runtime::View<FreeSeatsView>| {
            let page = view.query().fetch().await?;
            let free: u32 = page.items.iter().map(|row| row.free).sum();
            let made = made.fetch_add(1, Ordering::Relaxed) + 1;
            ViewAnswer::new(page.position, &format!("{{\"free\":{free},\"made\":{made}}}"))
        };
        answers.get((), view, count).await
    };
    Router::new().route("/all-rooms", get(all))
}

/// An event that no view takes; where it is in the log.
async fn foreign(server: &TestServer) -> Position {
    let environment = server.app.environment();
    let event = NewEvent {
        id: EventId::from_uuid(environment.new_id()),
        event_type: "foreign.Happened".into(),
        schema_version: SchemaVersion::FIRST,
        payload: b"1".to_vec().into(),
        metadata: EventMetadata::default().encode(),
    };
    let stream = StreamId::new("foreign", "x").unwrap();
    let append = Append::to(stream, ExpectedVersion::Any, vec![event]);
    server.app.events().append(append).await.unwrap().position
}

/// The answer as of `position` or later: the position that it tells, how many seats are free, and which answer it is.
async fn seen(server: &TestServer, position: Position) -> (u64, u64, u64) {
    let request = server.get("/all-rooms").header("x-min-position", position.to_string());
    let response = request.send().await.unwrap();
    let told: u64 = response.headers()["x-position"].to_str().unwrap().parse().unwrap();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["position"], told);
    assert!(told >= position.get(), "{told} was told, and {position} waited for");
    (told, body["free"].as_u64().unwrap(), body["made"].as_u64().unwrap())
}

#[tokio::test]
async fn an_answer_is_made_again_when_rows_have_changed_and_not_for_what_others_write() {
    let server = start().await;
    let room = open(&server, 10).await;
    let first = seen(&server, server.app.events().signal().position()).await;
    assert_eq!((first.1, first.2), (10, 1));
    for _ in 0..5 {
        let position = foreign(&server).await;
        let (_, free, made) = seen(&server, position).await;
        assert_eq!((free, made), (10, 1), "the same answer, told at a later position");
    }
    for taken in 1..=5 {
        take(&server, &room).await;
        let (_, free, made) = seen(&server, server.app.events().signal().position()).await;
        assert_eq!((free, made), (10 - taken, 1 + taken));
    }
}

#[tokio::test]
async fn whoever_waits_for_his_own_write_sees_it_however_many_ask_at_once() {
    let server = Arc::new(start().await);
    let room = Arc::new(open(&server, 200).await);
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (server, room) = (Arc::clone(&server), Arc::clone(&room));
        writers.spawn(async move {
            let mut before = 201;
            for _ in 0..20 {
                take(&server, &room).await;
                foreign(&server).await;
                let (_, free, _) = seen(&server, server.app.events().signal().position()).await;
                assert!(free < before, "{free} are free after one more was taken, and {before} were before");
                before = free;
            }
        });
    }
    while let Some(written) = writers.join_next().await {
        written.unwrap();
    }
    assert_eq!(seen(&server, server.app.events().signal().position()).await.1, 40);
}
