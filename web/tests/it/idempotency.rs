//! A request that is sent twice acts once.

use crate::server::{TestServer, problem, start};
use reqwest::Response;
use serde_json::{Value, json};
use uuid::Uuid;

async fn open(server: &TestServer, user: &str, key: &str, body: Value) -> Response {
    let request = server.post("/rooms").bearer_auth(user).header("idempotency-key", key).json(&body);
    request.send().await.unwrap()
}

fn is_replayed(response: &Response) -> bool {
    response.headers().get("idempotent-replayed").is_some_and(|value| value == "true")
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer() {
    let server = start().await;
    let body = json!({"name": "hall", "seats": 3});
    let first = open(&server, "user-1", "k-1", body.clone()).await;
    assert!(first.status() == 201 && !is_replayed(&first));
    let again = open(&server, "user-1", "\"k-1\"", json!({"seats": 3, "name": "hall"})).await;
    assert!(again.status() == 201 && is_replayed(&again));
    for name in ["etag", "x-position", "location", "content-type"] {
        assert_eq!(first.headers()[name], again.headers()[name], "{name}");
    }
    assert_ne!(first.headers()["x-request-id"], again.headers()["x-request-id"]);
    assert_eq!(first.text().await.unwrap(), again.text().await.unwrap());
    assert_eq!(server.events().await.len(), 1);
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused() {
    let server = start().await;
    assert_eq!(open(&server, "user-1", "k", json!({"name": "a", "seats": 3})).await.status(), 201);
    let other = open(&server, "user-1", "k", json!({"name": "b", "seats": 3})).await;
    problem(other, 422, "idempotency_key_reused").await;
}

#[tokio::test]
async fn keys_of_users_and_paths_are_apart() {
    let server = start().await;
    let body = json!({"name": "a", "seats": 3});
    let one: Value = open(&server, "user-1", "k", body.clone()).await.json().await.unwrap();
    let two: Value = open(&server, "user-2", "k", body).await.json().await.unwrap();
    assert_ne!(one["id"], two["id"]);
    let path = format!("/rooms/{}/take", one["id"].as_str().unwrap());
    let take =
        server.post(&path).bearer_auth("user-1").header("idempotency-key", "k").json(&json!({"seats": 1}));
    assert_eq!(take.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn refusals_are_decided_anew() {
    let server = start().await;
    let path = format!("/rooms/{}/take", server.room(2).await["id"].as_str().unwrap());
    let take = |key: &str, seats: u32| {
        let request = server.post(&path).bearer_auth("user-1").header("idempotency-key", key);
        request.json(&json!({ "seats": seats })).send()
    };
    let first = problem(take("many", 3).await.unwrap(), 409, "seats_unavailable").await;
    assert_eq!(first["available"], 2);
    assert_eq!(take("one", 1).await.unwrap().status(), 200);
    let again = problem(take("many", 3).await.unwrap(), 409, "seats_unavailable").await;
    assert_eq!(again["available"], 1);
}

#[tokio::test]
async fn parallel_repeats_act_once() {
    let server = start().await;
    let path = format!("/rooms/{}/take", server.room(50).await["id"].as_str().unwrap());
    let take = || {
        let request = server.post(&path).bearer_auth("user-1").header("idempotency-key", "k");
        request.json(&json!({"seats": 1})).send()
    };
    let answers = futures_util::future::join_all((0..50).map(|_| take())).await;
    let mut taken = 0;
    for answer in answers {
        let answer = answer.unwrap();
        if answer.status() == 200 {
            taken += 1;
        } else {
            problem(answer, 409, "request_in_progress").await;
        }
    }
    assert!(taken >= 1);
    assert_eq!(server.events().await.len(), 2);
}

#[tokio::test]
async fn a_crash_between_append_and_answer_does_not_act_twice() {
    let server = start().await;
    let path = format!("/rooms/{}/forgetful", server.room(5).await["id"].as_str().unwrap());
    let take = || server.post(&path).bearer_auth("user-1").header("idempotency-key", "k").send();
    problem(take().await.unwrap(), 500, "internal").await;
    let second = take().await.unwrap();
    assert!(second.status() == 200 && is_replayed(&second));
    let second: Value = second.json().await.unwrap();
    assert_eq!(second["free"], 4);
    let third: Value = take().await.unwrap().json().await.unwrap();
    assert_eq!(second, third);
    assert_eq!(server.events().await.len(), 2);
}

#[tokio::test]
async fn a_key_can_be_required_and_must_fit() {
    let server = start().await;
    let path = format!("/rooms/{}/take", Uuid::nil());
    let missing = server.post(&path).bearer_auth("user-1").json(&json!({"seats": 1})).send().await.unwrap();
    problem(missing, 400, "idempotency_key_missing").await;
    let body = json!({"name": "a", "seats": 1});
    problem(open(&server, "user-1", "a b", body.clone()).await, 400, "invalid_parameter").await;
    problem(open(&server, "user-1", &"k".repeat(201), body).await, 400, "invalid_parameter").await;
}

/// The key's own time would be the client's clock.
#[tokio::test]
async fn ids_made_under_any_key_tell_the_time_and_sort_by_it() {
    let server = start().await;
    let body = json!({"name": "a", "seats": 1});
    let now = || u64::try_from(server.app.environment().now().as_millisecond()).unwrap();
    let mut before = now();
    for key in ["a", "b", "01890a5d-ac96-774b-bcce-b302099a8057"] {
        let room: Value = open(&server, "user-1", key, body.clone()).await.json().await.unwrap();
        let id = Uuid::parse_str(room["id"].as_str().unwrap()).unwrap();
        assert_eq!(id.get_version_num(), 7);
        let millis = u64::try_from(id.as_u128() >> 80).unwrap();
        assert!((before..=now()).contains(&millis), "{id}");
        before = millis;
    }
}

/// The process ends after the append and before the answer is kept; what repeats the request makes the same thing.
#[tokio::test]
async fn a_repeat_makes_the_same_ids_in_another_process() {
    let storage = composable_rust_testing::memory::MemoryStorage::new();
    let first = crate::server::start_on(storage.clone()).await;
    for _ in 0..10 {
        first.faults.fail_next("save_response");
    }
    let body = json!({"name": "hall", "seats": 3});
    let made: Value = open(&first, "user-1", "k", body.clone()).await.json().await.unwrap();
    first.app.shutdown().await.unwrap();
    let second = crate::server::start_on(storage).await;
    let again = open(&second, "user-1", "k", body).await;
    assert!(again.status() == 201 && is_replayed(&again));
    assert_eq!(again.json::<Value>().await.unwrap(), made);
    assert_eq!(second.events().await.len(), 1);
}

#[tokio::test]
async fn a_keyed_request_looks_its_key_up_once() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let server = start().await;
    let found = std::sync::Arc::new(AtomicU32::new(0));
    let count = std::sync::Arc::clone(&found);
    server.faults.crash_when(move |point| {
        let is_look_up = point.operation == "find_command"
            && point.moment == composable_rust_testing::memory::Moment::Before;
        count.fetch_add(u32::from(is_look_up), Ordering::SeqCst);
        false
    });
    assert_eq!(open(&server, "user-1", "k", json!({"name": "a", "seats": 3})).await.status(), 201);
    assert_eq!(found.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn one_request_at_two_instances_acts_once_and_nobody_is_told_that_the_key_is_anothers() {
    let storage = composable_rust_testing::memory::MemoryStorage::new();
    let one = crate::server::start_on(storage.clone()).await;
    let two = crate::server::start_on(storage).await;
    let body = json!({"name": "hall", "seats": 3});
    for round in 0..20 {
        let key = format!("k-{round}");
        let (first, second) =
            tokio::join!(open(&one, "user-1", &key, body.clone()), open(&two, "user-1", &key, body.clone()));
        for answer in [first, second] {
            if answer.status() != 201 {
                problem(answer, 409, "request_in_progress").await;
            }
        }
        assert_eq!(one.events().await.len(), round + 1);
        let first = open(&one, "user-1", &key, body.clone()).await.text().await.unwrap();
        assert_eq!(first, open(&two, "user-1", &key, body.clone()).await.text().await.unwrap());
    }
}

#[tokio::test]
async fn an_answer_outlives_the_process_that_gave_it() {
    let storage = composable_rust_testing::memory::MemoryStorage::new();
    let first = crate::server::start_on(storage.clone()).await;
    let body = json!({"name": "hall", "seats": 3});
    let answer = open(&first, "user-1", "k", body.clone()).await.text().await.unwrap();
    first.app.shutdown().await.unwrap();
    let second = crate::server::start_on(storage).await;
    let again = open(&second, "user-1", "k", body).await;
    assert!(is_replayed(&again));
    assert_eq!(again.text().await.unwrap(), answer);
    assert_eq!(second.events().await.len(), 1);
}

#[tokio::test]
async fn a_large_answer_is_repeated_whole_and_one_that_was_not_kept_is_never_replaced_by_another() {
    let server = start().await;
    let sized = async |key: &str, bytes: u32| {
        let request = server.post("/sized").bearer_auth("user-1").header("idempotency-key", key);
        request.json(&json!({"seats": bytes})).send().await.unwrap()
    };
    for (key, bytes) in [("a", 300 * 1024), ("b", 4 * 1024 * 1024)] {
        let first = sized(key, bytes).await;
        assert!(first.status() == 200 && !is_replayed(&first));
        for _ in 0..2 {
            let again = sized(key, bytes).await;
            assert!(again.status() == 200 && is_replayed(&again));
            assert_eq!(again.bytes().await.unwrap().len(), bytes as usize);
        }
    }
    let too_large = 4 * 1024 * 1024 + 1;
    assert_eq!(sized("c", too_large).await.bytes().await.unwrap().len(), too_large as usize);
    for _ in 0..2 {
        let again = sized("c", too_large).await;
        assert!(is_replayed(&again));
        let document = problem(again, 409, "answer_not_kept").await;
        assert_eq!(document["first_status"], 200);
    }
    assert_eq!(server.events().await.len(), 3);
}

#[tokio::test]
async fn strangers_who_choose_the_same_key_never_hear_of_each_other() {
    let server = start().await;
    let sized = async |bytes: u32| {
        let request = server.post("/sized").header("idempotency-key", "k");
        request.json(&json!({"seats": bytes})).send().await.unwrap()
    };
    let (one, two) = (sized(1).await, sized(2).await);
    assert_eq!((one.text().await.unwrap().len(), two.text().await.unwrap().len()), (1, 2));
    assert_eq!(server.events().await.len(), 2);
    assert!(is_replayed(&sized(1).await));
    assert_eq!(server.events().await.len(), 2, "the same request acts once");
}

#[tokio::test]
async fn a_repeat_whose_handler_makes_another_id_is_told_what_is_wrong_and_not_to_take_a_fresh_key() {
    let server = start().await;
    // Nobody is signed in, so the answer is not kept and the handler runs again.
    let ask = || server.post("/rooms/fresh").header("idempotency-key", "k").send();
    assert_eq!(ask().await.unwrap().status(), 204);
    let document = problem(ask().await.unwrap(), 422, "idempotency_key_reused").await;
    let detail = document["detail"].as_str().unwrap();
    assert!(detail.contains("carried out before") && detail.contains("`new_id`"), "{detail}");
    assert_eq!(server.events().await.len(), 1);
}
