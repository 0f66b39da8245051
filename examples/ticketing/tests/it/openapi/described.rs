//! Every answer that any of these tests gets is one that the API's description names: its status, its code, its members.
//!
//! Not here: whether requests that the description allows are taken; that is what `cargo xtask prove --only fuzz` asks.

use crate::openapi::program;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use composable_rust::web::InProcess;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::sync::OnceCell;

static DESCRIPTION: OnceCell<Value> = OnceCell::const_new();

/// The description as the program gives it, with answers closed: a member that it does not name is one too many.
pub(crate) async fn description() -> &'static Value {
    let read = async || {
        let app = program().await;
        let request = Request::get("/api-docs/openapi.json").body(Body::empty()).unwrap();
        let answer = app.get::<InProcess>().unwrap().answer(request).await;
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        app.shutdown().await.unwrap();
        let mut document: Value = serde_json::from_slice(&body).unwrap();
        for (name, schema) in document["components"]["schemas"].as_object_mut().unwrap() {
            // Problems have members of their own.
            if name != "Problem" {
                close(schema);
            }
        }
        document
    };
    DESCRIPTION.get_or_init(read).await
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.contains_key("properties") && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".to_owned(), false.into());
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Says whether a value fits a schema of the description.
pub(crate) fn validator(description: &Value, schema: &Value) -> Validator {
    let whole = json!({ "components": description["components"], "allOf": [schema] });
    jsonschema::options().should_validate_formats(true).build(&whole).unwrap_or_else(|e| panic!("{e}"))
}

/// What is wrong with the answer of one operation; its validator is kept.
fn faults(name: String, schema: &Value, body: &Value) -> Vec<String> {
    static VALIDATORS: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());
    let description = DESCRIPTION.get().unwrap();
    let kept = VALIDATORS.lock().unwrap().get(&name).map(Arc::clone);
    let validator = kept.unwrap_or_else(|| {
        let made = Arc::new(validator(description, schema));
        Arc::clone(VALIDATORS.lock().unwrap().entry(name).or_insert(made))
    });
    validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Checks that an answer from this path is described. Who got it does not know the method, so one of the path's must fit.
pub(crate) async fn is_described(path: &str, status: u16, media: &str, body: &Value) {
    let description = description().await;
    let media = media.split(';').next().unwrap_or_default();
    let mut said = Vec::new();
    for (template, methods) in description["paths"].as_object().unwrap() {
        if !fits(template, path) {
            continue;
        }
        for (method, operation) in methods.as_object().unwrap() {
            let Some(response) = operation["responses"].get(status.to_string()) else {
                said.push(format!("{method} never answers {status}"));
                continue;
            };
            let response = response.get("$ref").map_or(response, |reference| {
                description.pointer(reference.as_str().unwrap().trim_start_matches('#')).unwrap()
            });
            let found = match response.get("content") {
                None => Vec::new(),
                Some(content) => match content.get(media) {
                    Some(content) if media.ends_with("json") => {
                        faults(format!("{method} {template} {status}"), &content["schema"], body)
                    }
                    Some(_) => Vec::new(),
                    None => vec![format!("{media} is not described")],
                },
            };
            if found.is_empty() {
                return;
            }
            said.push(format!("{method}: {}", found.join("; ")));
        }
    }
    // What nobody answers: a page, an unknown address, another method.
    let is_nobodys = said.is_empty() || status == 405;
    assert!(is_nobodys, "{path} answers {status} {media} {body}, but {said:#?}");
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(part, given)| part.starts_with('{') || part == given)
}
