//! What arguments and answers of handlers say about their operation.

use super::Operation;
use crate::extract::PageQuery;
use crate::{
    ClientIp, CommandRequest, Created, EventStream, Follow, FormBody, IfMatch, JsonBody, KeyedRequest,
    MinPosition, PageBody, Pagination, PathId, PathIds, Principal, Problem, QueryParams, RequestIds, Written,
};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{Html, Response};
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde_json::json;

/// An argument or an answer of a handler, as it shows in the API's description. Those of this crate are described; an
/// application describes its own where they show.
pub trait Describes {
    /// Adds what there is to say.
    fn describe(operation: &mut Operation) {
        let _ = operation;
    }
}

/// A handler, whose arguments and answer are described.
pub trait Described<Arguments> {
    /// Adds what they say.
    fn describe(operation: &mut Operation);
}

macro_rules! handlers {
    ($($argument:ident)*) => {
        impl<F, Answer, $($argument),*> Described<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Answer,
            Answer: Future,
            Answer::Output: Describes,
            $($argument: Describes,)*
        {
            fn describe(operation: &mut Operation) {
                $($argument::describe(operation);)*
                <Answer::Output as Describes>::describe(operation);
            }
        }
    };
}

handlers!();
handlers!(A);
handlers!(A B);
handlers!(A B C);
handlers!(A B C D);
handlers!(A B C D E);
handlers!(A B C D E G);
handlers!(A B C D E G H);
handlers!(A B C D E G H I);

// What a client sees nothing of.
impl<S> Describes for State<S> {}
impl<T> Describes for Extension<T> {}
impl Describes for RequestIds {}
impl Describes for ClientIp {}
impl Describes for HeaderMap {}
impl Describes for Response {}
impl Describes for StatusCode {}
impl<T> Describes for Html<T> {}
impl Describes for () {}
impl Describes for String {}
impl Describes for &'static str {}
impl Describes for Problem {}

impl Describes for Request {
    fn describe(operation: &mut Operation) {
        operation.raw();
    }
}

impl<T: Describes> Describes for Option<T> {
    fn describe(operation: &mut Operation) {
        operation.optional(T::describe);
    }
}

impl<T: Describes, E> Describes for Result<T, E> {
    fn describe(operation: &mut Operation) {
        T::describe(operation);
    }
}

impl<A: Describes, B: Describes> Describes for (A, B) {
    fn describe(operation: &mut Operation) {
        A::describe(operation);
        B::describe(operation);
    }
}

impl Describes for Principal {
    fn describe(operation: &mut Operation) {
        operation.signed_in();
    }
}

impl<T: JsonSchema> Describes for PathId<T> {
    fn describe(operation: &mut Operation) {
        operation.path::<T>();
        operation.refuses(StatusCode::BAD_REQUEST, &["invalid_parameter"]);
        operation.refuses(StatusCode::NOT_FOUND, &["not_found"]);
    }
}

impl<A: JsonSchema, B: JsonSchema> Describes for PathIds<A, B> {
    fn describe(operation: &mut Operation) {
        PathId::<A>::describe(operation);
        operation.path::<B>();
    }
}

impl<T: JsonSchema> Describes for JsonBody<T> {
    fn describe(operation: &mut Operation) {
        operation.body::<T>("application/json");
        operation.refuses_bad_body();
    }
}

impl<T: JsonSchema> Describes for FormBody<T> {
    fn describe(operation: &mut Operation) {
        JsonBody::<T>::describe(operation);
        operation.body::<T>("application/x-www-form-urlencoded");
    }
}

impl Describes for CommandRequest {
    fn describe(operation: &mut Operation) {
        operation.refuses(StatusCode::PAYLOAD_TOO_LARGE, &["command_too_large"]);
        // Only a POST is recognised when it comes again.
        if operation.method == Method::POST {
            operation.optional(keyed);
        }
    }
}

impl Describes for KeyedRequest {
    fn describe(operation: &mut Operation) {
        operation.refuses(StatusCode::PAYLOAD_TOO_LARGE, &["command_too_large"]);
        operation.refuses(StatusCode::BAD_REQUEST, &["idempotency_key_missing"]);
        keyed(operation);
    }
}

