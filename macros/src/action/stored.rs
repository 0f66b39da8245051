//! How events are stored: type names, schema versions, upcasters, and a payload that is the variant's content alone.

use super::model::{Half, Model, Variant};
use crate::attribute::{named, serde_only, text};
use crate::mirror::mirrored_fields;
use crate::{findings::Findings, root::Root};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Fields, Ident, LitInt, Meta, Path, Token, Variant as Written};

/// What `#[event]`, `#[version]` and `#[upcast]` say.
pub(super) struct Stored {
    /// The type's stable name.
    pub(super) name: String,
    version: u32,
    /// From version 1 to 2, from 2 to 3, ….
    upcasters: Vec<Path>,
}

impl Stored {
    pub(super) fn read(written: &Written, half: Half, category: &str, findings: &mut Findings) -> Self {
        let mut name = format!("{category}.{}", written.ident.unraw());
        for attribute in named(&written.attrs, "event").filter(|found| !matches!(found.meta, Meta::Path(_))) {
            let result = attribute.parse_nested_meta(|meta| {
                if !meta.path.is_ident("name") {
                    return Err(meta.error("unknown key: `#[event(…)]` takes `name`"));
                }
                let given = text(&meta)?;
                name = given.value();
                if name.is_empty() {
                    return Err(syn::Error::new(given.span(), "an event's name has at least one character"));
                }
                Ok(())
            });
            findings.take(result);
        }
        if half == Half::Command {
            refuse_on_command(written, findings);
            return Self { name, version: 1, upcasters: Vec::new() };
        }
        let (version, fine) = version_of(written, findings);
        let upcasters = if fine { upcasters_of(written, version, findings) } else { Vec::new() };
        Self { name, version, upcasters }
    }
}

fn refuse_on_command(written: &Written, findings: &mut Findings) {
    for name in ["version", "upcast"] {
        if let Some(attribute) = named(&written.attrs, name).next() {
            findings.add(attribute, format!("`#[{name}]` is for events: commands are not stored; remove it"));
        }
    }
}

/// The schema version, and whether it could be read.
fn version_of(written: &Written, findings: &mut Findings) -> (u32, bool) {
    let Some(attribute) = named(&written.attrs, "version").next() else { return (1, true) };
    let Some(number) = findings.take(attribute.parse_args::<LitInt>()) else { return (1, false) };
    match number.base10_parse::<u32>() {
        Ok(0) => {
            findings.add(number, "schema versions start at 1: write `#[version(1)]` or nothing");
            (1, false)
        }
        Ok(version) => (version, true),
        Err(error) => {
            findings.push(error);
            (1, false)
        }
    }
}

/// `1 => path::to::function`.
struct Upcast {
    from: LitInt,
    function: Path,
}

impl Parse for Upcast {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let from = input.parse()?;
        input.parse::<Token![=>]>()?;
        Ok(Self { from, function: input.parse()? })
    }
}

/// The chain from version 1 to the newest; gaps are findings.
fn upcasters_of(written: &Written, version: u32, findings: &mut Findings) -> Vec<Path> {
    let mut chain: Vec<Option<Path>> = vec![None; version as usize - 1];
    for attribute in named(&written.attrs, "upcast") {
        let parsed = attribute.parse_args::<Upcast>().map_err(|error| {
            syn::Error::new(
                error.span(),
                "write `#[upcast(1 => function)]`: the older version, and what raises it by one",
            )
        });
        let Some(upcast) = findings.take(parsed) else { return Vec::new() };
        let Some(from) = findings.take(upcast.from.base10_parse::<u32>()) else { return Vec::new() };
        match chain.get_mut((from as usize).wrapping_sub(1)) {
            Some(place @ None) => *place = Some(upcast.function),
            Some(Some(_)) => findings.add(upcast.from, format!("version {from} is raised twice: remove one")),
            None => findings.add(
                upcast.from,
                format!(
                    "`{}` is at version {version}, so an upcast starts below it: raise `#[version({})]`",
                    written.ident,
                    from.saturating_add(1)
                ),
            ),
        }
    }
    let missing: Vec<_> =
        (1..version).zip(&chain).filter(|(_, place)| place.is_none()).map(|(from, _)| from).collect();
    if !missing.is_empty() {
        let lines: Vec<_> = missing.iter().map(|from| format!("`#[upcast({from} => function)]`")).collect();
        findings.add(
            &written.ident,
            format!(
                "`{}` is at version {version}, but older payloads cannot be read: write {} with \
                 `fn function(payload: json::Value) -> Result<json::Value, String>`",
                written.ident,
                lines.join(" and ")
            ),
        );
    }
    chain.into_iter().flatten().collect()
}

