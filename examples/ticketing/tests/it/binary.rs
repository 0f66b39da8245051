//! The real program, started as a stranger starts it, and a client for it.

use crate::openapi::is_described;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use std::fs::{OpenOptions, read_to_string};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

/// The program in a folder of its own.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    pub(crate) url: String,
    pub(crate) http: Client,
}

/// The command, without the variables of whoever runs the tests.
pub(crate) fn ticketing(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ticketing"));
    command.current_dir(folder).env_clear().env("PORT", "0").stdin(Stdio::null());
    command
}

/// A folder that goes with the test.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

impl Server {
    /// Starts in `folder` with these variables; ready when it says where it listens. What it logs is in the file `log`.
    pub(crate) fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        Self::start_with(ticketing(folder).envs(variables.iter().copied()))
    }

    pub(crate) fn start_with(command: &mut Command) -> Self {
        let mut server = Self::launch(command);
        let said = first_line(server.child.stdout.take().unwrap());
        server.hear(said);
        server
    }

    /// Starts the program and does not wait until it listens.
    pub(crate) fn launch(command: &mut Command) -> Self {
        let log = command.get_current_dir().unwrap().join("log");
        let errors = OpenOptions::new().append(true).create(true).open(&log).unwrap();
        let child = command.stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        Self { url: String::new(), log, child, http: Client::new() }
    }

    /// Starts it so many times at once and answers those that run, when the others have ended.
    pub(crate) fn start_at_once(folder: &Path, count: usize) -> Vec<Self> {
        let launched: Vec<_> = (0..count).map(|_| Self::launch(&mut ticketing(folder))).collect();
        let run = launched.into_iter().filter_map(|mut server| {
            let said = first_line(server.child.stdout.take().unwrap());
            (!said.0.is_empty()).then(|| {
                server.hear(said);
                server
            })
        });
        run.collect()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").arg(signal).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// How it ended, when it has.
    pub(crate) fn ended(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Waits until a launched program listens. A program that is killed meanwhile must have been told not to wait.
    #[expect(
        clippy::disallowed_methods,
        reason = "reads a pipe of another program; nothing is simulated here"
    )]
    pub(crate) async fn listens(&mut self) {
        let output = self.child.stdout.take().unwrap();
        let said = tokio::task::spawn_blocking(move || first_line(output)).await.unwrap();
        self.hear(said);
    }

    fn hear(&mut self, (line, output): (String, ChildStdout)) {
        let url = line.trim().strip_prefix("listening on ");
        self.url = url.unwrap_or_else(|| panic!("it says {line:?}\n{}", self.log())).to_owned();
        self.child.stdout = Some(output);
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn sign_in(&self, email: &str) -> Person<'_> {
        let answer = self.request(Method::POST, "/api/auth/dev-sign-in").json(&json!({ "email": email }));
        let body: Value = answer.send().await.unwrap().json().await.unwrap();
        Person { server: self, token: text(&body, "/token"), id: text(&body, "/user_id") }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    /// What it has logged, in this run and in earlier ones.
    pub(crate) fn log(&self) -> String {
        read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(self) -> ExitStatus {
        self.signal("-TERM");
        self.ended()
    }
}

impl Drop for Server {
    /// As a crash would.
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What the program says first, and its output, which stays open.
fn first_line(mut output: ChildStdout) -> (String, ChildStdout) {
    let mut line = String::new();
    BufReader::new(&mut output).read_line(&mut line).unwrap();
    (line, output)
}

/// How a program ended that was not meant to stay: its status, output and errors.
pub(crate) fn run(command: &mut Command) -> (ExitStatus, String, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut output, mut errors) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    (child.wait().unwrap(), output, errors)
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person<'a> {
    pub(crate) server: &'a Server,
    token: String,
    pub(crate) id: String,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Person<'_> {
    pub(crate) fn token(&self) -> String {
        self.token.clone()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.server.request(method, path).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    /// A list that shows at least what `after` wrote.
    pub(crate) async fn list_after(&self, path: &str, after: &Answer) -> Answer {
        let request = self.request(Method::GET, path).header("x-min-position", after.header("x-position"));
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path).send().await.unwrap()).await
    }

    /// Posts under a fresh key.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        static KEYS: AtomicU64 = AtomicU64::new(0);
        let key = format!("key-{}", KEYS.fetch_add(1, Ordering::Relaxed));
        self.post_as(path, &key, body).await
    }

    pub(crate) async fn post_as(&self, path: &str, key: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).header("idempotency-key", key).json(&body);
        Answer::of(request.send().await.unwrap()).await
    }

    /// Makes a show with one section of so many places at 45.00 and puts it on sale.
    pub(crate) async fn sell(&self, capacity: u32) -> OnSale {
        self.sell_with(capacity, json!({})).await
    }

    /// As [`Self::sell`], with other fields.
    pub(crate) async fn sell_with(&self, capacity: u32, changes: Value) -> OnSale {
        let mut event = event(capacity);
        event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let created = self.post("/api/events", event).await.expect(201);
        let id = created.text("/id");
        self.post(&format!("/api/events/{id}/publish"), json!({})).await.expect(200);
        let open = self.post(&format!("/api/events/{id}/open-sales"), json!({})).await.expect(200);
        assert_eq!(open.text("/status"), "sales_open");
        let (section, tier) = (open.text("/sections/0/id"), open.text("/sections/0/tiers/0/id"));
        OnSale { id, section, tier }
    }

    pub(crate) async fn reserve(&self, show: &OnSale, quantity: u32) -> Answer {
        self.post("/api/reservations", show.order(quantity)).await
    }

    pub(crate) async fn pay(&self, reservation: &Answer, outcome: &str) -> Answer {
        let method = json!({ "type": "simulated", "outcome": outcome });
        let body = json!({ "reservation_id": reservation.text("/id"), "method": method });
        self.post("/api/payments", body).await
    }
}

