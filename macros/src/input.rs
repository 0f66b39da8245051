//! `#[derive(Input)]`: what a process hears, and the enum of its timers.

use crate::attribute::{carried, marker};
use crate::naming::without_suffix;
use crate::source::{self, Source, pattern};
use crate::{findings::Findings, mirror, root::Root};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, GenericArgument, Ident, PathArguments, Type, Variant};

/// The variants by what they hear.
#[derive(Default)]
struct Heard<'a> {
    events: Vec<Source<'a>>,
    refusals: Vec<Answer<'a>>,
    outcomes: Vec<Answer<'a>>,
    timers: Vec<&'a Variant>,
}

/// A variant around `Rejected<…>` or `Outcome<…>`, and what stands in the brackets.
struct Answer<'a> {
    variant: &'a Ident,
    of_type: &'a Type,
    from: &'a Type,
}

pub(crate) fn expand(input: &DeriveInput, root: &Root, findings: &mut Findings) -> TokenStream {
    if findings.refuse_generics(input, "Input") {
        return TokenStream::new();
    }
    let name = &input.ident;
    let Data::Enum(data) = &input.data else {
        findings.add(name, "`Input` is for an enum: each variant is something that the process hears");
        return TokenStream::new();
    };
    let mut heard = Heard::default();
    for variant in &data.variants {
        heard.read(variant, findings);
    }
    source::refuse_repeats(&heard.events, findings);
    heard.refuse_repeats(findings);
    let timer = format_ident!("{}Timer", without_suffix(&name.unraw().to_string(), "Input"));
    let timers = timers_of(input, &timer, &heard.timers, root);
    let input_of = process_input_of(name, &timer, &heard, root);
    let says = |of: TokenStream, Answer { from, .. }: &Answer<'_>| {
        quote! {
            #[automatically_derived]
            impl #root::#of<#from> for #name {}
        }
    };
    let refusals = heard.refusals.iter().map(|answer| says(quote!(HearsRejected), answer));
    let outcomes = heard.outcomes.iter().map(|answer| says(quote!(HearsOutcome), answer));
    let impls = refusals.chain(outcomes);
    let reads = source::reads(name, &data.variants);
    quote!(#timers #input_of #(#impls)* #reads)
}

impl<'a> Heard<'a> {
    fn read(&mut self, variant: &'a Variant, findings: &mut Findings) {
        let kinds = ["rejected", "outcome", "timer"]
            .map(|name| marker(&variant.attrs, name, findings).map(|attribute| (name, attribute)));
        let kinds: Vec<_> = kinds.into_iter().flatten().collect();
        if let [_, (_, second), ..] = kinds.as_slice() {
            findings.add(second, "a variant is one kind of input: remove one of the markers");
        }
        match kinds.first().map(|(name, _)| *name) {
            Some("timer") => self.timers.push(variant),
            Some(marker) => self.read_answer(variant, marker, findings),
            None if let Some(text) = Source::swapped(variant) => findings.add(variant, text),
            None => match Source::read(variant) {
                Some(source) => self.events.push(source),
                None => findings.add(
                    variant,
                    format!(
                        "`{0}` is no input: write `{0}(SomeEvent)` or `{0}(Key, SomeEvent)` for an aggregate's \
                         events, or mark it `#[rejected]`, `#[outcome]` or `#[timer]`",
                        variant.ident
                    ),
                ),
            },
        }
    }

    fn read_answer(&mut self, variant: &'a Variant, marker: &str, findings: &mut Findings) {
        let (wrapper, inner, list) = match marker {
            "rejected" => ("Rejected", "decider", &mut self.refusals),
            _ => ("Outcome", "call", &mut self.outcomes),
        };
        let of_type = match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Some(&fields.unnamed[0].ty),
            Fields::Unnamed(_) | Fields::Named(_) | Fields::Unit => None,
        };
        match of_type.and_then(|of_type| Some((of_type, in_brackets(of_type)?))) {
            Some((of_type, from)) => list.push(Answer { variant: &variant.ident, of_type, from }),
            None => findings.add(
                variant,
                format!(
                    "write `#[{marker}] {}({wrapper}<…>)` with the {inner} in the brackets",
                    variant.ident
                ),
            ),
        }
    }

    /// One place for each answer: a second implementation of what says so would not compile.
    fn refuse_repeats(&mut self, findings: &mut Findings) {
        for list in [&mut self.refusals, &mut self.outcomes] {
            let mut seen: Vec<(String, &Ident)> = Vec::new();
            list.retain(|answer| {
                let text = answer.of_type.to_token_stream().to_string();
                if let Some((_, first)) = seen.iter().find(|(other, _)| *other == text) {
                    findings
                        .add(answer.variant, format!("`{first}` already hears this: remove one of the two"));
                    return false;
                }
                seen.push((text, answer.variant));
                true
            });
        }
    }
}

