//! `#[derive(Events)]`: several aggregates' events as one set.

use crate::source::{self, Source};
use crate::{findings::Findings, root::Root};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

pub(crate) fn expand(input: &DeriveInput, root: &Root, findings: &mut Findings) -> TokenStream {
    if findings.refuse_generics(input, "Events") {
        return TokenStream::new();
    }
    let name = &input.ident;
    let Data::Enum(data) = &input.data else {
        findings.add(
            name,
            "`Events` is for an enum over several aggregates' events: `enum … { Show(ShowEvent), … }`",
        );
        return TokenStream::new();
    };
    let mut sources = Vec::new();
    for variant in &data.variants {
        if let Some(text) = Source::swapped(variant) {
            findings.add(variant, text);
            continue;
        }
        match Source::read(variant) {
            Some(source) => sources.push(source),
            None => findings.add(
                variant,
                format!(
                    "write `{0}({0}Event)`, or with the stream's key `{0}(Key, {0}Event)`",
                    variant.ident
                ),
            ),
        }
    }
    source::refuse_repeats(&sources, findings);
    let (categories, types) = source::lists(&sources, root);
    let decoding = source::decoding(&sources, root);
    let reads = source::reads(name, &data.variants);
    quote! {
        #reads

        #[automatically_derived]
        impl #root::Keyed for #name {
            type Key = #root::StreamId;
        }

        #[automatically_derived]
        impl #root::EventSet for #name {
            fn categories() -> ::std::vec::Vec<&'static str> {
                #categories
            }

            fn event_types() -> ::std::vec::Vec<(&'static str, #root::SchemaVersion)> {
                #types
            }

            fn decode(event: &#root::RecordedEvent) -> ::core::result::Result<Self, #root::DecodeError> {
                #decoding
            }

            fn key(event: &#root::RecordedEvent) -> ::core::result::Result<#root::StreamId, #root::DecodeError> {
                ::core::result::Result::Ok(event.stream.clone())
            }
        }
    }
}
