//! What names the stream or instance that a decoded body belongs to, and what may be given where a key is wanted.

use std::fmt;

/// A decoded body whose envelope has a typed key.
pub trait Keyed {
    /// The key: of an aggregate's own events its stream's key, of several aggregates' events the whole
    /// [`StreamId`](crate::StreamId), of a process's inputs its [`ProcessId`](crate::ProcessId).
    type Key: Clone + fmt::Debug + PartialEq + Send + Sync + 'static;
}

/// What may be given where a key is wanted: whatever is `Into` it, so a key, a reference to an id, a `&str` for a `String`.
///
/// It says no more than `Into`; it is there so that the compiler names the key that is wanted instead of every
/// conversion there is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no key here: a `{K}` is wanted",
    label = "this is not made into a `{K}`",
    note = "give a `{K}` by value or by reference (for a `String` a `&str` too); a key is never made of another kind by its text"
)]
pub trait IntoKey<K>: Sized {
    /// The key.
    fn into_key(self) -> K;
}

/// One text for several parts, joined with `/`, which inside a part is written `\/`: different parts never give one text.
pub fn joined(parts: &[&dyn fmt::Display]) -> String {
    let part = |part: &&dyn fmt::Display| part.to_string().replace('\\', "\\\\").replace('/', "\\/");
    parts.iter().map(part).collect::<Vec<_>>().join("/")
}

#[diagnostic::do_not_recommend]
impl<K, T: Into<K>> IntoKey<K> for T {
    fn into_key(self) -> K {
        self.into()
    }
}
