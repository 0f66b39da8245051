//! What is wrong with the user's code, collected so that all of it shows at once.

use proc_macro2::TokenStream;
use quote::ToTokens;
use std::fmt::Display;
use syn::{Data, DeriveInput, Error};

/// All findings of one derive.
#[derive(Default)]
pub(crate) struct Findings(Option<Error>);

impl Findings {
    /// A finding at the user's tokens; the text says what to write.
    pub(crate) fn add(&mut self, at: impl ToTokens, text: impl Display) {
        self.push(Error::new_spanned(at, text));
    }

    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// The value, or its error as a finding.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Refuses type and lifetime parameters: whatever is stored has one form under one name.
    pub(crate) fn refuse_generics(&mut self, input: &DeriveInput, derive: &str) -> bool {
        let generics = &input.generics;
        if !generics.params.is_empty() || generics.where_clause.is_some() {
            let at = if generics.params.is_empty() {
                input.ident.to_token_stream()
            } else {
                generics.to_token_stream()
            };
            self.add(
                at,
                format!("`{derive}` takes no generics: what is stored has one form; name the types"),
            );
            return true;
        }
        false
    }

    /// Refuses a union, which no encoding can read.
    pub(crate) fn refuse_union(&mut self, input: &DeriveInput, derive: &str) -> bool {
        let is_union = matches!(input.data, Data::Union(_));
        if is_union {
            self.add(&input.ident, format!("`{derive}` is for a struct or an enum, not a union"));
        }
        is_union
    }

    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.map(Error::into_compile_error).unwrap_or_default()
    }
}
