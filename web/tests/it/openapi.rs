//! The description of an API: told by the handlers, complete, and readable under our own policy.

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use composable_rust_runtime::Application;
use composable_rust_testing::memory::MemoryStorage;
use composable_rust_web::{
    Created, HttpOptions, IfMatch, InProcess, JsonBody, KeyedRequest, MinPosition, OpenApi, PageBody,
    Pagination, PathId, Principal, Problem, QueryParams, Routes, Validate, WebExt, Written, get, put,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Deserialize, JsonSchema)]
struct Wanted {
    /// Words in its name.
    #[serde(rename = "q")]
    _q: Option<String>,
    #[serde(rename = "year")]
    _year: u16,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Named {
    #[serde(rename = "name")]
    #[schemars(length(min = 1))]
    _name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Thing {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl Validate for Named {}

type Listed = Result<PageBody<Thing>, Problem>;

async fn list(_: Option<Principal>, _: Pagination, _: MinPosition, _: QueryParams<Wanted>) -> Listed {
    Err(Problem::internal())
}

async fn change(
    _: Principal,
    _: KeyedRequest,
    _: IfMatch,
    _: PathId<u32>,
    _: JsonBody<Named>,
) -> Result<Written<Thing>, Problem> {
    Err(Problem::internal())
}

async fn make(_: JsonBody<Named>) -> Result<Created<Thing>, Problem> {
    Err(Problem::internal())
}

async fn end(_: PathId<u32>, _: Option<JsonBody<Named>>) -> Result<Written<()>, Problem> {
    Err(Problem::internal())
}

fn routes() -> Routes {
    let things = get(list).about("Lists <things>").post(make).about("Makes one");
    let changing = put(change).about("Changes one").refuses(StatusCode::CONFLICT, &["sold"]);
    let thing = changing.delete(end).about("Ends one");
    let text = get(async || "1").about("A number").answers_text("text/plain");
    Routes::new().route("/api/things", things).route("/api/things/{id}", thing).route("/api/text", text)
}

const EXAMPLES: &str = r#"{
    "GET /api/things": { "status": 200, "response": { "items": [], "page": 1 } },
    "PUT /api/things/{id}": { "request": { "name": "hall" }, "status": 200, "response": 1 }
}"#;

async fn ask(app: &Application, path: &str) -> (axum::http::response::Parts, String) {
    let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
    let (parts, body) = app.get::<InProcess>().unwrap().answer(request).await.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    (parts, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn start(api: OpenApi) -> Application {
    let builder =
        Application::builder("things").storage(MemoryStorage::new()).http(HttpOptions::in_process());
    builder.routes(routes()).openapi(api).start().await.unwrap()
}

fn names(operation: &Value) -> Vec<(String, String, bool)> {
    let parameters = operation["parameters"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    parameters.map(|one| (text(&one["in"]), text(&one["name"]), one["required"].as_bool().unwrap())).collect()
}

#[tokio::test]
async fn handlers_tell_what_they_take_and_answer() {
    let app = start(OpenApi::new("Things", "1", "All of them").examples(EXAMPLES)).await;
    let (_, text) = ask(&app, "/api-docs/openapi.json").await;
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["openapi"], "3.1.0");

    let list = &document["paths"]["/api/things"]["get"];
    let of = |place: &str, name: &str, required| (place.to_owned(), name.to_owned(), required);
    let expected = [of("query", "page", false), of("query", "page_size", false)];
    let others = [of("header", "X-Min-Position", false), of("query", "q", false), of("query", "year", true)];
    assert_eq!(names(list), [expected.as_slice(), &others].concat());
    let words = list["parameters"].as_array().unwrap().iter().find(|one| one["name"] == "q").unwrap();
    assert_eq!(
        (&words["description"], &words["schema"]),
        (&json!("Words in its name."), &json!({ "type": "string" }))
    );
    assert_eq!(list["security"], json!([{}, { "bearer": [] }]));
    let answer = &list["responses"]["200"]["content"]["application/json"];
    assert_eq!(
        (&answer["example"]["page"], &answer["schema"]["$ref"]),
        (&json!(1), &json!("#/components/schemas/PageOfThing"))
    );
    assert_eq!(codes(&document, list, "503"), ["draining", "overloaded", "view_behind"]);

    let change = &document["paths"]["/api/things/{id}"]["put"];
    let expected =
        [of("path", "id", true), of("header", "Idempotency-Key", true), of("header", "If-Match", true)];
    assert_eq!((names(change), &change["security"]), (expected.to_vec(), &json!([{ "bearer": [] }])));
    assert_eq!(change["parameters"][0]["schema"]["maximum"], u32::MAX);
    let body = &change["requestBody"]["content"]["application/json"];
    let closed = json!({
        "type": "object", "required": ["name"], "additionalProperties": false,
        "properties": { "name": { "type": "string", "minLength": 1 } },
    });
    assert_eq!(body["example"]["name"], "hall");
    let mut schema = body["schema"].clone();
    schema.as_object_mut().unwrap().retain(|name, _| name != "title" && name != "$schema");
    assert_eq!(schema, closed);
    for (status, expected) in [
        ("401", ["unauthenticated"].as_slice()),
        ("404", &["not_found"]),
        ("409", &["answer_not_kept", "request_in_progress", "sold"]),
        ("412", &["version_mismatch"]),
        ("422", &["idempotency_key_reused", "unknown_field", "validation_failed"]),
        ("428", &["if_match_missing"]),
    ] {
        assert_eq!(codes(&document, change, status), expected, "{status}");
    }
    assert!(change["responses"].get("default").is_none(), "what is not said is not answered");
    assert_eq!(change["responses"]["200"]["headers"]["ETag"]["required"], true);

    let make = &document["paths"]["/api/things"]["post"]["responses"]["201"];
    assert_eq!(make["headers"]["Location"]["required"], true);
    let end = &document["paths"]["/api/things/{id}"]["delete"];
    assert_eq!(
        (&end["requestBody"]["required"], end["responses"]["204"].get("content")),
        (&json!(false), None)
    );
    let text = &document["paths"]["/api/text"]["get"]["responses"]["200"];
    assert_eq!(text["content"], json!({ "text/plain": { "schema": { "type": "string" } } }));
    let note = &document["components"]["schemas"]["Thing"]["properties"]["note"];
    assert_eq!(note, &json!({ "type": "string" }));
    let probe = &document["paths"]["/readyz"]["get"]["responses"];
    assert_eq!(probe["503"]["content"]["application/json"], probe["200"]["content"]["application/json"]);
}

/// With which codes an operation answers a status.
fn codes(document: &Value, operation: &Value, status: &str) -> Vec<String> {
    let reference = operation["responses"][status]["$ref"].as_str().unwrap().strip_prefix('#').unwrap();
    let schema = &document.pointer(reference).unwrap()["content"]["application/problem+json"]["schema"];
    let codes = schema["allOf"][1]["properties"]["code"]["enum"].as_array().unwrap();
    codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn people_read_and_try_it_under_our_own_policy() {
    let app = start(OpenApi::new("Things", "1", "All of them").examples(EXAMPLES)).await;
    let (head, page) = ask(&app, "/docs").await;
    assert!(head.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'self'"));
    assert!(page.contains("Lists &lt;things&gt;") && page.contains("/api/things/{id}"));
    let foreign = ["<script>", "style=", "http://", "https://"].map(|text| page.contains(text));
    assert_eq!(foreign, [false; 4], "nothing inline, nothing from elsewhere");
    for file in ["href=\"/static/", "src=\"/static/"] {
        let file = page.split_once(file).unwrap().1.split_once('"').unwrap().0;
        let (head, _) = ask(&app, &format!("/static/{file}")).await;
        assert_eq!(head.status, 200);
    }
}

#[tokio::test]
async fn examples_that_cannot_be_read_are_found_before_the_start() {
    let api = OpenApi::new("Things", "1", "All of them").examples("{");
    let builder =
        Application::builder("things").storage(MemoryStorage::new()).http(HttpOptions::in_process());
    let refused = builder.routes(routes()).openapi(api).start().await.unwrap_err();
    assert!(refused.to_string().contains("examples of the API cannot be read"), "{refused}");
}