/// A show on sale.
#[derive(Debug, Clone)]
pub(crate) struct OnSale {
    pub(crate) id: String,
    pub(crate) section: String,
    pub(crate) tier: String,
}

impl OnSale {
    pub(crate) fn order(&self, quantity: u32) -> Value {
        let line = json!({ "section_id": self.section, "tier_id": self.tier, "quantity": quantity });
        json!({ "event_id": self.id, "lines": [line] })
    }

    /// Free, held and sold places, with at least what `after` wrote.
    pub(crate) async fn places(&self, server: &Server, after: &Answer) -> [u64; 3] {
        self.places_at(server, &after.header("x-position")).await.1
    }

    /// The counts at `position` or later, and the position that they show.
    pub(crate) async fn places_at(&self, server: &Server, position: &str) -> (u64, [u64; 3]) {
        let path = format!("/api/events/{}/availability", self.id);
        let request = server.request(Method::GET, &path).header("x-min-position", position);
        let answer = Answer::of(request.send().await.unwrap()).await.expect(200);
        let section = &answer.body["sections"][0];
        let [free, held, sold, blocked, capacity] =
            ["free", "held", "sold", "blocked", "capacity"].map(|name| section[name].as_u64().unwrap());
        assert_eq!(capacity, free + held + sold + blocked, "{section}");
        (answer.body["position"].as_u64().unwrap(), [free, held, sold])
    }
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let path = response.url().path().to_owned();
        let bytes = response.bytes().await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let answer = Self { status, headers, body };
        is_described(&path, status, &answer.header("content-type"), &answer.body).await;
        answer
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Checks that it is a problem with this status and code.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status, self.body["code"].as_str().unwrap_or_default()),
            (status, code),
            "{}",
            self.body
        );
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["type"], format!("/problems/{code}"));
        self.body
    }

    pub(crate) fn text(&self, pointer: &str) -> String {
        text(&self.body, pointer)
    }

    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }
}

/// The body of a new event.
pub(crate) fn event(capacity: u32) -> Value {
    let tier = json!({ "name": "Standing", "price": { "amount": 4_500, "currency": "EUR" } });
    json!({
        "title": "Concert", "currency": "EUR", "starts_at": "2030-06-01T18:00:00Z",
        "venue": { "name": "Hall", "time_zone": "Europe/Berlin" },
        "sections": [{ "name": "Floor", "kind": "general", "capacity": capacity, "tiers": [tier] }]
    })
}

fn text(body: &Value, pointer: &str) -> String {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}