fn keyed(operation: &mut Operation) {
    let about = "Makes a repeat of this request act once and get the first answer, for 24 hours.";
    // Visible ASCII, in quotes or bare.
    let schema = json!({ "type": "string", "pattern": "^(\"[!-~]{1,200}\"|[!#-~][!-~]{0,199})$" });
    operation.header("Idempotency-Key", about, schema);
    operation.refuses(StatusCode::BAD_REQUEST, &["invalid_parameter"]);
    operation.refuses(StatusCode::CONFLICT, &["request_in_progress", "answer_not_kept"]);
    operation.refuses(StatusCode::UNPROCESSABLE_ENTITY, &["idempotency_key_reused"]);
    operation.answers_header("Idempotent-Replayed", "If this is the first answer again, `true`.");
}

impl Describes for IfMatch {
    fn describe(operation: &mut Operation) {
        let about = "The ETag of the last read: nothing is done to another version.";
        let schema = json!({ "type": "string", "pattern": r#"^(\*|"[0-9]{1,19}")$"#, "examples": ["*"] });
        operation.header("If-Match", about, schema);
        operation.refuses(StatusCode::BAD_REQUEST, &["invalid_parameter"]);
        operation.refuses(StatusCode::PRECONDITION_FAILED, &["version_mismatch"]);
        operation.required(|operation| {
            operation.refuses(StatusCode::PRECONDITION_REQUIRED, &["if_match_missing"]);
        });
    }
}

impl Describes for MinPosition {
    fn describe(operation: &mut Operation) {
        let about = "The X-Position of an earlier write that must be shown; it is waited for, 5 s at most.";
        let schema = json!({ "type": "integer", "minimum": 0, "maximum": i64::MAX });
        operation.optional(|operation| operation.header("X-Min-Position", about, schema));
        operation.refuses(StatusCode::BAD_REQUEST, &["invalid_parameter"]);
        operation.refuses(StatusCode::SERVICE_UNAVAILABLE, &["view_behind"]);
    }
}

impl Describes for Pagination {
    fn describe(operation: &mut Operation) {
        QueryParams::<PageQuery>::describe(operation);
    }
}

impl<T: JsonSchema> Describes for QueryParams<T> {
    fn describe(operation: &mut Operation) {
        operation.query::<T>();
        operation.refuses(StatusCode::BAD_REQUEST, &["invalid_parameter"]);
    }
}

impl Describes for Follow {
    fn describe(operation: &mut Operation) {
        operation.optional(|operation| {
            operation.signed_in();
            let about = "The id of the last event that was seen, to go on from there.";
            operation.header("Last-Event-ID", about, json!({ "type": "string" }));
        });
        operation.refuses(StatusCode::SERVICE_UNAVAILABLE, &["view_behind"]);
    }
}

impl Describes for WebSocketUpgrade {
    fn describe(operation: &mut Operation) {
        operation.succeeds(StatusCode::SWITCHING_PROTOCOLS);
        operation.refuses(StatusCode::BAD_REQUEST, &["malformed_request"]);
        operation.refuses(StatusCode::FORBIDDEN, &["forbidden"]);
        operation.refuses(StatusCode::UPGRADE_REQUIRED, &["upgrade_required"]);
    }
}

impl Describes for EventStream {
    fn describe(operation: &mut Operation) {
        operation.answers_text("text/event-stream");
    }
}

impl<T: JsonSchema> Describes for Json<T> {
    fn describe(operation: &mut Operation) {
        operation.answers::<T>();
    }
}

impl<T: JsonSchema> Describes for Written<T> {
    fn describe(operation: &mut Operation) {
        operation.answers::<T>();
        operation.answers_header("ETag", "The version, for If-Match.");
        if !operation.method.is_safe() {
            operation.answers_header("X-Position", "Where it was written, for X-Min-Position.");
        }
    }
}

impl<T: JsonSchema> Describes for Created<T> {
    fn describe(operation: &mut Operation) {
        Written::<T>::describe(operation);
        operation.succeeds(StatusCode::CREATED);
        operation.answers_header("Location", "Where it is.");
    }
}

impl<T: JsonSchema> Describes for PageBody<T> {
    fn describe(operation: &mut Operation) {
        operation.answers::<Self>();
        operation.answers_header("X-Position", "What the list shows.");
    }
}
