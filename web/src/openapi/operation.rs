//! One operation of the API: a method at a path.

use super::refusals::Refusals;
use super::schema::{SchemaOf, Schemas};
use axum::http::{Method, StatusCode};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of one operation. Arguments and answers of its handler add to it: see [`Describes`](super::Describes).
#[derive(Debug, Clone)]
pub struct Operation {
    pub(super) method: Method,
    pub(super) about: &'static str,
    parameters: Vec<Parameter>,
    /// Of the ids in its path, in their order.
    path: Vec<SchemaOf>,
    body: Option<Body>,
    /// Whether its handler has the request itself, with whatever body.
    is_raw: bool,
    caller: Option<bool>,
    refusals: Refusals,
    headers: BTreeMap<&'static str, &'static str>,
    answer: Answer,
    is_optional: bool,
}

#[derive(Debug, Clone)]
enum Parameter {
    Header { name: &'static str, about: &'static str, schema: Value, is_required: bool },
    Query(SchemaOf),
}

#[derive(Debug, Clone)]
struct Body {
    media: &'static str,
    schema: SchemaOf,
    is_required: bool,
}

#[derive(Debug, Clone)]
struct Answer {
    /// With which it succeeds.
    statuses: BTreeSet<StatusCode>,
    media: Option<&'static str>,
    schema: Option<SchemaOf>,
}

/// What a recorded request and its answer looked like.
#[derive(Debug, Clone, Default)]
pub(super) struct Example {
    pub(super) request: Option<Value>,
    pub(super) response: Option<Value>,
}

impl Operation {
    pub(super) fn new(method: Method) -> Self {
        let answer = Answer { statuses: BTreeSet::new(), media: None, schema: None };
        Self {
            refusals: Refusals::of_every(&method),
            method,
            about: "",
            parameters: Vec::new(),
            path: Vec::new(),
            body: None,
            is_raw: false,
            caller: None,
            headers: BTreeMap::new(),
            answer,
            is_optional: false,
        }
    }

