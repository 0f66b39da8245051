//! A running application with the routes that the tests ask, and a client for it.

use crate::domain::{FreeSeatsView, Room, RoomBody, RoomCommand, RoomId};
use crate::{browser, live, pages, sockets, view_answers};
use async_trait::async_trait;
use axum::extract::State;
use axum::response::Html;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use composable_rust_core::port::LogQuery;
use composable_rust_core::{Environment, Position, UserId};
use composable_rust_runtime::{Application, ApplicationOptions, CommandOn, live_environment};
use composable_rust_testing::memory::{Faults, MemoryStorage};
use composable_rust_web::{
    Authenticator, CommandRequest, Created, Findings, HttpOptions, IfMatch, JsonBody, KeyedRequest,
    Listening, MinPosition, PageBody, Pagination, PathId, PathIds, Principal, Problem, QueryParams,
    RequestIds, Validate, WebExt, Written, body_limit,
};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

pub(crate) struct TestServer {
    pub(crate) app: Application,
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    pub(crate) gate: Gate,
    pub(crate) faults: Faults,
}

/// Holds `/wait` until the test lets it go, and tells when a request has come in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate {
    pub(crate) arrived: Arc<Notify>,
    pub(crate) open: Arc<Notify>,
}

pub(crate) async fn start() -> TestServer {
    start_with(|options| options).await
}

pub(crate) async fn start_with(change: impl FnOnce(HttpOptions) -> HttpOptions) -> TestServer {
    start_in(live_environment(), change).await
}

/// Starts on what an earlier server has written.
pub(crate) async fn start_on(storage: MemoryStorage) -> TestServer {
    launch(storage, live_environment(), |options| options).await
}

/// Starts with a clock or ids of the test's own.
pub(crate) async fn start_in(
    environment: Environment,
    change: impl FnOnce(HttpOptions) -> HttpOptions,
) -> TestServer {
    launch(MemoryStorage::new(), environment, change).await
}

async fn launch(
    storage: MemoryStorage,
    environment: Environment,
    change: impl FnOnce(HttpOptions) -> HttpOptions,
) -> TestServer {
    let gate = Gate::default();
    let faults = Faults::scripted();
    let options = change(HttpOptions::listen(SocketAddr::from(([127, 0, 0, 1], 0))));
    let app = Application::builder("rooms")
        .storage(storage.with_faults(faults.clone()))
        .environment(environment)
        .options(ApplicationOptions { drain_timeout: Duration::from_secs(1), ..Default::default() })
        .decider::<Room>()
        .projection(FreeSeatsView)
        .http(options)
        .authenticator(Tokens)
        .routes(routes(&gate))
        .routes(browser::routes())
        .routes(live::routes())
        .routes(sockets::routes())
        .routes(pages::routes())
        .routes(view_answers::routes())
        .problem_pages(pages::Pages)
        .start()
        .await
        .unwrap();
    let address = app.get::<Listening>().unwrap().address;
    TestServer { app, address, client: Client::new(), gate, faults }
}

impl TestServer {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// Opens a room as user 1.
    pub(crate) async fn room(&self, seats: u32) -> Value {
        let body = json!({ "name": "hall", "seats": seats });
        let response = self.post("/rooms").bearer_auth("user-1").json(&body).send().await.unwrap();
        assert_eq!(response.status(), 201);
        response.json().await.unwrap()
    }

    /// The events of the log.
    pub(crate) async fn events(&self) -> Vec<composable_rust_core::RecordedEvent> {
        let query = LogQuery::after(Position::ZERO, 1_000);
        self.app.events().read_log(query).await.unwrap().events
    }
}

/// The parts of a problem that every one has, checked, and the whole document.
pub(crate) async fn problem(response: Response, status: u16, code: &str) -> Value {
    let path = response.url().path().to_owned();
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (kind, request_id) = (header("content-type"), header("x-request-id"));
    assert!(header("x-correlation-id").is_some());
    assert_eq!(header("cache-control").as_deref(), Some("no-store"));
    let got = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(got, status, "{text}");
    assert_eq!(kind.as_deref(), Some("application/problem+json"), "{text}");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["code"], code, "{text}");
    assert_eq!(document["type"], format!("/problems/{code}"));
    assert_eq!(document["status"], status);
    assert_eq!(document["instance"], path);
    assert_eq!(document["request_id"], request_id.unwrap());
    assert!(document["title"].is_string() && document["detail"].is_string());
    document
}

