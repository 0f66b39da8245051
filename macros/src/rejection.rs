//! `#[derive(Rejection)]`: a domain's refusals with a code, a kind and a message.

use crate::attribute::{read_keys, text};
use crate::naming::{listed, snake_case, words};
use crate::{findings::Findings, message, mirror, root::Root};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, LitStr, Member};

const KINDS: [&str; 5] = ["Conflict", "NotFound", "Forbidden", "Gone", "Invalid"];

/// One refusal: a variant, or the whole struct.
struct Refusal {
    /// `Self` or `Self::Variant`.
    path: TokenStream,
    /// The fields that the message uses, as a pattern.
    pattern: TokenStream,
    code: String,
    kind: Ident,
    message: LitStr,
}

pub(crate) fn expand(input: &DeriveInput, root: &Root, findings: &mut Findings) -> TokenStream {
    if findings.refuse_generics(input, "Rejection") || findings.refuse_union(input, "Rejection") {
        return TokenStream::new();
    }
    let refusals = refusals_of(input, findings);
    let name = &input.ident;
    let serde = mirror::serde_of(input, root);
    let codes = refusals.iter().map(|Refusal { path, code, .. }| quote!(#path { .. } => #code));
    let kinds =
        refusals.iter().map(|Refusal { path, kind, .. }| quote!(#path { .. } => #root::RejectionKind::#kind));
    let messages = refusals.iter().map(|Refusal { path, pattern, message, .. }| {
        quote!(#path { #pattern .. } => ::core::write!(__formatter, #message))
    });
    quote! {
        #serde

        #[automatically_derived]
        impl ::core::fmt::Display for #name {
            fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match *self { #(#messages,)* }
            }
        }

        #[automatically_derived]
        impl ::core::error::Error for #name {}

        #[automatically_derived]
        #[allow(clippy::match_same_arms)]
        impl #root::Rejection for #name {
            fn code(&self) -> &'static str {
                match *self { #(#codes,)* }
            }

            fn kind(&self) -> #root::RejectionKind {
                match *self { #(#kinds,)* }
            }
        }
    }
}

fn refusals_of(input: &DeriveInput, findings: &mut Findings) -> Vec<Refusal> {
    match &input.data {
        Data::Struct(data) => {
            let subject = Subject { name: &input.ident, attributes: &input.attrs, fields: &data.fields };
            let keys = ["code", "kind", "message"];
            vec![subject.refusal(&quote!(Self), Ident::new("Conflict", input.ident.span()), &keys, findings)]
        }
        Data::Enum(data) => {
            let mut default = Ident::new("Conflict", input.ident.span());
            read_keys(&input.attrs, "rejection", &["kind"], findings, |_, meta| {
                default = kind_of(&meta.value()?.parse()?)?;
                Ok(())
            });
            let refusal = |variant: &syn::Variant| {
                let name = &variant.ident;
                let subject = Subject { name, attributes: &variant.attrs, fields: &variant.fields };
                subject.refusal(&quote!(Self::#name), default.clone(), &["code", "kind", "message"], findings)
            };
            data.variants.iter().map(refusal).collect()
        }
        Data::Union(_) => Vec::new(),
    }
}

/// What one refusal is read from.
struct Subject<'a> {
    name: &'a Ident,
    attributes: &'a [Attribute],
    fields: &'a Fields,
}

impl Subject<'_> {
    fn refusal(&self, path: &TokenStream, kind: Ident, keys: &[&str], findings: &mut Findings) -> Refusal {
        let plain = self.name.unraw().to_string();
        let mut refusal = Refusal {
            path: path.clone(),
            pattern: TokenStream::new(),
            code: snake_case(&plain),
            kind,
            message: LitStr::new(&words(&plain), self.name.span()),
        };
        read_keys(self.attributes, "rejection", keys, findings, |key, meta| {
            match key {
                "code" => refusal.code = text(meta)?.value(),
                "kind" => refusal.kind = kind_of(&meta.value()?.parse()?)?,
                _ => {
                    let (message, used) = message::checked(&text(meta)?, self.fields)?;
                    refusal.message = message;
                    refusal.pattern = pattern_of(self.fields, &used);
                }
            }
            Ok(())
        });
        refusal
    }
}

/// Binds the fields that the message uses: `ref left: left, ref 0: field_0`, as Rust writes it.
fn pattern_of(fields: &Fields, used: &[String]) -> TokenStream {
    let names = message::names_of(fields);
    let members = fields.members().zip(&names).filter(|(_, name)| used.contains(name));
    let bindings = members.map(|(member, name)| {
        let binding = match &member {
            Member::Named(ident) => ident.to_token_stream(),
            Member::Unnamed(_) => message::binding(name).to_token_stream(),
        };
        quote!(#member: ref #binding,)
    });
    bindings.collect()
}

fn kind_of(kind: &Ident) -> syn::Result<Ident> {
    if KINDS.iter().any(|known| kind == known) {
        return Ok(kind.clone());
    }
    Err(syn::Error::new(kind.span(), format!("unknown kind: write one of {}", listed(KINDS))))
}
