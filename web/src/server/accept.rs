//! Accepts connections, at most so many at once, and ends them in good order.

use super::HttpOptions;
use super::connection::{Stop, serve};
use axum::Router;
use composable_rust_core::Environment;
use futures_util::FutureExt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// Pause after a failed accept: the usual cause, too many open files, does not end by asking again at once.
const AFTER_FAILURE: Duration = Duration::from_millis(50);

/// Opens the listening socket.
///
/// # Errors
/// When the address is taken or not ours.
pub(crate) async fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    stop: Stop,
    tasks: TaskTracker,
}

impl Server {
    /// Starts to accept.
    pub(crate) fn start(
        listener: TcpListener,
        router: Router,
        options: HttpOptions,
        environment: &Environment,
    ) -> Self {
        let server = Self { stop: Stop::default(), tasks: TaskTracker::new() };
        let accepting = Accepting {
            listener,
            router,
            slots: Arc::new(Semaphore::new(options.max_connections.clamp(1, Semaphore::MAX_PERMITS))),
            options: Arc::new(options),
            environment: environment.clone(),
            stop: server.stop.clone(),
            tasks: server.tasks.clone(),
        };
        let task = server.tasks.track_future(accepting.run());
        environment.spawner.spawn("http.accept", task.boxed());
        server
    }

    /// Stops accepting, lets running requests finish until `deadline` ends, then closes what is left.
    pub(crate) async fn stop(&self, deadline: impl Future<Output = ()>) {
        self.stop.gently.cancel();
        self.tasks.close();
        let ended = tokio::select! {
            biased;
            () = self.tasks.wait() => true,
            () = deadline => false,
        };
        if !ended {
            tracing::warn!(connections = self.tasks.len(), "connections are cut off at the end of the drain");
            self.stop.now.cancel();
            self.tasks.wait().await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.gently.cancel();
        self.stop.now.cancel();
    }
}

struct Accepting {
    listener: TcpListener,
    router: Router,
    slots: Arc<Semaphore>,
    options: Arc<HttpOptions>,
    environment: Environment,
    stop: Stop,
    tasks: TaskTracker,
}

impl Accepting {
    /// Runs until the server stops; the socket closes with it.
    async fn run(self) {
        let stopped = self.stop.gently.clone();
        tokio::select! {
            biased;
            () = stopped.cancelled() => {}
            () = self.accept() => {}
        }
    }

    async fn accept(&self) {
        while let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await {
            match self.listener.accept().await {
                Ok((stream, peer)) => self.open(stream, peer, slot),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted at the moment");
                    self.environment.clock.sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    fn open(&self, stream: TcpStream, peer: SocketAddr, slot: tokio::sync::OwnedSemaphorePermit) {
        // Small answers should not wait for more to come; without the option they are only slower.
        let _ = stream.set_nodelay(true);
        let served = serve(stream, peer, self.router.clone(), Arc::clone(&self.options), self.stop.clone());
        let task = self.tasks.track_future(async move {
            served.await;
            drop(slot);
        });
        self.environment.spawner.spawn("http.connection", task.boxed());
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}
