//! The document for people: one page to read, on which a script lets every operation be tried.

use super::members::members_of;
use crate::Asset;
use serde_json::Value;
use std::fmt::Write as _;

const STYLE: Asset = Asset::new("api.css", include_bytes!("page.css"));
const SCRIPT: Asset = Asset::new("api.js", include_bytes!("page.js"));
pub(super) const FILES: [Asset; 2] = [STYLE, SCRIPT];

/// The page of a document.
pub(super) fn html(document: &Value) -> String {
    let title = escaped(text(document, "/info/title"));
    let about = escaped(text(document, "/info/description"));
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}: API</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><link rel=\"stylesheet\" href=\"{STYLE}\">\
         <script src=\"{SCRIPT}\" defer></script></head>\
         <body><main><h1>{title}</h1><p>{about}</p><p><a href=\"/api-docs/openapi.json\">OpenAPI 3.1</a></p>\
         <label id=\"signed-in\" hidden><span>Token to call operations with; it is kept until the page is left</span>\
         <input id=\"token\" type=\"password\" autocomplete=\"off\" spellcheck=\"false\"></label>"
    );
    let paths = document.get("paths").and_then(Value::as_object);
    for (path, methods) in paths.into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            page.push_str(&operation_of(path, method, operation));
        }
    }
    page.push_str("</main></body></html>");
    page
}

// Writing to a String cannot fail: so the results of `write!` are dropped here.
fn operation_of(path: &str, method: &str, operation: &Value) -> String {
    let (path, about) = (escaped(path), escaped(text(operation, "/summary")));
    let content = operation.pointer("/requestBody/content").and_then(Value::as_object);
    let body = content.and_then(|content| content.iter().next());
    let media = body.map_or_else(String::new, |(media, _)| format!(" data-media=\"{}\"", escaped(media)));
    let mut part = format!(
        "<details data-method=\"{method}\" data-path=\"{path}\"{media}>\
         <summary><b class=\"{method}\">{method}</b> <code>{path}</code> <span>{about}</span></summary><p><small>{}</small></p>",
        caller(operation)
    );
    parameters(operation, &mut part);
    if let Some((_, body)) = body {
        part.push_str("<h2>Request</h2>");
        let rows = members_of(body.get("schema").unwrap_or(&Value::Null))
            .into_iter()
            .map(|member| [code(&member.name), escaped(&member.kind), escaped(member.about)]);
        table(&["member", "", ""], rows, &mut part);
        if let Some(example) = body.get("example") {
            part.push_str(&pretty(example, " class=\"request\""));
        }
    }
    answers(operation, &mut part);
    part.push_str("</details>");
    part
}

fn caller(operation: &Value) -> &'static str {
    match operation.get("security").and_then(Value::as_array).map(Vec::as_slice) {
        Some([one]) if one.get("bearer").is_some() => "For those who have signed in.",
        Some([_, _]) => "For everybody; who has signed in may see more.",
        Some(_) | None => "For everybody.",
    }
}

fn parameters(operation: &Value, part: &mut String) {
    let parameters = operation.get("parameters").and_then(Value::as_array).filter(|all| !all.is_empty());
    let Some(parameters) = parameters else { return };
    part.push_str("<div class=\"wide\"><table><thead><tr><th>parameter</th><th>in</th><th></th><th></th></tr></thead><tbody>");
    for parameter in parameters {
        let [name, place, about] = ["/name", "/in", "/description"].map(|at| escaped(text(parameter, at)));
        let required = parameter.get("required").and_then(Value::as_bool).unwrap_or(false);
        let kind = super::members::kind_of(parameter.get("schema").unwrap_or(&Value::Null), required);
        let _ = write!(
            part,
            "<tr data-in=\"{place}\" data-name=\"{name}\" data-required=\"{required}\"><td><code>{name}</code></td>\
             <td>{place}</td><td>{}</td><td>{about}</td></tr>",
            escaped(&kind)
        );
    }
    part.push_str("</tbody></table></div>");
}

fn answers(operation: &Value, part: &mut String) {
    let responses = operation.get("responses").and_then(Value::as_object);
    let (mut refusals, mut examples) = (Vec::new(), String::new());
    for (status, response) in responses.into_iter().flatten() {
        // A refusal refers to a response that is named by its codes.
        if let Some(named) = response.get("$ref").and_then(Value::as_str) {
            let codes = named.rsplit('/').next().unwrap_or_default().split('.').skip(1).map(code);
            refusals.push([escaped(status), codes.collect::<Vec<_>>().join(" ")]);
            continue;
        }
        let names = response.get("headers").and_then(Value::as_object).into_iter().flatten();
        let names: Vec<_> = names.map(|(name, _)| code(name)).collect();
        let _ = write!(
            examples,
            "<h2>Answer {}</h2><p><small>with {}</small></p>",
            escaped(status),
            names.join(" ")
        );
        if let Some(example) = response.pointer("/content/application~1json/example") {
            examples.push_str(&pretty(example, ""));
        }
    }
    part.push_str(&examples);
    part.push_str("<h2>Refusals</h2>");
    table(&["status", "codes"], refusals.into_iter(), part);
}

fn table<const N: usize>(heads: &[&str; N], rows: impl Iterator<Item = [String; N]>, part: &mut String) {
    part.push_str("<div class=\"wide\"><table><thead><tr>");
    for head in heads {
        let _ = write!(part, "<th>{head}</th>");
    }
    part.push_str("</tr></thead><tbody>");
    for row in rows {
        let _ = write!(part, "<tr>{}</tr>", row.map(|cell| format!("<td>{cell}</td>")).concat());
    }
    part.push_str("</tbody></table></div>");
}

fn pretty(example: &Value, class: &str) -> String {
    // A scrollable region must be reachable by keyboard.
    format!("<pre tabindex=\"0\"{class}>{}</pre>", escaped(&format!("{example:#}")))
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
