//! Who asks.

use crate::server::{problem, start};
use uuid::Uuid;

#[tokio::test]
async fn a_token_makes_a_principal_and_its_lack_is_401() {
    let server = start().await;
    let me = server.get("/me").bearer_auth("user-7").send().await.unwrap();
    assert_eq!(me.text().await.unwrap(), Uuid::from_u128(7).to_string());
    let anonymous = server.get("/me").send().await.unwrap();
    assert_eq!(anonymous.headers()["www-authenticate"], "Bearer");
    problem(anonymous, 401, "unauthenticated").await;
    for path in ["/me", "/anybody"] {
        let wrong = server.get(path).bearer_auth("stale").send().await.unwrap();
        assert_eq!(wrong.headers()["www-authenticate"], "Bearer error=\"invalid_token\"");
        problem(wrong, 401, "unauthenticated").await;
        problem(server.get(path).bearer_auth("broken").send().await.unwrap(), 503, "overloaded").await;
    }
}

#[tokio::test]
async fn anybody_may_ask_where_the_route_says_so() {
    let server = start().await;
    let asked = async |token: Option<&str>| {
        let request = server.get("/anybody");
        let request = token.map_or(request.try_clone().unwrap(), |token| request.bearer_auth(token));
        request.send().await.unwrap().text().await.unwrap()
    };
    assert_eq!((asked(None).await, asked(Some("user-1")).await), ("false".into(), "true".into()));
}

#[tokio::test]
async fn a_route_that_asks_for_nobody_ignores_a_stale_token() {
    let server = start().await;
    assert_eq!(server.get("/page").bearer_auth("stale").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn roles_are_checked() {
    let server = start().await;
    problem(server.get("/admin").bearer_auth("user-1").send().await.unwrap(), 403, "forbidden").await;
    assert_eq!(server.get("/admin").bearer_auth("admin-1").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_cookie_counts_and_an_expired_one_is_nobody() {
    let server = start().await;
    let me = server.get("/me").header("cookie", "a=b; session=user-3").send().await.unwrap();
    assert_eq!(me.text().await.unwrap(), Uuid::from_u128(3).to_string());
    let expired = server.get("/anybody").header("cookie", "session=old").send().await.unwrap();
    assert_eq!(expired.text().await.unwrap(), "false");
    let elsewhere =
        server.post("/rooms").header("cookie", "session=user-3").header("sec-fetch-site", "cross-site");
    problem(elsewhere.send().await.unwrap(), 403, "forbidden").await;
}
