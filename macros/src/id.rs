//! `#[derive(Id)]`: a newtype over `Uuid` or `String` that names an aggregate.

use crate::{findings::Findings, naming::words, root::Root, shape};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Type};

/// What is inside.
#[derive(Clone, Copy)]
enum Inside {
    Uuid,
    Text,
}

pub(crate) fn expand(input: &DeriveInput, root: &Root, findings: &mut Findings) -> TokenStream {
    if findings.refuse_generics(input, "Id") {
        return TokenStream::new();
    }
    let name = &input.ident;
    let Some((of_type, inside)) = inside_of(input) else {
        findings.add(
            name,
            format!(
                "an id wraps one `Uuid` or `String`: write `struct {name}(Uuid);` or `struct {name}(String);`"
            ),
        );
        return TokenStream::new();
    };
    let (text, own) = (text_of(input, root, inside), own_of(input, of_type, inside));
    let (serde, shaped) = (serde_of(input, root), shape::shaped_of(input, root));
    let schema = schema_of(input, root, inside);
    quote! {
        #text
        #own
        #serde
        #shaped
        #schema

        #[automatically_derived]
        impl #root::StreamKey for #name {}

        #[automatically_derived]
        impl #root::IndexColumn for #name {
            fn to_index(&self) -> #root::port::IndexValue {
                #root::IndexColumn::to_index(&self.0)
            }
        }
    }
}

fn inside_of(input: &DeriveInput) -> Option<(&Type, Inside)> {
    let Data::Struct(data) = &input.data else { return None };
    let Fields::Unnamed(fields) = &data.fields else { return None };
    let field = fields.unnamed.first().filter(|_| fields.unnamed.len() == 1)?;
    let Type::Path(path) = &field.ty else { return None };
    let last = &path.path.segments.last()?.ident;
    if last == "Uuid" {
        Some((&field.ty, Inside::Uuid))
    } else if last == "String" {
        Some((&field.ty, Inside::Text))
    } else {
        None
    }
}

/// `Display` and `FromStr`.
fn text_of(input: &DeriveInput, root: &Root, inside: Inside) -> TokenStream {
    let name = &input.ident;
    let kind = words(&name.unraw().to_string());
    let parse = match inside {
        Inside::Uuid => quote! {
            ::core::str::FromStr::from_str(text)
                .map(Self)
                .map_err(|_| #root::InvalidId::new(#kind, text, "it must be a UUID"))
        },
        Inside::Text => quote! {
            #root::__private::check_key(#kind, text)?;
            ::core::result::Result::Ok(Self(::std::string::String::from(text)))
        },
    };
    quote! {
        #[automatically_derived]
        impl ::core::fmt::Display for #name {
            fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&self.0, formatter)
            }
        }

        #[automatically_derived]
        impl ::core::str::FromStr for #name {
            type Err = #root::InvalidId;

            fn from_str(text: &str) -> ::core::result::Result<Self, #root::InvalidId> {
                #parse
            }
        }
    }
}

/// The accessor and the conversions: from a reference, so that keys are given by value or by reference, and of a UUID.
fn own_of(input: &DeriveInput, of_type: &Type, inside: Inside) -> TokenStream {
    let name = &input.ident;
    let own = match inside {
        Inside::Uuid => quote! {
            #[automatically_derived]
            #[allow(dead_code)]
            impl #name {
                /// The UUID inside.
                pub const fn as_uuid(&self) -> #of_type {
                    self.0
                }
            }

            #[automatically_derived]
            impl ::core::convert::From<#of_type> for #name {
                fn from(id: #of_type) -> Self {
                    Self(id)
                }
            }
        },
        Inside::Text => quote! {
            #[automatically_derived]
            #[allow(dead_code)]
            impl #name {
                /// The text inside.
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }
        },
    };
    quote! {
        #own

        #[automatically_derived]
        impl ::core::convert::From<&Self> for #name {
            fn from(id: &Self) -> Self {
                Self(::core::clone::Clone::clone(&id.0))
            }
        }
    }
}

/// What a client sees of it: a UUID, or a text that may be a stream's key.
fn schema_of(input: &DeriveInput, root: &Root, inside: Inside) -> TokenStream {
    let name = input.ident.unraw().to_string();
    let schema = match inside {
        Inside::Uuid => quote!({ "type": "string", "format": "uuid" }),
        Inside::Text => quote!({
            "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]*$"
        }),
    };
    described_as(input, root, (&name, true), &schema)
}

/// An implementation of `JsonSchema`, told at each use or under its name.
pub(crate) fn described_as(
    input: &DeriveInput,
    root: &Root,
    (shown, is_inline): (&str, bool),
    schema: &TokenStream,
) -> TokenStream {
    let (name, schemars) = (&input.ident, root.schemars());
    quote! {
        #[automatically_derived]
        impl #schemars::JsonSchema for #name {
            fn inline_schema() -> bool {
                #is_inline
            }

            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed(#shown)
            }

            fn schema_id() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed(::core::concat!(::core::module_path!(), "::", #shown))
            }

            fn json_schema(_: &mut #schemars::SchemaGenerator) -> #schemars::Schema {
                #schemars::json_schema!(#schema)
            }
        }
    }
}

/// Serde as plain text, checked on the way in.
pub(crate) fn serde_of(input: &DeriveInput, root: &Root) -> TokenStream {
    let (name, serde) = (&input.ident, root.serde());
    quote! {
        #[automatically_derived]
        impl #serde::Serialize for #name {
            fn serialize<__S: #serde::Serializer>(
                &self,
                serializer: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                serializer.collect_str(self)
            }
        }

        #[automatically_derived]
        impl<'de> #serde::Deserialize<'de> for #name {
            fn deserialize<__D: #serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                let text = <::std::borrow::Cow<'de, str> as #serde::Deserialize<'de>>::deserialize(deserializer)?;
                ::core::str::FromStr::from_str(&text).map_err(#serde::de::Error::custom)
            }
        }
    }
}
