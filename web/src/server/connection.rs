//! One connection: requests in turn until the client leaves, is too slow, or the server stops.

use super::HttpOptions;
use super::body::{Left, TimedBody};
use super::socket::Socket;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// When to stop: `gently` after the request at hand, `now` at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    pub(crate) gently: CancellationToken,
    pub(crate) now: CancellationToken,
}

/// Serves a connection to its end.
pub(crate) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    options: Arc<HttpOptions>,
    stop: Stop,
) {
    let unfinished = Arc::new(AtomicBool::new(false));
    let socket = Socket::new(stream, &options, Arc::clone(&unfinished));
    let builder = builder(&options);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (left, unfinished) = (Left::default(), Arc::clone(&unfinished));
        let timed = |body| TimedBody::new(body, &options, Arc::clone(&unfinished), left.clone());
        let mut request = request.map(|body| Body::new(timed(body)));
        request.extensions_mut().insert(ConnectInfo(peer));
        let answering = router.clone().oneshot(request);
        async move {
            let mut response = answering.await?;
            // The rest of a body would be taken for the next request: the client must know that it has to begin anew.
            if !left.is_settled(&unfinished).await {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(socket), service).with_upgrades());
    let mut asked = false;
    loop {
        tokio::select! {
            biased;
            () = stop.now.cancelled() => return,
            () = stop.gently.cancelled(), if !asked => {
                asked = true;
                connection.as_mut().graceful_shutdown();
            }
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke off");
                }
                return;
            }
        }
    }
}

fn builder(options: &HttpOptions) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        // What fits in here but is over the limit gets a problem (`layer/bounds.rs`); beyond, hyper answers a bare 431.
        .max_buf_size(options.max_head.max(8 * 1024).saturating_mul(2))
        .keep_alive(true);
    builder
}
