//! The topics of one route, told apart by name.

use crate::extract::decode;
use crate::live::Follower;
use crate::{Principal, Problem, Topic, Web};
use async_trait::async_trait;
use axum::http::StatusCode;
use composable_rust_core::Position;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What can be followed on a WebSocket.
#[derive(Clone, Default)]
pub struct Topics {
    topics: BTreeMap<&'static str, Arc<dyn AnyTopic>>,
}

impl Topics {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more. A second one of the same name takes the place of the first.
    #[must_use]
    pub fn with(mut self, topic: impl Topic) -> Self {
        insert(&mut self.topics, topic);
        self
    }

    /// # Errors
    /// 404 for a name that no topic has.
    pub(super) fn find(&self, name: &str) -> Result<&dyn AnyTopic, Problem> {
        let known = || self.topics.keys().copied().collect::<Vec<_>>().join(", ");
        let unknown = || {
            let detail = format!("there is no such topic; there are: {}", known());
            Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
        };
        self.topics.get(name).map(|topic| &**topic).ok_or_else(unknown)
    }
}

impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.topics.keys()).finish()
    }
}

fn insert<T: Topic>(topics: &mut BTreeMap<&'static str, Arc<dyn AnyTopic>>, topic: T) {
    topics.insert(T::NAME, Arc::new(Of(Arc::new(topic))));
}

/// A topic of any type.
#[async_trait]
pub(super) trait AnyTopic: Send + Sync {
    fn message(&self) -> &'static str;

    async fn follow(
        &self,
        web: &Web,
        who: &Principal,
        asked: &Map<String, Value>,
        known: Option<Position>,
    ) -> Result<Follower, Problem>;
}

struct Of<T>(Arc<T>);

#[async_trait]
impl<T: Topic> AnyTopic for Of<T> {
    fn message(&self) -> &'static str {
        T::MESSAGE
    }

    async fn follow(
        &self,
        web: &Web,
        who: &Principal,
        asked: &Map<String, Value>,
        known: Option<Position>,
    ) -> Result<Follower, Problem> {
        let text = serde_json::to_vec(asked).map_err(|error| Problem::defect(&error))?;
        let key = self.0.admit(web.application(), Some(who), decode(&text)?).await?;
        web.live().feeds.follow(web, (&self.0, key), known).await
    }
}
