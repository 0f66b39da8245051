//! Responses of many commands, kept by one write.

use crate::support::{append, close, environment, fresh, open};
use composable_rust_core::CommandId;
use composable_rust_core::port::{CommandKey, StoredResponse};

fn id(number: usize) -> CommandId {
    CommandId::derived(&["responses", &number.to_string()])
}

fn response(number: usize, status: u16) -> (CommandId, StoredResponse) {
    let headers = vec![("location".to_owned(), format!("/{number}"))];
    (id(number), StoredResponse { status, headers, body: format!("body {number}").into() })
}

#[tokio::test]
async fn hundreds_of_responses_are_kept_each_for_its_command_and_once() {
    let (_folder, path) = fresh();
    let storage = open(&path).await;
    let environment = environment();
    let answered = (0..400).map(|number| {
        let command = CommandKey { id: id(number), fingerprint: None, keep: None };
        append(&environment, &format!("s{number}"), 1).answering(command)
    });
    for result in storage.events.append_batch(answered.collect()).await.unwrap() {
        result.unwrap();
    }
    // Every third again, and some of commands that nobody gave.
    storage.events.save_responses((0..450).map(|number| response(number, 201)).collect()).await.unwrap();
    storage
        .events
        .save_responses((0..450).step_by(3).map(|number| response(number, 500)).collect())
        .await
        .unwrap();
    for number in 0..450 {
        let record = storage.events.find_command(id(number)).await.unwrap();
        let expected = (number < 400).then(|| response(number, 201).1);
        assert_eq!(record.and_then(|record| record.response), expected, "command {number}");
    }
    close(&storage).await;
}