/// The decider of `Rejected<…>`, the call of `Outcome<…>`.
fn in_brackets(of_type: &Type) -> Option<&Type> {
    let Type::Path(path) = of_type else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    arguments.args.iter().find_map(|argument| {
        let GenericArgument::Type(from) = argument else { return None };
        Some(from)
    })
}

/// The enum of the timers.
fn timers_of(input: &DeriveInput, timer: &Ident, timers: &[&Variant], root: &Root) -> TokenStream {
    let (vis, name, serde, serde_text) = (&input.vis, &input.ident, root.serde(), root.serde_text());
    let doc = format!("The timers of [`{name}`].");
    let variants = timers.iter().map(|variant| {
        let ident = &variant.ident;
        let attributes = carried(&variant.attrs, &format!("See [`{name}::{ident}`]."));
        let mut fields = variant.fields.clone();
        for field in &mut fields {
            field.attrs = carried(&field.attrs, "As in the input.");
            field.ty = Type::Verbatim(mirror::without_self(field.ty.to_token_stream(), name));
        }
        quote!(#(#attributes)* #ident #fields)
    });
    quote! {
        #[doc = #doc]
        #[derive(Debug, Clone, PartialEq, #serde::Serialize, #serde::Deserialize)]
        #[serde(crate = #serde_text)]
        #[allow(clippy::derive_partial_eq_without_eq)]
        #vis enum #timer { #(#variants),* }
    }
}

fn process_input_of(name: &Ident, timer: &Ident, heard: &Heard<'_>, root: &Root) -> TokenStream {
    let (categories, types) = source::lists(&heard.events, root);
    let decoding = source::decoding(&heard.events, root);
    let deciders = heard.refusals.iter().map(|Answer { of_type, .. }| quote!(<#of_type>::CATEGORY));
    let activities = heard.outcomes.iter().map(|Answer { of_type, .. }| quote!(<#of_type>::ACTIVITY));
    let rejection = answer_of(&heard.refusals, &quote!(CATEGORY), root);
    let outcome = answer_of(&heard.outcomes, &quote!(ACTIVITY), root);
    let timers = heard.timers.iter().map(|variant| {
        let (ident, pattern) = (&variant.ident, pattern(&variant.fields));
        quote!(#timer::#ident #pattern => Self::#ident #pattern)
    });
    let raw = quote!(#root::__private::serde_json::value::RawValue);
    let optional = quote!(::core::result::Result<
        ::core::option::Option<Self>,
        #root::__private::serde_json::Error,
    >);
    quote! {
        #[automatically_derived]
        impl #root::Keyed for #name {
            type Key = #root::ProcessId;
        }

        #[automatically_derived]
        impl #root::ProcessInput for #name {
            type Timer = #timer;

            fn categories() -> ::std::vec::Vec<&'static str> {
                #categories
            }

            fn event_types() -> ::std::vec::Vec<(&'static str, #root::SchemaVersion)> {
                #types
            }

            fn dispatches_to() -> ::std::vec::Vec<&'static str> {
                ::std::vec![#(#deciders),*]
            }

            fn calls() -> ::std::vec::Vec<&'static str> {
                ::std::vec![#(#activities),*]
            }

            fn from_event(event: &#root::RecordedEvent) -> ::core::result::Result<Self, #root::DecodeError> {
                #decoding
            }

            fn from_rejection(category: &str, body: &#raw) -> #optional {
                let (wanted, body) = (category, body.get());
                #rejection
            }

            fn from_outcome(activity: &str, body: &#raw) -> #optional {
                let (wanted, body) = (activity, body.get());
                #outcome
            }

            fn from_timer(timer: #timer) -> Self {
                match timer { #(#timers),* }
            }
        }
    }
}

/// Decodes `body` into the variant whose constant is `wanted`.
fn answer_of(answers: &[Answer<'_>], constant: &TokenStream, root: &Root) -> TokenStream {
    let attempts = answers.iter().map(|Answer { variant, of_type, .. }| {
        quote! {
            if wanted == <#of_type>::#constant {
                return #root::__private::serde_json::from_str(body)
                    .map(|answer| ::core::option::Option::Some(Self::#variant(answer)));
            }
        }
    });
    quote! {
        #(#attempts)*
        let _ = (wanted, body);
        ::core::result::Result::Ok(::core::option::Option::None)
    }
}
