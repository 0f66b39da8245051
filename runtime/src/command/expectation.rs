//! What the giver of a command believes about the aggregate's version.

use composable_rust_core::{ExpectedVersion, StreamVersion};
use smallvec::{SmallVec, smallvec};
use std::fmt;

/// The versions at which a command may find its aggregate; any when nothing was said.
///
/// Made from a [`StreamVersion`], an [`ExpectedVersion`] or an `Option` of them (`None`: any), so that
/// `app.execute(key, command).expecting(version)` reads plainly.
///
/// ```
/// use composable_rust_core::{ExpectedVersion, StreamVersion};
/// use composable_rust_runtime::Expectation;
/// let third = Expectation::from(StreamVersion::from(3));
/// assert!(third.accepts(StreamVersion::from(3)) && !third.accepts(StreamVersion::from(4)));
/// assert!(Expectation::from(ExpectedVersion::Exists).accepts(StreamVersion::from(4)));
/// assert!(!Expectation::one_of([]).accepts(StreamVersion::from(4)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    accepted: SmallVec<[ExpectedVersion; 1]>,
}

impl Expectation {
    /// Any of these; of none of them nothing is accepted.
    pub fn one_of(accepted: impl IntoIterator<Item = ExpectedVersion>) -> Self {
        Self { accepted: accepted.into_iter().collect() }
    }

    /// Whether an aggregate at version `actual` is as expected.
    pub fn accepts(&self, actual: StreamVersion) -> bool {
        self.accepted.iter().any(|expected| expected.accepts(actual))
    }

    /// The version, where it is exactly one.
    pub fn exact(&self) -> Option<StreamVersion> {
        match self.accepted.as_slice() {
            [ExpectedVersion::Exact(version)] => Some(*version),
            _ => None,
        }
    }
}

impl Default for Expectation {
    fn default() -> Self {
        ExpectedVersion::Any.into()
    }
}

impl From<ExpectedVersion> for Expectation {
    fn from(expected: ExpectedVersion) -> Self {
        Self { accepted: smallvec![expected] }
    }
}

impl From<StreamVersion> for Expectation {
    fn from(version: StreamVersion) -> Self {
        ExpectedVersion::Exact(version).into()
    }
}

impl<T: Into<Self>> From<Option<T>> for Expectation {
    fn from(expected: Option<T>) -> Self {
        expected.map_or_else(Self::default, Into::into)
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, others)) = self.accepted.split_first() else { return f.write_str("no version") };
        first.fmt(f)?;
        others.iter().try_for_each(|expected| write!(f, " or {expected}"))
    }
}
