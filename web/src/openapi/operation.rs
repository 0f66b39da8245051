//! One operation of the API: a method at a path.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of one operation. Arguments and answers of its handler add to it: see [`Describes`](super::Describes).
#[derive(Debug, Clone)]
pub struct Operation {
    pub(super) method: Method,
    pub(super) about: &'static str,
    parameters: Vec<Value>,
    pub(super) has_path: bool,
    body: Option<(&'static str, bool)>,
    caller: Option<bool>,
    problems: BTreeSet<u16>,
    headers: BTreeMap<&'static str, &'static str>,
    content: Option<&'static str>,
    is_optional: bool,
}

/// What a recorded request and its answer looked like.
#[derive(Debug, Clone, Default)]
pub(super) struct Example {
    pub(super) request: Option<Value>,
    pub(super) status: Option<u64>,
    pub(super) response: Option<Value>,
}

impl Operation {
    pub(super) fn new(method: Method) -> Self {
        Self {
            method,
            about: "",
            parameters: Vec::new(),
            has_path: false,
            body: None,
            caller: None,
            problems: BTreeSet::new(),
            headers: BTreeMap::new(),
            content: None,
            is_optional: false,
        }
    }

    /// What `add` adds may be left out.
    pub(super) fn optional(&mut self, add: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.is_optional, true);
        add(self);
        self.is_optional = outer;
    }

    /// A header of the request.
    pub fn header(&mut self, name: &str, about: &str, schema: &Value) {
        let required = !self.is_optional;
        self.parameters.push(
            json!({ "name": name, "in": "header", "required": required, "description": about, "schema": schema }),
        );
    }

    /// A parameter of the query.
    pub fn query(&mut self, name: &str, schema: &Value) {
        self.parameters.push(json!({ "name": name, "in": "query", "required": false, "schema": schema }));
    }

    /// A body of this media type.
    pub fn body(&mut self, media: &'static str) {
        self.body = Some((media, !self.is_optional));
    }

    /// Who calls it must sign in, or may.
    pub fn signed_in(&mut self) {
        self.caller = Some(!self.is_optional);
    }

    /// It may be refused with these statuses.
    pub fn refuses(&mut self, statuses: &[StatusCode]) {
        self.problems.extend(statuses.iter().map(StatusCode::as_u16));
    }

    /// A header of the answer.
    pub fn answers_header(&mut self, name: &'static str, about: &'static str) {
        self.headers.insert(name, about);
    }

    /// The media type of the answer.
    pub fn answers(&mut self, media: &'static str) {
        self.content = Some(media);
    }

    /// The operation object of OpenAPI.
    pub(super) fn object(&self, path: &str, example: &Example) -> Value {
        let id =
            format!("{}{}", self.method.as_str().to_ascii_lowercase(), path.replace(['/', '-', '.'], "_"));
        let mut parameters = path_parameters(path);
        parameters.extend(self.parameters.iter().cloned());
        let mut object = json!({
            "operationId": id.replace(['{', '}'], ""),
            "summary": self.about,
            "tags": [tag(path)],
            "parameters": parameters,
            "responses": self.responses(example),
        });
        match self.caller {
            Some(true) => object["security"] = json!([{ "bearer": [] }]),
            Some(false) => object["security"] = json!([{}, { "bearer": [] }]),
            None => object["security"] = json!([]),
        }
        if let Some((media, required)) = self.body {
            let content = match &example.request {
                Some(request) => json!({ "schema": super::shape::request(request), "example": request }),
                None => json!({ "schema": { "type": "object" } }),
            };
            object["requestBody"] = json!({ "required": required, "content": { media: content } });
        }
        object
    }

    fn responses(&self, example: &Example) -> Value {
        let mut responses = Map::new();
        let status = example.status.unwrap_or(200);
        let header = |(name, about): (&&str, &&str)| {
            ((*name).to_owned(), json!({ "description": about, "schema": { "type": "string" } }))
        };
        let headers: Map<_, _> = self.headers.iter().map(header).collect();
        let mut success = json!({ "description": "Done", "headers": headers });
        if let Some(media) = self.content.filter(|_| status != 204) {
            let content = match &example.response {
                Some(body) => json!({ "schema": super::shape::response(body), "example": body }),
                None => json!({}),
            };
            success["content"] = json!({ media: content });
        }
        responses.insert(status.to_string(), success);
        for status in &self.problems {
            responses.insert(status.to_string(), json!({ "$ref": "#/components/responses/Problem" }));
        }
        responses.insert("default".to_owned(), json!({ "$ref": "#/components/responses/Problem" }));
        Value::Object(responses)
    }
}

/// The part of the API that a path belongs to.
fn tag(path: &str) -> &str {
    path.split('/').find(|part| !part.is_empty() && *part != "api").unwrap_or("other")
}

fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameter = |name: &str| {
        let schema = json!({ "type": "string", "format": "uuid" });
        let schema = if name.ends_with("id") { schema } else { json!({ "type": "string" }) };
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    };
    names.map(parameter).collect()
}
