//! A line to the server that a test can cut, hold and mend.

use crate::support::url;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, RwLock};
use tokio::task::JoinSet;

/// Passes bytes on between an address of its own and the server.
pub(crate) struct Line {
    pub(crate) url: String,
    state: Arc<RwLock<State>>,
    changed: Arc<Notify>,
    _task: JoinSet<()>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Whole,
    /// Connections end, and new ones end at once.
    Cut,
    /// Connections stay and nothing passes.
    Held,
}

impl Line {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (head, server) =
            url().rsplit_once('@').map(|(head, rest)| (head.to_owned(), rest.to_owned())).unwrap();
        let (server, database) = server.split_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let (state, changed) = (Arc::new(RwLock::new(State::Whole)), Arc::new(Notify::new()));
        let mut task = JoinSet::new();
        let (its_state, its_changed) = (Arc::clone(&state), Arc::clone(&changed));
        task.spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                lines.spawn(pass(client, server, Arc::clone(&its_state), Arc::clone(&its_changed)));
            }
        });
        let url = format!("{head}@127.0.0.1:{port}/{database}");
        Self { url, state, changed, _task: task }
    }

    pub(crate) async fn cut(&self) {
        self.set(State::Cut).await;
    }

    pub(crate) async fn hold(&self) {
        self.set(State::Held).await;
    }

    pub(crate) async fn mend(&self) {
        self.set(State::Whole).await;
    }

    async fn set(&self, state: State) {
        *self.state.write().await = state;
        self.changed.notify_waiters();
    }
}

/// One connection, until it is cut; what was held is never passed on.
async fn pass(mut client: TcpStream, mut server: TcpStream, state: Arc<RwLock<State>>, changed: Arc<Notify>) {
    let (mut there, mut back) = ([0; 16_384], [0; 16_384]);
    loop {
        let change = changed.notified();
        let now = *state.read().await;
        if now == State::Cut {
            return;
        }
        if now == State::Held {
            // A line that has lost bytes cannot be used again; it looks whole all the same.
            return std::future::pending().await;
        }
        tokio::select! {
            biased;
            () = change => {}
            count = client.read(&mut there) => match count {
                Ok(count) if count > 0 => server.write_all(&there[..count]).await.unwrap(),
                _ => return,
            },
            count = server.read(&mut back) => match count {
                Ok(count) if count > 0 => client.write_all(&back[..count]).await.unwrap(),
                _ => return,
            },
        }
    }
}
