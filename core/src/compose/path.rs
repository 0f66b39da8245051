//! Where a child's state lies in its parent's, and which of the parent's actions are the child's.

use std::fmt;

/// A part of a state that is always there: `lens!(Till, left)`.
///
/// A child *is* the part of the state that it works on, so the part's name is the scope of its effects' names.
pub struct Lens<S, P> {
    name: &'static str,
    get: fn(&S) -> &P,
    get_mut: fn(&mut S) -> &mut P,
}

/// One case of an action. Extracting what was embedded gives it back, and embedding what was extracted too.
pub struct CasePath<A, B> {
    embed: fn(B) -> A,
    extract: fn(A) -> Result<B, A>,
}

impl<S, P> Lens<S, P> {
    /// The part that both functions name; [`lens!`](crate::lens) writes them for a field.
    ///
    /// Two parts of one state have two names: children cancel each other's effects where theirs are equal.
    pub const fn new(name: &'static str, get: fn(&S) -> &P, get_mut: fn(&mut S) -> &mut P) -> Self {
        Self { name, get, get_mut }
    }

    /// The name of the part, in which the names of its child's effects lie.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The part.
    pub fn get<'a>(&self, state: &'a S) -> &'a P {
        (self.get)(state)
    }

    /// The part, to change it.
    pub fn get_mut<'a>(&self, state: &'a mut S) -> &'a mut P {
        (self.get_mut)(state)
    }

    /// Replaces the part.
    pub fn set(&self, state: &mut S, part: P) {
        *self.get_mut(state) = part;
    }
}

impl<A, B> CasePath<A, B> {
    /// The case that `embed` makes and `extract` finds; another action is given back as an error.
    pub const fn new(embed: fn(B) -> A, extract: fn(A) -> Result<B, A>) -> Self {
        Self { embed, extract }
    }

    /// The action of this case.
    pub fn embed(&self, inner: B) -> A {
        (self.embed)(inner)
    }

    /// What is inside the case.
    ///
    /// # Errors
    /// The action itself when it is of another case.
    pub fn extract(&self, action: A) -> Result<B, A> {
        (self.extract)(action)
    }
}

/// The [`Lens`] on a field, or on a field of a field, under the field's name.
///
/// ```
/// use composable_rust_core::lens;
/// struct Line { count: u32 }
/// struct Till { left: Line, right: Line }
///
/// let right = lens!(Till, right);
/// let left = lens!(Till, left.count);
/// let mut till = Till { left: Line { count: 1 }, right: Line { count: 2 } };
/// *left.get_mut(&mut till) += 1;
/// assert_eq!((right.get(&till).count, left.get(&till)), (2, &2));
/// assert_eq!((right.name(), left.name()), ("right", "left.count"));
/// ```
#[macro_export]
macro_rules! lens {
    ($state:ty, $first:tt $(. $field:tt)*) => {
        $crate::compose::Lens::new(
            concat!(stringify!($first) $(, ".", stringify!($field))*),
            |state: &$state| &state.$first $(.$field)*,
            |state: &mut $state| &mut state.$first $(.$field)*,
        )
    };
}

impl<S, P> Clone for Lens<S, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, P> Copy for Lens<S, P> {}

impl<A, B> Clone for CasePath<A, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, B> Copy for CasePath<A, B> {}

impl<S, P> fmt::Debug for Lens<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lens").field(&self.name).finish()
    }
}

impl<A, B> fmt::Debug for CasePath<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CasePath")
    }
}
