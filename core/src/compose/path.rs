//! Where a child's state lies in its parent's, and which of the parent's actions are the child's.

use std::fmt;

/// A part of a state that is always there. Both functions must name the same part.
pub struct Lens<S, P> {
    get: fn(&S) -> &P,
    get_mut: fn(&mut S) -> &mut P,
}

/// One case of an action. Extracting what was embedded gives it back, and embedding what was extracted too.
pub struct CasePath<A, B> {
    embed: fn(B) -> A,
    extract: fn(A) -> Result<B, A>,
}

impl<S, P> Lens<S, P> {
    /// The part that both functions name.
    pub const fn new(get: fn(&S) -> &P, get_mut: fn(&mut S) -> &mut P) -> Self {
        Self { get, get_mut }
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
        f.write_str("Lens")
    }
}

impl<A, B> fmt::Debug for CasePath<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CasePath")
    }
}
