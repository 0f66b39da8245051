//! `Shaped`: the declaration of a type as a text that stays the same until what is kept of its values changes.

use crate::attribute::serde_only;
use crate::mirror::without_self;
use crate::root::Root;
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DeriveInput, Field, Fields, GenericArgument, PathArguments, Type};

/// The implementation of `Shaped`.
pub(crate) fn shaped_of(input: &DeriveInput, root: &Root) -> TokenStream {
    let name = &input.ident;
    let declaration = declaration_of(input);
    let mut parts = Vec::new();
    for field in fields_of(&input.data) {
        add_parts(&field.ty, &mut parts);
    }
    quote! {
        #[automatically_derived]
        impl #root::Shaped for #name {
            fn describe(shape: &mut #root::Shape) {
                #[allow(unused_imports)]
                use #root::__private::{Probe, Unshaped as _};
                if shape.declare::<Self>(#declaration) {
                    #(Probe::<#parts>::describe(shape);)*
                }
            }
        }
    }
}

/// Attributes that count, then the fields or variants; those with names in the order of their names.
fn declaration_of(input: &DeriveInput) -> String {
    let attributes = texts(kept(&input.attrs));
    let owner = &input.ident;
    let body = match &input.data {
        Data::Struct(data) => fields_text(&data.fields, owner),
        Data::Enum(data) => {
            let variants = data.variants.iter().map(|variant| {
                let attributes = texts(kept(&variant.attrs));
                format!("{} {attributes}{}", variant.ident, fields_text(&variant.fields, owner))
            });
            sorted(variants, ['<', '>'])
        }
        Data::Union(_) => String::new(),
    };
    format!("{attributes}{body}")
}

fn fields_text(fields: &Fields, owner: &syn::Ident) -> String {
    let text = |field: &Field| {
        let name = field.ident.as_ref().map(|name| format!("{name} : ")).unwrap_or_default();
        let of_type = plain(without_self(field.ty.to_token_stream(), owner));
        format!("{name}{}{of_type}", texts(kept(&field.attrs)))
    };
    match fields {
        Fields::Named(_) => sorted(fields.iter().map(text), ['{', '}']),
        Fields::Unnamed(_) => format!("( {} )", fields.iter().map(text).collect::<Vec<_>>().join(" , ")),
        Fields::Unit => String::new(),
    }
}

/// The attributes by which a value is kept: serde's, a row's key and indexes, the texts of labels.
fn kept(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    let own = |attribute: &&Attribute| ["row", "label"].iter().any(|name| attribute.path().is_ident(name));
    serde_only(attributes).chain(attributes.iter().filter(own))
}

fn texts<'a>(attributes: impl Iterator<Item = &'a Attribute>) -> String {
    attributes.map(|attribute| plain(attribute.to_token_stream())).collect()
}

fn sorted(texts: impl Iterator<Item = String>, [open, close]: [char; 2]) -> String {
    let mut texts: Vec<_> = texts.collect();
    texts.sort_unstable();
    format!("{open} {} {close}", texts.join(" , "))
}

/// The tokens with one space between: the compiler's own spacing differs between its versions.
fn plain(tokens: TokenStream) -> String {
    let texts = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => format!("( {} )", plain(group.stream())),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => token.to_string(),
    });
    texts.collect::<Vec<_>>().join(" ")
}

fn fields_of(data: &Data) -> Vec<&Field> {
    match data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    }
}

/// The types that a field's type is written with, which may be shaped.
fn add_parts<'a>(of_type: &'a Type, parts: &mut Vec<&'a Type>) {
    if let Type::Array(array) = of_type {
        add_parts(&array.elem, parts);
    } else if let Type::Paren(paren) = of_type {
        add_parts(&paren.elem, parts);
    } else if let Type::Group(group) = of_type {
        add_parts(&group.elem, parts);
    } else if let Type::Slice(slice) = of_type {
        add_parts(&slice.elem, parts);
    } else if let Type::Tuple(tuple) = of_type {
        tuple.elems.iter().for_each(|part| add_parts(part, parts));
    } else if let Type::Path(path) = of_type {
        if !parts.contains(&of_type) {
            parts.push(of_type);
        }
        let last = path.path.segments.last().map(|segment| &segment.arguments);
        let Some(PathArguments::AngleBracketed(arguments)) = last else { return };
        for argument in &arguments.args {
            if let GenericArgument::Type(part) = argument {
                add_parts(part, parts);
            }
        }
    }
    // References and functions are not kept.
}
