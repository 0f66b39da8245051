//! How values that are kept look: the declarations of their types, to notice that one changed while its version did not.
//!
//! Not here: what follows from a change. A read model refuses to start, a snapshot is ignored.

use crate::derived_uuid;
use std::any::type_name;
use std::collections::BTreeSet;

/// A type whose declaration can be told; comes with `#[derive(Data)]`, `Id`, `Label`, `Row`, `State`, `Call` and
/// `Rejection`. One that is written by hand tells nothing unless it says so, and its changes are then not noticed.
pub trait Shaped {
    /// Adds its declaration and those of the types in its fields.
    fn describe(_shape: &mut Shape) {}
}

/// The declarations that a kept value is made of: fields with their types as written, and the attributes that decide how
/// they are kept. The order of fields, the name of the outermost type and the modules of all do not count.
///
/// What is behind a type alias, and the fields of types with serde's own derives, are not seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// That of the outermost type.
    first: String,
    declarations: BTreeSet<String>,
    /// The types told already: they may contain themselves.
    told: BTreeSet<&'static str>,
}

impl Shape {
    /// The shape of `T`.
    pub fn of<T: Shaped + ?Sized>() -> Self {
        let mut shape = Self::default();
        T::describe(&mut shape);
        shape
    }

    /// Adds the declaration of `T`; answers whether `T` is new, so that the types in its fields are to follow.
    pub fn declare<T: ?Sized>(&mut self, declaration: &str) -> bool {
        let is_new = self.told.insert(type_name::<T>());
        if self.told.len() == 1 {
            declaration.clone_into(&mut self.first);
        }
        if is_new {
            self.declarations.insert(declaration.to_owned());
        }
        is_new
    }

    /// A short text that equal shapes have in common, in every build: 32 characters of `0-9 a-f`.
    pub fn digest(&self) -> String {
        let rest = self.declarations.iter().map(String::as_str);
        let parts: Vec<&str> = std::iter::once(self.first.as_str()).chain(rest).collect();
        derived_uuid(&parts).simple().to_string()
    }
}

/// Chooses, at a type that a macro knows by its tokens only, between [`Shaped`] and nothing.
#[doc(hidden)]
#[derive(Debug)]
pub struct Probe<T: ?Sized>(std::marker::PhantomData<T>);

impl<T: Shaped + ?Sized> Probe<T> {
    /// The type is shaped: an own function goes before that of a trait.
    pub fn describe(shape: &mut Shape) {
        T::describe(shape);
    }
}

/// What [`Probe`] falls back to.
#[doc(hidden)]
pub trait Unshaped {
    /// Nothing is known of the type.
    fn describe(_shape: &mut Shape) {}
}

impl<T: ?Sized> Unshaped for Probe<T> {}
