//! Serde for the user's type, and its shape, without serde in the user's manifest.
//!
//! A derive cannot add `#[serde(crate = "…")]` to the type it stands on, so serde derives on a mirror of it (its
//! *remote derive*) inside an unnamed constant, and the type's own implementations call the mirror.

use crate::attribute::serde_only;
use crate::{root::Root, shape};
use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Field, Fields};

/// `Serialize`, `Deserialize` and `Shaped` of the type.
pub(crate) fn serde_of(input: &DeriveInput, root: &Root) -> TokenStream {
    let name = &input.ident;
    let mirror = format_ident!("__{}Mirror", name.unraw());
    let (serde, serde_text) = (root.serde(), root.serde_text());
    let (remote, shown) = (name.to_string(), name.unraw().to_string());
    let attributes = serde_only(&input.attrs);
    let renamed = serde_only(&input.attrs).any(|attribute| {
        let mut found = false;
        // What serde cannot parse it reports itself.
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.is_ident("rename");
            meta.input.step(|cursor| Ok(((), skip_value(*cursor))))
        });
        found
    });
    let rename = (!renamed).then(|| quote!(#[serde(rename = #shown)]));
    let body = body_of(input);
    let shaped = shape::shaped_of(input, root);
    quote! {
        #shaped

        #[allow(dead_code, clippy::all, clippy::pedantic)]
        const _: () = {
            #[derive(#serde::Serialize, #serde::Deserialize)]
            #[serde(crate = #serde_text, remote = #remote)]
            #rename
            #(#attributes)*
            #body

            #[automatically_derived]
            impl #serde::Serialize for #name {
                fn serialize<__S: #serde::Serializer>(
                    &self,
                    __serializer: __S,
                ) -> ::core::result::Result<__S::Ok, __S::Error> {
                    #mirror::serialize(self, __serializer)
                }
            }

            #[automatically_derived]
            impl<'de> #serde::Deserialize<'de> for #name {
                fn deserialize<__D: #serde::Deserializer<'de>>(
                    __deserializer: __D,
                ) -> ::core::result::Result<Self, __D::Error> {
                    #mirror::deserialize(__deserializer)
                }
            }
        };
    }
}

/// The mirror's definition.
fn body_of(input: &DeriveInput) -> TokenStream {
    let mirror = format_ident!("__{}Mirror", input.ident.unraw());
    match &input.data {
        Data::Struct(data) => {
            let fields = mirrored_fields(&data.fields, &input.ident);
            let end = (!matches!(data.fields, Fields::Named(_))).then(|| quote!(;));
            quote!(struct #mirror #fields #end)
        }
        Data::Enum(data) => {
            let variants = data.variants.iter().map(|variant| {
                let (attributes, name) = (serde_only(&variant.attrs), &variant.ident);
                let fields = mirrored_fields(&variant.fields, &input.ident);
                quote!(#(#attributes)* #name #fields)
            });
            quote!(enum #mirror { #(#variants),* })
        }
        Data::Union(_) => TokenStream::new(),
    }
}

/// Fields with their serde attributes only; `Self` in their types becomes `owner`.
pub(crate) fn mirrored_fields(fields: &Fields, owner: &Ident) -> TokenStream {
    let mirrored = fields.iter().map(|field| mirrored_field(field, owner));
    match fields {
        Fields::Named(_) => quote!({ #(#mirrored),* }),
        Fields::Unnamed(_) => quote!((#(#mirrored),*)),
        Fields::Unit => TokenStream::new(),
    }
}

fn mirrored_field(field: &Field, owner: &Ident) -> TokenStream {
    let attributes = serde_only(&field.attrs);
    let name = field.ident.as_ref().map(|name| quote!(#name:));
    let of_type = without_self(field.ty.to_token_stream(), owner);
    quote!(#(#attributes)* #name #of_type)
}

/// The tokens with `owner` in the place of `Self`, which would mean another type inside a generated one.
pub(crate) fn without_self(tokens: TokenStream, owner: &Ident) -> TokenStream {
    let replaced = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(ident) if ident == "Self" => Ident::new(&owner.to_string(), ident.span()).into(),
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), without_self(group.stream(), owner));
            inner.set_span(group.span());
            inner.into()
        }
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => token,
    });
    replaced.collect()
}

/// Moves past the value of a key, up to the next comma.
fn skip_value(mut cursor: syn::buffer::Cursor<'_>) -> syn::buffer::Cursor<'_> {
    while let Some((token, next)) = cursor.token_tree() {
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',') {
            break;
        }
        cursor = next;
    }
    cursor
}
