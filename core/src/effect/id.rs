//! The name under which an effect can be cancelled, debounced or throttled.

use std::borrow::Cow;
use std::fmt;

/// Names effects of one store; effects with equal names are cancelled together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EffectId(Cow<'static, str>);

impl EffectId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same name inside `scope`, so that two children never cancel each other's effects.
    #[must_use]
    pub fn within(&self, scope: &str) -> Self {
        // One allocation, where formatting would grow the text.
        Self(Cow::Owned([scope, self.as_str()].join("/")))
    }
}

impl From<&'static str> for EffectId {
    fn from(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }
}

impl From<String> for EffectId {
    fn from(name: String) -> Self {
        Self(Cow::Owned(name))
    }
}

impl fmt::Display for EffectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
