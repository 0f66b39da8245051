//! A `WebSocket` is one connection on which a client follows several topics.
//!
//! What can be followed is said by `live/`; here is how it is asked for and sent.
//!
//! | client | server |
//! |---|---|
//! | `{"type":"auth","token":"…"}`, first, unless the request had a token | nothing, or `error` and the end |
//! | `{"type":"subscribe","topic":"…",…}`, with `position` to resume | `subscribed` with `position`, then messages of the topic |
//! | `{"type":"unsubscribe","topic":"…",…}` | `unsubscribed` |
//! | `{"type":"ping"}` | `pong` |
//!
//! What was wrong with a message is answered by `{"type":"error","code","status","detail"}`, with the codes of problems.

mod message;
mod session;
mod topics;

pub use topics::Topics;

use crate::layer::is_foreign;
use crate::live::Kind;
use crate::{ClientIp, Principal, Problem, Routes, Web, get};
use axum::Extension;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use session::Session;
use std::sync::Arc;

/// Most bytes that wait for one client: one message, which may be the picture of a large hall.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// A route at `path` on which whoever has signed in follows these topics.
///
/// A page of another site is refused with 403, unless the operator named its origin
/// ([`HttpOptions::cors_origins`](crate::HttpOptions::cors_origins)). The limits are
/// [`HttpOptions::live`](crate::HttpOptions::live); who sends too much or does not say who he is loses the connection
/// with 1008, one that sends what is too large with 1009, and all with 1001 when the service stops.
///
/// ```
/// # use composable_rust_runtime::Application;
/// # use composable_rust_web::{Topic, Topics, WebExt, web_socket};
/// # fn with<A: Topic, B: Topic>(places: A, orders: B) {
/// let builder = Application::builder("shop").routes(web_socket("/ws", Topics::new().with(places).with(orders)));
/// # }
/// ```
pub fn web_socket(path: &str, topics: Topics) -> Routes {
    let open = get(open).about("Follows topics on a WebSocket");
    Routes::new().route(path, open).layer(Extension(Arc::new(topics)))
}

async fn open(
    (Extension(web), Extension(topics)): (Extension<Web>, Extension<Arc<Topics>>),
    client: ClientIp,
    headers: HeaderMap,
    who: Option<Principal>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    if is_foreign(&headers, &web.options().cors_origins) {
        return Err(Problem::forbidden("this was sent from a page of another site"));
    }
    let live = web.live();
    let holder = (client.0, who.as_ref().map(|who| who.user_id));
    let slot = live.slots.connection(Kind::WebSocket, holder, &live.options)?;
    // Counts from now on, so that a stop waits for a socket that is being handed over.
    let counted = live.sockets.token();
    let most = live.options.max_message;
    let upgrade = upgrade.max_message_size(most).max_frame_size(most);
    let upgrade = upgrade.read_buffer_size(most).write_buffer_size(0).max_write_buffer_size(LARGEST_ANSWER);
    Ok(upgrade.on_upgrade(async move |socket: WebSocket| {
        Session::new(socket, (web, topics), who).run().await;
        drop((slot, counted));
    }))
}