/// The implementation of `Event`.
pub(super) fn of(model: &Model<'_>, root: &Root) -> TokenStream {
    let events: Vec<_> = model.variants.iter().filter(|variant| variant.half == Half::Event).collect();
    let Model { name, event, .. } = model;
    let types = events.iter().map(|Variant { stored: Stored { name, version, .. }, .. }| {
        quote!((#name, #root::SchemaVersion::new(#version)))
    });
    let names = events
        .iter()
        .map(|Variant { ident, stored: Stored { name, .. }, .. }| quote!(Self::#ident { .. } => #name));
    let versions = events.iter().map(|Variant { ident, stored: Stored { version, .. }, .. }| {
        quote!(Self::#ident { .. } => #root::SchemaVersion::new(#version))
    });
    let encoding = encoding_of(event, name, &events, root);
    let payloads = events.iter().map(|variant| payload_of(variant, name, root));
    let decoding = events.iter().map(|variant| decoding_of(variant, root));
    quote! {
        #[allow(dead_code, unreachable_patterns, clippy::all, clippy::pedantic)]
        const _: () = {
            #(#payloads)*

            #[automatically_derived]
            impl #root::Event for #event {
                type Action = #name;
                const TYPES: &'static [(&'static str, #root::SchemaVersion)] = &[#(#types),*];

                fn event_type(&self) -> &'static str {
                    match *self { #(#names),* }
                }

                fn schema_version(&self) -> #root::SchemaVersion {
                    match *self { #(#versions),* }
                }

                fn encode(&self) -> ::core::result::Result<::std::vec::Vec<u8>, #root::EncodeError> {
                    #encoding
                }

                fn decode_parts(
                    stream: &#root::StreamId,
                    event_type: &str,
                    schema: #root::SchemaVersion,
                    payload: &[u8],
                ) -> ::core::result::Result<Self, #root::DecodeError> {
                    match event_type {
                        #(#decoding)*
                        _ => ::core::result::Result::Err(#root::DecodeError::UnknownType {
                            event_type: ::std::borrow::ToOwned::to_owned(event_type),
                            place: #root::EventPlace::within(stream),
                        }),
                    }
                }
            }
        };
    }
}

/// Writes the content alone, through an untagged mirror: no copy of the fields, and serde attributes see their own types.
fn encoding_of(event: &Ident, action: &Ident, events: &[&Variant<'_>], root: &Root) -> TokenStream {
    if events.is_empty() {
        return quote!(match *self {});
    }
    let (serde, serde_text, remote) = (root.serde(), root.serde_text(), event.to_string());
    let variants = events.iter().map(|Variant { ident, attributes, fields, .. }| {
        let (attributes, fields) = (serde_only(attributes), mirrored_fields(fields, action));
        quote!(#(#attributes)* #ident #fields)
    });
    quote! {
        #[derive(#serde::Serialize)]
        #[serde(crate = #serde_text, remote = #remote, untagged)]
        enum __Content { #(#variants),* }

        let mut bytes = ::std::vec::Vec::with_capacity(128);
        __Content::serialize(self, &mut #root::__private::serde_json::Serializer::new(&mut bytes))
            .map_err(|source| #root::EncodeError { what: ::core::any::type_name::<Self>(), source })?;
        ::core::result::Result::Ok(bytes)
    }
}

/// The type that one event's content is read as.
fn payload_of(variant: &Variant<'_>, action: &Ident, root: &Root) -> TokenStream {
    let (serde, serde_text) = (root.serde(), root.serde_text());
    let name = payload_name(variant.ident);
    let attributes = serde_only(variant.attributes);
    // Nothing to read: `null` and `{}` will do.
    let (fields, end) = match &variant.fields {
        Fields::Unit => (quote!({}), None),
        Fields::Named(_) => (mirrored_fields(&variant.fields, action), None),
        Fields::Unnamed(_) => (mirrored_fields(&variant.fields, action), Some(quote!(;))),
    };
    quote! {
        #[derive(#serde::Deserialize)]
        #[serde(crate = #serde_text)]
        #(#attributes)*
        struct #name #fields #end
    }
}

fn decoding_of(variant: &Variant<'_>, root: &Root) -> TokenStream {
    let Variant { ident, pattern, stored: Stored { name, upcasters, .. }, fields, .. } = variant;
    let payload = payload_name(ident);
    let (read_as, taken) = match fields {
        Fields::Unit => (quote!(::core::option::Option<#payload>), quote!(_)),
        Fields::Named(_) | Fields::Unnamed(_) => (payload.to_token_stream(), quote!(#payload #pattern)),
    };
    quote! {
        #name => {
            const UPCASTERS: &[#root::Upcaster] = &[#(#upcasters),*];
            #root::decode_payload::<#read_as>(event_type, schema, UPCASTERS, payload)
                .map(|#taken| Self::#ident #pattern)
        }
    }
}

fn payload_name(variant: &Ident) -> Ident {
    format_ident!("__{}Payload", variant.unraw())
}
