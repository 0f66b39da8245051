//! The document for people: one page without scripts.

use crate::Asset;
use serde_json::Value;
use std::fmt::Write as _;

pub(super) const STYLE: Asset = Asset::new("api.css", include_bytes!("page.css"));

/// The page of a document.
pub(super) fn html(document: &Value) -> String {
    let title = escaped(text(document, "/info/title"));
    let about = escaped(text(document, "/info/description"));
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}: API</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><link rel=\"stylesheet\" href=\"{STYLE}\"></head>\
         <body><main><h1>{title}</h1><p>{about}</p><p><a href=\"/api-docs/openapi.json\">OpenAPI 3.1</a></p>"
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

fn operation_of(path: &str, method: &str, operation: &Value) -> String {
    let (path, about) = (escaped(path), escaped(text(operation, "/summary")));
    let mut part =
        format!("<details><summary><b class=\"{method}\">{method}</b> <code>{path}</code> {about}</summary>");
    // Writing to a String cannot fail.
    let parameters = operation.get("parameters").and_then(Value::as_array).filter(|all| !all.is_empty());
    if let Some(parameters) = parameters {
        part.push_str("<table><thead><tr><th>parameter</th><th>in</th><th></th></tr></thead><tbody>");
        for parameter in parameters {
            let [name, place, about] =
                ["/name", "/in", "/description"].map(|at| escaped(text(parameter, at)));
            let _ = write!(part, "<tr><td><code>{name}</code></td><td>{place}</td><td>{about}</td></tr>");
        }
        part.push_str("</tbody></table>");
    }
    if let Some(example) = operation.pointer("/requestBody/content/application~1json/example") {
        let _ = write!(part, "<h2>Request</h2>{}", pretty(example));
    }
    for (status, response) in operation.get("responses").and_then(Value::as_object).into_iter().flatten() {
        if let Some(example) = response.pointer("/content/application~1json/example") {
            let _ = write!(part, "<h2>Answer {}</h2>{}", escaped(status), pretty(example));
        }
    }
    part.push_str("</details>");
    part
}

fn pretty(example: &Value) -> String {
    // A scrollable region must be reachable by keyboard.
    format!("<pre tabindex=\"0\">{}</pre>", escaped(&format!("{example:#}")))
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
