//! One socket, from its opening to its end.

use super::message::{Said, Wanted, change, error, pong};
use super::topics::Topics;
use crate::live::{Change, Follower, Kind, Live, Slot};
use crate::principal::{Credential, Identity};
use crate::{Principal, Problem, Web};
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use axum::http::StatusCode;
use composable_rust_core::Clock;
use composable_rust_runtime::resilience::TokenBucket;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, select_all};
use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// How long, after the last word, what the client still sends is read and thrown away: closing at once would reset the
/// connection, and he would not learn why.
const LINGER: Duration = Duration::from_secs(2);
/// So many pings without any sign of life, and the client is gone.
const UNANSWERED: u32 = 2;

/// A client on a socket.
pub(super) struct Session {
    socket: WebSocket,
    web: Web,
    live: Live,
    clock: Arc<dyn Clock>,
    topics: Arc<Topics>,
    who: Option<Principal>,
    messages: TokenBucket,
    following: Vec<Following>,
    /// Pings since the client's last sign of life.
    unanswered: u32,
    account: Option<Slot>,
}

/// One subscription.
struct Following {
    id: String,
    message: &'static str,
    follower: Follower,
}

/// How a session ends.
enum End {
    /// The client has gone, or cannot be reached.
    Gone,
    /// The client is told why.
    Close(u16, &'static str),
}

/// What happens next.
enum Next {
    Received(Option<Result<Message, axum::Error>>),
    Changed(usize, Vec<Change>),
    PingIsDue,
    Over,
    NobodyCame,
}

impl Session {
    pub(super) fn new(socket: WebSocket, (web, topics): (Web, Arc<Topics>), who: Option<Principal>) -> Self {
        let (live, clock) = (web.live().clone(), Arc::clone(&web.application().environment().clock));
        let rate = live.options.messages;
        let messages = TokenBucket::new(rate.requests, rate.every(), Arc::clone(&clock));
        let (following, unanswered, account) = (Vec::new(), 0, None);
        Self { socket, web, live, clock, topics, who, messages, following, unanswered, account }
    }

