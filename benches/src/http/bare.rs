//! The reference of reads: axum alone, which answers the same bytes. A process of its own, as the measured program is.

use crate::Outcome;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use std::io::{Write as _, stdout};
use std::net::Ipv4Addr;
use tokio::net::TcpListener;

/// Serves until it is ended.
///
/// # Errors
/// When it cannot listen.
///
/// # Cancel safety
/// Dropping the future closes its socket.
pub(crate) async fn serve(body: String) -> Outcome<()> {
    let body = axum::body::Bytes::from(body);
    let answer = async move || ([(CONTENT_TYPE, "application/json")], body);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    writeln!(stdout(), "listening on http://{}", listener.local_addr()?)?;
    Ok(axum::serve(listener, Router::new().fallback(get(answer))).await?)
}