    /// What `add` adds may be left out.
    pub(super) fn optional(&mut self, add: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.is_optional, true);
        add(self);
        self.is_optional = outer;
    }

    /// Adds what holds only where it may not be left out.
    pub(super) fn required(&mut self, add: impl FnOnce(&mut Self)) {
        if !self.is_optional {
            add(self);
        }
    }

    /// The next id in the path.
    pub fn path<T: JsonSchema>(&mut self) {
        self.path.push(SchemaGenerator::subschema_for::<T>);
    }

    /// A header of the request.
    pub fn header(&mut self, name: &'static str, about: &'static str, schema: Value) {
        let is_required = !self.is_optional;
        self.parameters.push(Parameter::Header { name, about, schema, is_required });
    }

    /// The members of `T` as parameters of the query.
    pub fn query<T: JsonSchema>(&mut self) {
        self.parameters.push(Parameter::Query(SchemaGenerator::subschema_for::<T>));
    }

    /// A body of this media type.
    pub fn body<T: JsonSchema>(&mut self, media: &'static str) {
        let schema = SchemaGenerator::subschema_for::<T>;
        self.body = Some(Body { media, schema, is_required: !self.is_optional });
    }

    /// The whole request, so that its handler judges the body.
    pub(super) fn raw(&mut self) {
        self.is_raw = true;
    }

    /// Whether it changes something and takes no body: then it refuses one.
    pub(super) fn refuses_body(&mut self) -> bool {
        let refuses = !self.method.is_safe() && self.body.is_none() && !self.is_raw;
        if refuses {
            self.refuses_bad_body();
        }
        refuses
    }

    /// It reads its body strictly.
    pub(super) fn refuses_bad_body(&mut self) {
        self.refuses(StatusCode::BAD_REQUEST, &["malformed_request"]);
        self.refuses(StatusCode::PAYLOAD_TOO_LARGE, &["body_too_large"]);
        self.refuses(StatusCode::UNPROCESSABLE_ENTITY, &["validation_failed", "unknown_field"]);
    }

    /// Who calls it must sign in, or may; a token that is not valid is refused either way.
    pub fn signed_in(&mut self) {
        self.caller = Some(!self.is_optional);
        self.refuses(StatusCode::UNAUTHORIZED, &["unauthenticated"]);
    }

    /// It may be refused with this status and these codes.
    pub fn refuses(&mut self, status: StatusCode, codes: &[&'static str]) {
        self.refusals.add(status, codes);
    }

    /// Only what is said from here on refuses it: it stands outside of what happens to other requests.
    pub(crate) fn stands_alone(&mut self) {
        self.refusals = Refusals::of_any();
    }

    /// A header of the answer when it succeeds; always there, unless `about` begins with "If".
    pub fn answers_header(&mut self, name: &'static str, about: &'static str) {
        self.headers.insert(name, about);
    }

    /// It succeeds with this status; with 200 where nothing is said.
    pub fn succeeds(&mut self, status: StatusCode) {
        self.answer.statuses.insert(status);
    }

    /// It answers `T` as JSON; nothing where `T` is `()`.
    pub fn answers<T: JsonSchema>(&mut self) {
        let is_nothing = T::json_schema(&mut SchemaGenerator::default()).get("type") == Some(&json!("null"));
        if is_nothing {
            self.succeeds(StatusCode::NO_CONTENT);
        } else {
            self.answers_text("application/json");
            self.answer.schema = Some(SchemaGenerator::subschema_for::<T>);
        }
    }

    /// It answers a text of this media type.
    pub fn answers_text(&mut self, media: &'static str) {
        self.answer.media = Some(media);
        self.answer.schema = None;
    }

    /// The operation object of OpenAPI.
    pub(super) fn object(&self, path: &str, example: &Example, schemas: &mut Schemas) -> Value {
        let method = self.method.as_str().to_ascii_lowercase();
        let id = format!("{method}{}", path.replace(['/', '-', '.'], "_"));
        let mut object = json!({
            "operationId": id.replace(['{', '}'], ""),
            "summary": self.about,
            "tags": [tag(path)],
            "parameters": self.parameters(path, schemas),
            "responses": self.responses(example, schemas),
            "security": match self.caller {
                Some(true) => json!([{ "bearer": [] }]),
                Some(false) => json!([{}, { "bearer": [] }]),
                None => json!([]),
            },
        });
        if let Some(body) = &self.body {
            let mut content = json!({ "schema": schemas.request(body.schema) });
            if let Some(request) = &example.request {
                content["example"] = request.clone();
            }
            object["requestBody"] =
                json!({ "required": body.is_required, "content": { body.media: content } });
        }
        object
    }

    fn parameters(&self, path: &str, schemas: &mut Schemas) -> Vec<Value> {
        let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let mut parameters: Vec<Value> = Vec::new();
        for (index, name) in names.enumerate() {
            let schema = self.path.get(index).map(|of| schemas.parameter(*of));
            let schema = schema.unwrap_or_else(|| json!({ "type": "string" }));
            parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
        }
        for parameter in &self.parameters {
            match parameter {
                Parameter::Header { name, about, schema, is_required } => parameters.push(json!({
                    "name": name, "in": "header", "required": is_required, "description": about, "schema": schema
                })),
                Parameter::Query(of) => parameters.extend(schemas.members(*of).into_iter().map(|member| {
                    let (name, required) = (member.name, member.is_required);
                    let mut object =
                        json!({ "name": name, "in": "query", "required": required, "schema": member.schema });
                    // Counts as absent: forms send every field.
                    if !required {
                        object["allowEmptyValue"] = true.into();
                    }
                    if let Some(about) = member.about {
                        object["description"] = about;
                    }
                    object
                })),
            }
        }
        parameters
    }

    fn responses(&self, example: &Example, schemas: &mut Schemas) -> Map<String, Value> {
        let mut responses = self.refusals.responses();
        let mut success = json!({ "description": "Done", "headers": self.headers() });
        if let Some(media) = self.answer.media {
            let mut content = self.answer.schema.map_or(
                json!({ "schema": { "type": "string" } }),
                |of| json!({ "schema": schemas.answer(of) }),
            );
            if let Some(body) = &example.response {
                content["example"] = body.clone();
            }
            success["content"] = json!({ media: content });
        }
        let usual = BTreeSet::from([StatusCode::OK]);
        let statuses = if self.answer.statuses.is_empty() { &usual } else { &self.answer.statuses };
        responses.extend(statuses.iter().map(|status| (status.as_str().to_owned(), success.clone())));
        responses
    }

    fn headers(&self) -> Map<String, Value> {
        let header = |(name, about): (&&str, &&str)| {
            let is_always = !about.starts_with("If ");
            let schema = json!({ "type": "string" });
            ((*name).to_owned(), json!({ "description": about, "required": is_always, "schema": schema }))
        };
        super::refusals::headers_of_every().chain(self.headers.iter().map(header)).collect()
    }

    pub(super) fn refusals(&self) -> &Refusals {
        &self.refusals
    }
}

/// The part of the API that a path belongs to.
fn tag(path: &str) -> &str {
    path.split('/').find(|part| !part.is_empty() && *part != "api").unwrap_or("other")
}
