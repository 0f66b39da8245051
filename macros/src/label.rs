//! `#[derive(Label)]`: an enum without fields as text.

use crate::attribute::named;
use crate::naming::{snake_case, words};
use crate::{findings::Findings, id, root::Root, shape};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Ident, LitStr, Variant};

pub(crate) fn expand(input: &DeriveInput, root: &Root, findings: &mut Findings) -> TokenStream {
    if findings.refuse_generics(input, "Label") {
        return TokenStream::new();
    }
    let name = &input.ident;
    let Data::Enum(data) = &input.data else {
        findings.add(name, "`Label` is for an enum without fields: each variant has a text");
        return TokenStream::new();
    };
    let labels = labels_of(&data.variants, findings);
    let (variants, texts): (Vec<_>, Vec<_>) = labels.into_iter().unzip();
    let kind = words(&name.unraw().to_string());
    let reason = format!("it must be one of: {}", texts.join(", "));
    // After a finding, so that it stays the only error.
    let rest = (variants.len() < data.variants.len()).then(|| quote!(_ => ""));
    let as_text = quote!(match *self { #(Self::#variants => #texts,)* #rest });
    let (serde, shaped) = (id::serde_of(input, root), shape::shaped_of(input, root));
    let shown = name.unraw().to_string();
    let schema = quote!({ "type": "string", "enum": [#(#texts),*] });
    let schema = id::described_as(input, root, (&shown, false), &schema);
    quote! {
        #[automatically_derived]
        #[allow(dead_code)]
        impl #name {
            /// Its text, as it is stored and shown.
            pub const fn as_str(&self) -> &'static str {
                #as_text
            }
        }

        #[automatically_derived]
        impl ::core::fmt::Display for #name {
            fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        #[automatically_derived]
        impl ::core::str::FromStr for #name {
            type Err = #root::InvalidId;

            fn from_str(text: &str) -> ::core::result::Result<Self, #root::InvalidId> {
                match text {
                    #(#texts => ::core::result::Result::Ok(Self::#variants),)*
                    _ => ::core::result::Result::Err(#root::InvalidId::new(#kind, text, #reason)),
                }
            }
        }

        #serde

        #shaped

        #schema

        #[automatically_derived]
        impl #root::IndexColumn for #name {
            fn to_index(&self) -> #root::port::IndexValue {
                #root::IndexColumn::to_index(self.as_str())
            }
        }
    }
}

/// The variants that can have a text, with it.
fn labels_of<'a>(
    variants: impl IntoIterator<Item = &'a Variant>,
    findings: &mut Findings,
) -> Vec<(&'a Ident, String)> {
    let mut labels: Vec<(&Ident, String)> = Vec::new();
    for variant in variants {
        if !matches!(variant.fields, Fields::Unit) {
            findings.add(
                &variant.fields,
                format!(
                    "a label has no fields: write `{},` (an enum with fields derives `Data`)",
                    variant.ident
                ),
            );
            continue;
        }
        let mut label = snake_case(&variant.ident.unraw().to_string());
        for attribute in named(&variant.attrs, "label") {
            if let Some(text) = findings.take(attribute.parse_args::<LitStr>()) {
                label = text.value();
            }
        }
        if let Some((first, _)) = labels.iter().find(|(_, text)| *text == label) {
            findings.add(
                &variant.ident,
                format!("{label:?} is already the text of `{first}`: write `#[label(\"…\")]` with another"),
            );
            continue;
        }
        labels.push((&variant.ident, label));
    }
    labels
}
