//! A double click, an impatient client, two devices: one payment, and one charge.

use crate::binary::{Answer, Server, folder};
use crate::books::Books;
use futures_util::future::join_all;
use serde_json::json;

/// Answers of one kind.
fn count(answers: &[Answer], status: u16, codes: &[&str]) -> usize {
    let is_one = |answer: &&Answer| answer.status == status && codes.contains(&&*answer.text("/code"));
    answers.iter().filter(is_one).count()
}

#[tokio::test]
async fn a_payment_sent_many_times_at_once_charges_once() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let person = server.sign_in("ann@example.org").await;
    let show = person.sell(10).await;
    let pay = async |reservation: &Answer, key: &str| {
        let method = json!({ "type": "simulated", "outcome": "succeed" });
        let body = json!({ "reservation_id": reservation.text("/id"), "method": method });
        person.post_as("/api/payments", key, body).await
    };
    let same = person.reserve(&show, 1).await.expect(201);
    let answers = join_all((0..20).map(|_| pay(&same, "same"))).await;
    let paid = count(&answers, 201, &[""]);
    assert!(paid > 0 && paid + count(&answers, 409, &["request_in_progress"]) == 20);
    let again = pay(&same, "same").await.expect(201);
    assert_eq!(
        (again.header("idempotent-replayed"), again.text("/status")),
        ("true".into(), "succeeded".into())
    );

    let other = person.reserve(&show, 1).await.expect(201);
    let keys: Vec<_> = (0..20).map(|number| format!("click-{number}")).collect();
    let answers = join_all(keys.iter().map(|key| pay(&other, key))).await;
    let told: Vec<_> = answers.iter().map(|answer| (answer.status, answer.text("/code"))).collect();
    assert_eq!(count(&answers, 201, &[""]), 1, "{told:?}");
    assert_eq!(count(&answers, 409, &["payment_in_progress", "already_paid"]), 19);
    drop(server);
    let Books { app, gateway } = Books::open(folder.path()).await;
    assert_eq!(gateway.ledger().entries().len(), 2, "{:?}", gateway.ledger().entries());
    app.shutdown().await.unwrap();
}