/// `user-1` is user 1, `admin-2` is user 2 with the role admin, `broken` cannot be checked.
#[derive(Debug)]
struct Tokens;

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, _: &Application, token: &str) -> Result<Option<Principal>, Problem> {
        if token == "broken" {
            return Err(Problem::overloaded());
        }
        let Some((kind, number)) = token.split_once('-') else { return Ok(None) };
        let roles = match kind {
            "user" => vec![],
            "monitoring" => vec!["monitoring".to_owned()],
            "admin" => vec!["admin".to_owned()],
            _ => return Ok(None),
        };
        let Ok(number) = number.parse() else { return Ok(None) };
        Ok(Some(Principal { user_id: UserId::from_uuid(Uuid::from_u128(number)), email: None, roles }))
    }

    fn cookie(&self) -> Option<&str> {
        Some("session")
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct NewRoom {
    name: String,
    seats: u32,
    #[serde(default)]
    prices: Vec<Price>,
    #[serde(default)]
    kind: Kind,
}

/// Serde reads an enum in its own way.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Hall,
    Stage,
}

#[derive(Debug, Deserialize)]
struct Price {
    amount: i64,
}

impl Validate for NewRoom {
    fn validate(&self, findings: &mut Findings) {
        findings.length("name", &self.name, 1..=20);
        let most = match self.kind {
            Kind::Hall => 1_000,
            Kind::Stage => 10,
        };
        findings.range("seats", self.seats, 1..=most);
        findings.each("prices", &self.prices);
    }
}

impl Validate for Price {
    fn validate(&self, findings: &mut Findings) {
        findings.check(self.amount >= 0, "amount", "negative", "a price is not negative");
    }
}

/// Kinds of types that serde reads each in its own way.
#[derive(Debug, Deserialize)]
pub(crate) struct Pay {
    #[serde(rename = "method")]
    _method: PayBy,
    #[serde(rename = "which")]
    _which: Option<Which>,
    #[serde(rename = "counts", default)]
    _counts: BTreeMap<u32, u8>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum PayBy {
    Free {},
    Card {
        #[serde(rename = "outcome")]
        _outcome: Kind,
    },
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "it must be a number or a list of numbers")]
enum Which {
    One(#[expect(dead_code, reason = "only its form counts")] u32),
    Several(#[expect(dead_code, reason = "only its form counts")] Vec<u32>),
}

impl Validate for Pay {}

#[derive(Debug, Deserialize)]
struct Take {
    seats: u32,
}

impl Validate for Take {}

/// The routes, for an application that has nothing else.
pub(crate) fn routes_alone() -> Router<Application> {
    routes(&Gate::default())
}

fn routes(gate: &Gate) -> Router<Application> {
    let waiting = gate.clone();
    Router::new()
        .route("/rooms", post(open).get(list))
        .route("/rooms/fresh", post(open_afresh))
        .route("/rooms/{id}", get(show).put(rename))
        .route("/rooms/{id}/take", post(take))
        .route("/rooms/{id}/forgetful", post(forgetful))
        .route("/pairs/{a}/{b}", get(pair))
        .route("/names/{name}", get(name))
        .route("/large", put(async |JsonBody(_): JsonBody<Take>| ()).layer(body_limit(512 * 1024)))
        .route("/pay", post(async |JsonBody(_): JsonBody<Pay>| ()))
        .route("/sized", post(sized))
        .route("/reason", post(async |body: Option<JsonBody<Take>>| Json(body.map(|body| body.0.seats))))
        .route("/me", get(async |me: Principal| me.user_id.to_string()))
        .route("/anybody", get(async |me: Option<Principal>| Json(me.is_some())))
        .route("/admin", get(async |me: Principal| me.require_role("admin")))
        .route("/ids", get(async |ids: RequestIds| ids.correlation_id().to_string()))
        .route("/page", get(async || Html("<h1>rooms</h1>")))
        .route("/panic", get(async || -> () { panic!("the secret is 4711") }))
        .route("/novel", post(novel))
        .route("/nothing", post(nothing))
        .route("/wait", get(move || wait(waiting.clone())))
}

async fn wait(gate: Gate) -> &'static str {
    gate.arrived.notify_one();
    gate.open.notified().await;
    "waited"
}

async fn open(
    State(app): State<Application>,
    _: Principal,
    command: CommandRequest,
    JsonBody(body): JsonBody<NewRoom>,
) -> Result<Created<RoomBody>, Problem> {
    let id: RoomId = command.new_id(0);
    let open = RoomCommand::Open { name: body.name, seats: body.seats };
    let receipt = app.execute(id, open).request(command.context()).await?;
    Ok(Written::created(&receipt, format!("/rooms/{id}"), RoomBody::new(id, &receipt.state)))
}

/// Makes an id of its own, as one should not.
async fn open_afresh(
    State(app): State<Application>,
    command: CommandRequest,
) -> Result<Written<()>, Problem> {
    let open = RoomCommand::Open { name: "hall".into(), seats: 1 };
    let receipt = app.execute(app.environment().new_id(), open).request(command.context()).await?;
    Ok(Written::no_content(&receipt))
}

/// Opens a room whose name is longer than any event may be.
async fn novel(State(app): State<Application>) -> Result<(), Problem> {
    let open = RoomCommand::Open { name: "x".repeat(2 * 1024 * 1024), seats: 1 };
    app.execute(Uuid::nil(), open).await?;
    Ok(())
}

async fn nothing(State(app): State<Application>) -> Result<(), Problem> {
    app.execute_all(Vec::<CommandOn<RoomCommand>>::new()).await?;
    Ok(())
}

async fn list(
    State(app): State<Application>,
    page: Pagination,
    at: MinPosition,
    QueryParams(_): QueryParams<Filter>,
) -> Result<PageBody<u32>, Problem> {
    let view = at.of(app.view::<FreeSeatsView>());
    let rows = view.query().page(page.page, page.page_size).fetch().await?;
    Ok(PageBody::new(page, rows, |row| row.free))
}

#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(rename = "free")]
    _free: Option<u32>,
}

