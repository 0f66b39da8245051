//! A client of the HTTP interface that talks to an application in this process.

use axum::body::{Body, to_bytes};
use axum::http::request::Builder;
use axum::http::{Method, Request, StatusCode, header};
use composable_rust::Clock;
use composable_rust::web::InProcess;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// A client, signed in or not.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    server: Arc<InProcess>,
    token: Option<String>,
    clock: Arc<dyn Clock>,
}

/// Before a request is sent again.
const PAUSE: Duration = Duration::from_millis(100);

/// A status with its JSON body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Answer {
    /// The text at `pointer`, or nothing.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether asking again may help: the server was busy, draining or could not reach its store.
    pub(crate) fn is_temporary(&self) -> bool {
        self.status.is_server_error() || self.text("/code") == "request_in_progress"
    }
}

impl Client {
    pub(crate) fn new(app: &composable_rust::Application) -> Self {
        let server = app.get::<InProcess>().expect("an application with HTTP");
        Self { server, token: None, clock: Arc::clone(&app.environment().clock) }
    }

    /// The same client, signed in.
    pub(crate) async fn sign_in(&self, email: &str) -> Self {
        let body = serde_json::json!({ "email": email });
        let answer = self.insist("/api/auth/dev-sign-in", None, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        Self { token: Some(answer.text("/token").to_owned()), ..self.clone() }
    }

    /// Posts under an Idempotency-Key, again and again while the server says that it may help.
    pub(crate) async fn post(&self, path: &str, key: &str, body: Value) -> Answer {
        self.insist(path, Some(key), body).await
    }

    async fn insist(&self, path: &str, key: Option<&str>, body: Value) -> Answer {
        loop {
            let answer = self.send(Method::POST, path, key, Some(body.clone())).await;
            if !answer.is_temporary() {
                return answer;
            }
            self.clock.sleep(PAUSE).await;
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, None).await
    }

    /// A request of whoever is signed in.
    pub(crate) fn signed(&self, request: Builder) -> Builder {
        match &self.token {
            Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        }
    }

    async fn send(&self, method: Method, path: &str, key: Option<&str>, body: Option<Value>) -> Answer {
        let mut request = self.signed(Request::builder().method(method).uri(path));
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let response = self.server.answer(request.body(body).expect("a request")).await;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body in memory");
        Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }
}
