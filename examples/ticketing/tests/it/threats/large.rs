//! What is too large, too deep or too much is refused, and the program goes on.

use crate::binary::{Answer, Server, folder};
use reqwest::Method;

#[tokio::test]
async fn large_deep_and_packed_bodies_are_refused_on_every_route() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let show = person.sell(3).await;
    let order = person.reserve(&show, 1).await.expect(201);
    let paid = person.pay(&order, "succeed").await.expect(201);
    let paths = [
        "/api/auth/dev-sign-in".to_owned(),
        "/api/events".to_owned(),
        format!("/api/events/{}/sections/{}/inventory", show.id, show.section),
        "/api/reservations".to_owned(),
        "/api/payments".to_owned(),
        format!("/api/payments/{}/refund", paid.text("/id")),
    ];
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let members: Vec<_> = (0..10_000).map(|number| format!("\"m{number}\":1")).collect();
    let wide = format!("{{{}}}", members.join(","));
    for path in &paths {
        let post = |kind: &'static str, body: Vec<u8>| {
            let request = person.request(Method::POST, path).header("content-type", "application/json");
            let request = request.header("idempotency-key", "large").header("content-encoding", kind);
            async move { Answer::of(request.body(body).send().await.unwrap()).await }
        };
        post("identity", vec![b' '; 2 * 1024 * 1024 + 1]).await.problem(413, "body_too_large");
        // The head of a gzip file: nobody unpacks it.
        post("gzip", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0]).await.problem(415, "unsupported_media_type");
        for body in [&deep, &wide] {
            let answer = post("identity", body.clone().into_bytes()).await;
            assert!([400, 413, 422].contains(&answer.status), "{path}: {}", answer.body);
        }
    }
    let parameters: Vec<_> = (0..5_000).map(|number| format!("p{number}=1")).collect();
    for query in [parameters.join("&"), format!("q={}", "a".repeat(60_000))] {
        // Some are refused before anybody knows the route.
        let asked = person.request(Method::GET, &format!("/api/events?{query}"));
        let status = asked.send().await.unwrap().status();
        assert!(status.is_client_error(), "{status}");
    }
    assert_eq!(server.get("/livez").await.status, 200);
}
