//! What can be followed, as an application writes it.

use crate::{Principal, Problem};
use async_trait::async_trait;
use composable_rust_core::{Position, Projection};
use composable_rust_runtime::Application;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::{self, Display};

/// Something that clients may follow: how many places are free, what becomes of somebody's orders.
///
/// Its changes are those of a view. All who follow the same key get the same, so it must not depend on who asks.
#[async_trait]
pub trait Topic: Send + Sync + 'static {
    /// What a client subscribes to; no two topics of an application share it.
    const NAME: &'static str;

    /// The type of the messages: `event:` of a stream of events, `type` on a WebSocket.
    const MESSAGE: &'static str = Self::NAME;

    /// The view that it is read from; it is looked at again when rows of that have changed, and only then.
    type View: Projection;

    /// What a client says that it wants to follow, as fields of its message.
    type Asked: DeserializeOwned + Send + 'static;

    /// What is followed; one look serves everybody with the same.
    type Key: Display + Clone + Send + Sync + 'static;

    /// The key, if this person may follow it.
    ///
    /// # Errors
    /// A [`Problem`] such as 404 or 403 when he may not.
    ///
    /// # Cancel safety
    /// It should only read.
    async fn admit(
        &self,
        app: &Application,
        who: Option<&Principal>,
        asked: Self::Asked,
    ) -> Result<Self::Key, Problem>;

    /// What there is to see now.
    ///
    /// # Errors
    /// A [`Problem`] when it cannot be seen now; it is looked at again shortly.
    ///
    /// # Cancel safety
    /// It should only read.
    async fn look(&self, app: &Application, key: &Self::Key) -> Result<Picture, Problem>;
}

/// All that there is to see of one key, at a position of the log. What has changed since the last picture is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    pub(crate) position: Position,
    /// JSON objects, by what tells them apart.
    pub(crate) parts: BTreeMap<String, String>,
}

impl Picture {
    /// A picture that is sent whole. `body` becomes a JSON object, to which `position` is added.
    ///
    /// # Errors
    /// 500 when it does not.
    pub fn whole(position: Position, body: &impl Serialize) -> Result<Self, Problem> {
        Self::parts(position, [(String::new(), body)])
    }

    /// A picture that is sent whole, of a JSON object that is written already.
    ///
    /// # Errors
    /// 500 when it is none.
    pub fn written(position: Position, object: String) -> Result<Self, Problem> {
        let parts = BTreeMap::from([(String::new(), checked(object)?)]);
        Ok(Self { position, parts })
    }

    /// A picture of parts, each with its key, of which only those are sent that have changed. Each becomes a JSON object.
    ///
    /// # Errors
    /// 500 when one does not.
    pub fn parts<B: Serialize>(
        position: Position,
        parts: impl IntoIterator<Item = (impl Display, B)>,
    ) -> Result<Self, Problem> {
        let written = |(key, body): (_, B)| Ok((ToString::to_string(&key), object(&body)?));
        let parts = parts.into_iter().map(written).collect::<Result<_, Problem>>()?;
        Ok(Self { position, parts })
    }

    /// Its size, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.parts.values().map(String::len).sum()
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({} parts at {})", self.parts.len(), self.position)
    }
}

fn object(body: &impl Serialize) -> Result<String, Problem> {
    checked(serde_json::to_string(body).map_err(|error| Problem::defect(&error))?)
}

fn checked(text: String) -> Result<String, Problem> {
    if text.starts_with('{') {
        return Ok(text);
    }
    tracing::error!("a picture's part is no JSON object");
    Err(Problem::internal())
}
