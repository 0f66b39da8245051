//! The description of an API: told by the handlers, complete, and readable under our own policy.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use composable_rust_runtime::Application;
use composable_rust_testing::memory::MemoryStorage;
use composable_rust_web::{
    HttpOptions, IfMatch, InProcess, JsonBody, KeyedRequest, MinPosition, OpenApi, PageBody, Pagination,
    PathId, Principal, Problem, QueryParams, Routes, Validate, WebExt, Written, get, put,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(rename = "q")]
    _q: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(rename = "name")]
    _name: String,
}

impl Validate for Named {}

type Listed = Result<PageBody<u32>, Problem>;

async fn list(_: Option<Principal>, _: Pagination, _: MinPosition, _: QueryParams<Wanted>) -> Listed {
    Err(Problem::internal())
}

async fn change(
    _: Principal,
    _: KeyedRequest,
    _: IfMatch,
    _: PathId<u32>,
    _: JsonBody<Named>,
) -> Result<Written<u32>, Problem> {
    Err(Problem::internal())
}

fn routes() -> Routes {
    let things = get(list).about("Lists <things>").post(async || Json(1)).about("Makes one");
    Routes::new().route("/api/things", things).route("/api/things/{id}", put(change).about("Changes one"))
}

const EXAMPLES: &str = r#"{
    "GET /api/things": { "status": 200, "response": { "items": [1], "page": 1 } },
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
    let expected = ["page", "page_size"].map(|name| of("query", name, false));
    let others = [of("header", "X-Min-Position", false), of("query", "q", false)];
    assert_eq!(names(list), [expected.as_slice(), &others].concat());
    assert_eq!(list["security"], json!([{}, { "bearer": [] }]));
    assert_eq!(list["responses"]["200"]["content"]["application/json"]["example"]["page"], 1);
    assert!(list["responses"]["503"].is_object() && list["responses"]["default"].is_object());

    let change = &document["paths"]["/api/things/{id}"]["put"];
    let expected =
        [of("path", "id", true), of("header", "Idempotency-Key", true), of("header", "If-Match", true)];
    assert_eq!((names(change), &change["security"]), (expected.to_vec(), &json!([{ "bearer": [] }])));
    let body = &change["requestBody"]["content"]["application/json"];
    assert_eq!(
        (&body["example"]["name"], &body["schema"]["additionalProperties"]),
        (&json!("hall"), &json!(false))
    );
    for status in ["400", "401", "404", "409", "412", "413", "415", "422", "428"] {
        assert!(change["responses"][status].is_object(), "{status}");
    }
    assert!(change["responses"]["200"]["headers"]["ETag"].is_object());
    assert!(document["paths"]["/livez"]["get"].is_object(), "probes are described as well");
}

#[tokio::test]
async fn people_read_it_under_our_own_policy() {
    let app = start(OpenApi::new("Things", "1", "All of them").examples(EXAMPLES)).await;
    let (head, page) = ask(&app, "/docs").await;
    assert!(head.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'self'"));
    assert!(page.contains("Lists &lt;things&gt;") && page.contains("/api/things/{id}"));
    let foreign = ["<script", "style=", "http://", "https://"].map(|text| page.contains(text));
    assert_eq!(foreign, [false; 4], "nothing inline, nothing from elsewhere");
    let style = page.split_once("href=\"/static/").unwrap().1.split_once('"').unwrap().0;
    let (head, _) = ask(&app, &format!("/static/{style}")).await;
    assert_eq!(head.status, 200);
}

#[tokio::test]
async fn examples_that_cannot_be_read_are_found_before_the_start() {
    let api = OpenApi::new("Things", "1", "All of them").examples("{");
    let builder =
        Application::builder("things").storage(MemoryStorage::new()).http(HttpOptions::in_process());
    let refused = builder.routes(routes()).openapi(api).start().await.unwrap_err();
    assert!(refused.to_string().contains("examples of the API cannot be read"), "{refused}");
}