async fn show(
    State(app): State<Application>,
    PathId(id): PathId<RoomId>,
) -> Result<Written<RoomBody>, Problem> {
    let loaded = app.load::<Room>(id).await?.ok_or_else(|| Problem::not_found("there is no such room"))?;
    let body = RoomBody::new(id, &loaded.state);
    Ok(Written::ok(&loaded, body))
}

async fn rename(
    State(app): State<Application>,
    PathId(id): PathId<RoomId>,
    expected: IfMatch,
) -> Result<Written<()>, Problem> {
    let receipt = app.execute(id, RoomCommand::Rename { name: "stage".into() }).expecting(expected).await?;
    Ok(Written::ok(&receipt, ()))
}

async fn take(
    State(app): State<Application>,
    PathId(id): PathId<RoomId>,
    command: KeyedRequest,
    JsonBody(body): JsonBody<Take>,
) -> Result<Written<RoomBody>, Problem> {
    let receipt = app.execute(id, RoomCommand::Take { seats: body.seats }).request(command.context()).await?;
    Ok(Written::ok(&receipt, RoomBody::new(id, &receipt.state)))
}

/// Dies between append and answer unless the command had been carried out before.
async fn forgetful(
    State(app): State<Application>,
    PathId(id): PathId<RoomId>,
    command: KeyedRequest,
) -> Result<Written<RoomBody>, Problem> {
    let receipt = app.execute(id, RoomCommand::Take { seats: 1 }).request(command.context()).await?;
    assert!(receipt.replayed, "the power went off");
    Ok(Written::ok(&receipt, RoomBody::new(id, &receipt.state)))
}

/// Opens a room and answers so many bytes.
async fn sized(
    State(app): State<Application>,
    command: KeyedRequest,
    JsonBody(body): JsonBody<Take>,
) -> Result<String, Problem> {
    let open = RoomCommand::Open { name: "hall".into(), seats: 1 };
    app.execute(command.new_id::<RoomId>(0), open).request(command.context()).await?;
    Ok("x".repeat(body.seats as usize))
}

async fn name(PathId(name): PathId<String>) -> String {
    name
}

async fn pair(PathIds(a, b): PathIds<u32, u32>) -> String {
    format!("{a} {b}")
}
