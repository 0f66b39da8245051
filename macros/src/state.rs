//! `#[derive(State)]`: serde, the schema version, and a reducer's own version field.

use crate::attribute::{marker, read_keys};
use crate::{findings::Findings, mirror, root::Root};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Data, DeriveInput, Field, Index, LitInt};

pub(crate) fn expand(input: &DeriveInput, root: &Root, findings: &mut Findings) -> TokenStream {
    if findings.refuse_generics(input, "State") || findings.refuse_union(input, "State") {
        return TokenStream::new();
    }
    let name = &input.ident;
    let schema = schema_of(input, findings);
    let serde = mirror::serde_of(input, root);
    let version = version_methods(input, root, findings);
    quote! {
        #serde
        #[automatically_derived]
        impl #root::State for #name {
            const SCHEMA: #root::SchemaVersion = #root::SchemaVersion::new(#schema);
        }
        #version
    }
}

fn schema_of(input: &DeriveInput, findings: &mut Findings) -> u32 {
    let mut schema = 1;
    read_keys(&input.attrs, "state", &["schema"], findings, |_, meta| {
        let number: LitInt = meta.value()?.parse()?;
        schema = number.base10_parse()?;
        if schema == 0 {
            return Err(syn::Error::new(number.span(), "schema versions start at 1: write `schema = 1`"));
        }
        Ok(())
    });
    schema
}

/// The accessors of the field marked `#[version]`.
fn version_methods(input: &DeriveInput, root: &Root, findings: &mut Findings) -> TokenStream {
    let marked = marked_fields(input, findings);
    let Some((member, field)) = marked.first() else { return TokenStream::new() };
    for (_, second) in &marked[1..] {
        findings.add(second, "one field at most is `#[version]`: remove the marker from this one");
    }
    if matches!(input.data, Data::Enum(_)) {
        findings
            .add(field, "an enum has no field of its own: put `#[version]` on a field of a struct around it");
        return TokenStream::new();
    }
    let name = &input.ident;
    let of_type = &field.ty;
    quote! {
        #[automatically_derived]
        #[allow(dead_code)]
        impl #name {
            /// How many events it has seen.
            pub fn version(&self) -> #root::StreamVersion {
                let version: #of_type = self.#member;
                version
            }

            /// Sets how many events it has seen.
            pub fn set_version(&mut self, version: #root::StreamVersion) {
                self.#member = version;
            }

            /// Counts one more event.
            pub fn increment_version(&mut self) {
                self.#member = self.version().next();
            }
        }
    }
}

/// The fields marked `#[version]`, with what they are accessed by.
fn marked_fields<'a>(input: &'a DeriveInput, findings: &mut Findings) -> Vec<(TokenStream, &'a Field)> {
    let fields: Vec<(usize, &Field)> = match &input.data {
        Data::Struct(data) => data.fields.iter().enumerate().collect(),
        Data::Enum(data) => {
            data.variants.iter().flat_map(|variant| variant.fields.iter().enumerate()).collect()
        }
        Data::Union(_) => Vec::new(),
    };
    let mut marked = Vec::new();
    for (at, field) in fields {
        if marker(&field.attrs, "version", findings).is_some() {
            let member = field
                .ident
                .as_ref()
                .map_or_else(|| Index::from(at).to_token_stream(), ToTokens::to_token_stream);
            marked.push((member, field));
        }
    }
    marked
}
