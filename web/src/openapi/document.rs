//! The whole document.

use super::operation::{Example, Operation};
use super::refusals;
use super::schema::Schemas;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The description of an application's API: what it is called, and examples. Served at `/api-docs/openapi.json`, and for
/// people at `/docs`.
#[derive(Debug, Clone, Default)]
pub struct OpenApi {
    title: String,
    version: String,
    about: String,
    examples: BTreeMap<String, Example>,
    /// Why the examples cannot be read.
    fault: Option<String>,
}

impl OpenApi {
    /// The API of this name, version and purpose.
    pub fn new(title: impl Into<String>, version: impl Into<String>, about: impl Into<String>) -> Self {
        Self { title: title.into(), version: version.into(), about: about.into(), ..Self::default() }
    }

    /// With an example for each operation, as JSON text: `{"POST /api/events": {"request": …, "status": 201,
    /// "response": …}}`. A test can record them, so that they stay true.
    #[must_use]
    pub fn examples(mut self, text: &str) -> Self {
        match serde_json::from_str::<BTreeMap<String, Value>>(text) {
            Ok(examples) => {
                let example = |value: Value| Example {
                    request: value.get("request").cloned(),
                    response: value.get("response").cloned(),
                };
                self.examples = examples.into_iter().map(|(name, value)| (name, example(value))).collect();
            }
            Err(error) => self.fault = Some(error.to_string()),
        }
        self
    }

    pub(crate) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    pub(super) fn document(&self, operations: &[(String, Operation)]) -> Value {
        let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        let (mut schemas, none) = (Schemas::new(), Example::default());
        for (path, operation) in operations {
            let method = operation.method.as_str();
            let example = self.examples.get(&format!("{method} {path}")).unwrap_or(&none);
            let object = operation.object(path, example, &mut schemas);
            paths.entry(path).or_default().insert(method.to_ascii_lowercase(), object);
        }
        let mut named = schemas.named();
        named.insert("Problem".to_owned(), refusals::problem());
        let responses = operations.iter().flat_map(|(_, operation)| operation.refusals().components());
        json!({
            "openapi": "3.1.0",
            "info": { "title": self.title, "version": self.version, "description": self.about },
            "paths": paths,
            "components": {
                "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
                "schemas": named,
                "headers": refusals::headers(),
                "responses": responses.collect::<Map<_, _>>(),
            },
        })
    }
}
