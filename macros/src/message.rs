//! Messages with fields in braces, as in `"only {available} places are free"`.

use syn::ext::IdentExt;
use syn::{Fields, Ident, LitStr};

/// The names by which a message may use the fields: their own, or `0`, `1`, ….
pub(crate) fn names_of(fields: &Fields) -> Vec<String> {
    let name = |(at, field): (usize, &syn::Field)| {
        field.ident.as_ref().map_or_else(|| at.to_string(), |name| name.unraw().to_string())
    };
    fields.iter().enumerate().map(name).collect()
}

/// A message checked against the fields; numbers are replaced by the names that patterns bind unnamed fields to.
///
/// # Errors
/// At the message, when it uses a field that does not exist, or none where it opens a brace.
pub(crate) fn checked(message: &LitStr, fields: &Fields) -> syn::Result<(LitStr, Vec<String>)> {
    let known = names_of(fields);
    let text = message.value();
    let (mut checked, mut used, mut rest) = (String::with_capacity(text.len()), Vec::new(), text.as_str());
    while let Some((before, after)) = rest.split_once('{') {
        checked.push_str(before);
        checked.push('{');
        if let Some(escaped) = after.strip_prefix('{') {
            checked.push('{');
            rest = escaped;
            continue;
        }
        let end = after.find(['}', ':']).unwrap_or(after.len());
        let name = after[..end].trim();
        if !known.iter().any(|field| field == name) {
            let text = match (name.is_empty(), known.is_empty()) {
                (_, true) => "there is no field to use in the message: write `{{` for a brace".to_owned(),
                (true, false) => format!("name the field to print, one of {}", crate::naming::listed(&known)),
                (false, false) => {
                    format!("there is no field `{name}`; there is {}", crate::naming::listed(&known))
                }
            };
            return Err(syn::Error::new(message.span(), text));
        }
        used.push(name.to_owned());
        checked.push_str(&binding(name).to_string());
        rest = &after[end..];
    }
    checked.push_str(rest);
    Ok((LitStr::new(&checked, message.span()), used))
}

/// What a pattern binds the field to, and the text of it inside a message.
pub(crate) fn binding(name: &str) -> Ident {
    let is_number = name.chars().all(|character| character.is_ascii_digit());
    let text = if is_number { format!("field_{name}") } else { name.to_owned() };
    syn::parse_str(&text).unwrap_or_else(|_| Ident::new_raw(&text, proc_macro2::Span::call_site()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn check(text: &str, fields: &Fields) -> Result<(String, Vec<String>), String> {
        let literal = LitStr::new(text, proc_macro2::Span::call_site());
        checked(&literal, fields).map(|(text, used)| (text.value(), used)).map_err(|error| error.to_string())
    }

    #[test]
    fn fields_are_found_and_unknown_ones_listed() {
        let named = Fields::Named(parse_quote!({ left: u32, right: u32 }));
        assert_eq!(
            check("{left} of {right:>3}, {{raw}}", &named),
            Ok(("{left} of {right:>3}, {{raw}}".into(), vec!["left".into(), "right".into()]))
        );
        assert!(check("{rigth}", &named).unwrap_err().contains("`left`, `right`"));
        assert!(check("{}", &named).unwrap_err().contains("name the field"));
        let unnamed = Fields::Unnamed(parse_quote!((u32)));
        assert_eq!(check("{0} left", &unnamed), Ok(("{field_0} left".into(), vec!["0".into()])));
        assert!(check("{0}", &Fields::Unit).unwrap_err().contains("no field"));
    }
}