    /// Serves the client to the end.
    pub(super) async fn run(mut self) {
        let Err(end) = self.serve().await;
        self.following.clear();
        let End::Close(code, reason) = end else { return };
        tracing::debug!(code, reason, "a socket is closed");
        let frame = CloseFrame { code, reason: reason.into() };
        let farewell = async {
            // Who is gone already needs no farewell.
            if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        tokio::select! {
            biased;
            () = farewell => {}
            () = self.clock.sleep(LINGER) => {}
        }
    }

    async fn serve(&mut self) -> Result<Infallible, End> {
        let (live, clock) = (self.live.clone(), Arc::clone(&self.clock));
        let mut over = live.over(&*clock).boxed();
        let mut stranger = clock.sleep(live.options.patience);
        let mut ping = clock.sleep(live.options.keep_alive);
        loop {
            let next = tokio::select! {
                biased;
                () = &mut over => Next::Over,
                () = &mut stranger, if self.who.is_none() => Next::NobodyCame,
                received = self.socket.recv() => Next::Received(received),
                (index, changes) = changed(&mut self.following) => Next::Changed(index, changes),
                () = &mut ping => Next::PingIsDue,
            };
            match next {
                Next::Received(received) => self.hear(received).await?,
                Next::Changed(index, changes) => self.tell(index, &changes).await?,
                Next::PingIsDue => {
                    ping = clock.sleep(live.options.keep_alive);
                    self.ping().await?;
                }
                Next::Over => return Err(End::Close(close_code::AWAY, "come again")),
                Next::NobodyCame => return Err(End::Close(close_code::POLICY, "say first who you are")),
            }
        }
    }

    async fn hear(&mut self, received: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let message = match received {
            Some(Ok(message)) => message,
            Some(Err(error)) if is_too_large(&error) => {
                return Err(End::Close(close_code::SIZE, "a message was too large"));
            }
            Some(Err(_)) | None => return Err(End::Gone),
        };
        self.unanswered = 0;
        if self.messages.take().is_err() {
            return Err(End::Close(close_code::POLICY, "too many messages"));
        }
        match message {
            Message::Text(text) => self.answer(&text).await,
            Message::Binary(_) => Err(End::Close(close_code::UNSUPPORTED, "messages are JSON text")),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => Err(End::Gone),
        }
    }

    async fn answer(&mut self, text: &str) -> Result<(), End> {
        match (Said::parse(text), self.who.clone()) {
            (Ok(Said::Auth { token }), None) => self.sign_in(token).await,
            (Ok(Said::Subscribe(wanted)), Some(who)) => match self.subscribe(&wanted, &who).await {
                Ok(told) => self.send(told).await,
                Err(problem) => self.send(error(&problem, Some(&wanted.topic))).await,
            },
            (Ok(Said::Unsubscribe(wanted)), Some(_)) => {
                let id = wanted.id();
                self.following.retain(|following| following.id != id);
                self.send(wanted.answer("unsubscribed", None)).await
            }
            (Ok(Said::Ping {}), Some(_)) => self.send(pong()).await,
            (Ok(Said::Auth { .. }), Some(_)) => {
                self.send(error(&Problem::conflict("wrong_state", "you have signed in"), None)).await
            }
            (Err(problem), Some(_)) => self.send(error(&problem, None)).await,
            (Ok(_) | Err(_), None) => self.refuse(&Problem::unauthenticated(false)).await,
        }
    }

    async fn sign_in(&mut self, token: String) -> Result<(), End> {
        let identity = Identity::of(&self.web, Some(Credential::bearer(token))).await;
        let who = match identity {
            Identity::Known(who) => who,
            Identity::Refused(problem) => return self.refuse(&problem).await,
            Identity::Anonymous => return self.refuse(&Problem::unauthenticated(true)).await,
        };
        match self.live.slots.account(Kind::WebSocket, who.user_id, &self.live.options) {
            Ok(slot) => (self.who, self.account) = (Some(who), Some(slot)),
            Err(problem) => return self.refuse(&problem).await,
        }
        Ok(())
    }

    /// Tells a client why he cannot stay.
    async fn refuse(&mut self, problem: &Problem) -> Result<(), End> {
        self.send(error(problem, None)).await?;
        Err(End::Close(close_code::POLICY, "see the error"))
    }

    async fn subscribe(&mut self, wanted: &Wanted, who: &Principal) -> Result<String, Problem> {
        let topics = Arc::clone(&self.topics);
        let topic = topics.find(&wanted.topic)?;
        let id = wanted.id();
        self.following.retain(|following| following.id != id);
        if self.following.len() >= self.live.options.max_topics {
            let detail = "this connection follows as much as it may; unsubscribe from something";
            return Err(Problem::new(StatusCode::CONFLICT, "limit_exceeded", detail));
        }
        let follower = topic.follow(&self.web, who, &wanted.asked, wanted.known()).await?;
        let told = wanted.answer("subscribed", Some(follower.seen()));
        self.following.push(Following { id, message: topic.message(), follower });
        Ok(told)
    }

    async fn tell(&mut self, index: usize, changes: &[Change]) -> Result<(), End> {
        let Some(message) = self.following.get(index).map(|following| following.message) else {
            return Ok(());
        };
        for one in changes {
            self.send(change(message, one)).await?;
        }
        Ok(())
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.unanswered >= UNANSWERED {
            return Err(End::Gone);
        }
        self.unanswered += 1;
        self.write(Message::Ping(Vec::new().into())).await
    }

    async fn send(&mut self, text: String) -> Result<(), End> {
        self.write(Message::text(text)).await
    }

    /// Gives up a client who does not read, and any at the end of the service.
    async fn write(&mut self, message: Message) -> Result<(), End> {
        tokio::select! {
            biased;
            sent = self.socket.send(message) => sent.map_err(|_| End::Gone),
            () = self.live.ending.cancelled() => Err(End::Close(close_code::AWAY, "come again")),
            () = self.clock.sleep(self.live.options.patience) => {
                tracing::debug!("a socket whose client does not read is dropped");
                Err(End::Gone)
            }
        }
    }
}

/// The first of these that has something new; what is not returned stays for the next call.
fn changed(following: &mut [Following]) -> BoxFuture<'_, (usize, Vec<Change>)> {
    if following.is_empty() {
        return pending().boxed();
    }
    let each = following.iter_mut().map(|following| following.follower.next().boxed());
    select_all(each).map(|(changes, index, _)| (index, changes)).boxed()
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.to_string().starts_with("Space limit exceeded") {
            return true;
        }
        cause = error.source();
    }
    false
}
