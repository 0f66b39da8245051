//! What arguments and answers of handlers say about their operation.

use super::Operation;
use crate::{
    ClientIp, CommandRequest, EventStream, Follow, FormBody, IfMatch, JsonBody, KeyedRequest, MinPosition,
    PageBody, Pagination, PathId, PathIds, Principal, Problem, QueryParams, RequestIds, Written,
};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{Html, Response};
use axum::{Extension, Json};
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde_json::json;
use std::fmt;

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
impl Describes for Request {}
impl Describes for Response {}
impl Describes for StatusCode {}
impl<T> Describes for Html<T> {}
impl Describes for () {}
impl Describes for String {}
impl Describes for &'static str {}
impl Describes for Problem {}

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
        operation.refuses(&[StatusCode::UNAUTHORIZED]);
    }
}

impl<T> Describes for PathId<T> {
    fn describe(operation: &mut Operation) {
        operation.has_path = true;
        operation.refuses(&[StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND]);
    }
}

impl<A, B> Describes for PathIds<A, B> {
    fn describe(operation: &mut Operation) {
        PathId::<A>::describe(operation);
    }
}

impl<T> Describes for JsonBody<T> {
    fn describe(operation: &mut Operation) {
        operation.body("application/json");
        operation.refuses(&[
            StatusCode::BAD_REQUEST,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ]);
    }
}

impl<T> Describes for FormBody<T> {
    fn describe(operation: &mut Operation) {
        JsonBody::<T>::describe(operation);
        operation.body("application/x-www-form-urlencoded");
    }
}

impl Describes for CommandRequest {
    fn describe(operation: &mut Operation) {
        // Only a POST is recognised when it comes again.
        if operation.method == Method::POST {
            operation.optional(KeyedRequest::describe);
        }
    }
}

impl Describes for KeyedRequest {
    fn describe(operation: &mut Operation) {
        let about = "Makes a repeat of this request act once and get the first answer, for 24 hours.";
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": 200 });
        operation.header("Idempotency-Key", about, &schema);
        let statuses = [StatusCode::BAD_REQUEST, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY];
        operation.refuses(&statuses);
        operation.answers_header("Idempotent-Replayed", "`true` when this is the first answer again.");
    }
}

impl Describes for IfMatch {
    fn describe(operation: &mut Operation) {
        let about = "The ETag of the last read: nothing is done to another version.";
        operation.header("If-Match", about, &json!({ "type": "string" }));
        operation.refuses(&[StatusCode::BAD_REQUEST, StatusCode::PRECONDITION_FAILED]);
        operation.refuses(&[StatusCode::PRECONDITION_REQUIRED]);
    }
}

impl Describes for MinPosition {
    fn describe(operation: &mut Operation) {
        let about = "The X-Position of an earlier write that must be shown; it is waited for, 5 s at most.";
        let schema = json!({ "type": "integer", "minimum": 0 });
        operation.optional(|operation| operation.header("X-Min-Position", about, &schema));
        operation.refuses(&[StatusCode::BAD_REQUEST, StatusCode::SERVICE_UNAVAILABLE]);
    }
}

impl Describes for Pagination {
    fn describe(operation: &mut Operation) {
        operation.query("page", &json!({ "type": "integer", "minimum": 1, "default": 1 }));
        let size = json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 20 });
        operation.query("page_size", &size);
        operation.refuses(&[StatusCode::BAD_REQUEST]);
    }
}

impl<T: DeserializeOwned> Describes for QueryParams<T> {
    fn describe(operation: &mut Operation) {
        let mut names: &'static [&'static str] = &[];
        // It stops at the names.
        let _ = T::deserialize(Names(&mut names));
        for name in names {
            operation.query(name, &json!({ "type": "string" }));
        }
        operation.refuses(&[StatusCode::BAD_REQUEST]);
    }
}

impl Describes for Follow {
    fn describe(operation: &mut Operation) {
        operation.optional(|operation| {
            operation.signed_in();
            let about = "The id of the last event that was seen, to go on from there.";
            operation.header("Last-Event-ID", about, &json!({ "type": "string" }));
        });
        operation.refuses(&[StatusCode::TOO_MANY_REQUESTS]);
    }
}

impl Describes for WebSocketUpgrade {
    fn describe(operation: &mut Operation) {
        operation.refuses(&[StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS]);
    }
}

impl Describes for EventStream {
    fn describe(operation: &mut Operation) {
        operation.answers("text/event-stream");
    }
}

impl<T> Describes for Json<T> {
    fn describe(operation: &mut Operation) {
        operation.answers("application/json");
    }
}

impl<T> Describes for Written<T> {
    fn describe(operation: &mut Operation) {
        operation.answers("application/json");
        operation.answers_header("ETag", "The version, for If-Match.");
        if !operation.method.is_safe() {
            operation.answers_header("X-Position", "Where it was written, for X-Min-Position.");
        }
    }
}

impl<T> Describes for PageBody<T> {
    fn describe(operation: &mut Operation) {
        operation.answers("application/json");
        operation.answers_header("X-Position", "What the list shows.");
    }
}

/// Asks a struct for the names of its fields, and gives it nothing.
struct Names<'a>(&'a mut &'static [&'static str]);

#[derive(Debug)]
struct Asked;

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("only the names were asked for")
    }
}

impl std::error::Error for Asked {}

impl serde::de::Error for Asked {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Asked;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Asked> {
        *self.0 = fields;
        Err(Asked)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
