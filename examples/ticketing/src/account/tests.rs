//! Who is who, and what a token is worth.

use super::{Account, AccountCommand, AccountEvent, Sessions, user_of};
use crate::shared::Secret;
use composable_rust::later;
use composable_rust::prelude::*;
use composable_rust::testing::memory::MemoryStorage;
use composable_rust::testing::spec::START;
use std::time::Duration;
use uuid::Uuid;

const ANN: UserId = UserId::from_uuid(Uuid::from_u128(1));

fn sessions(secret: &str) -> Sessions {
    Sessions::new(Secret::new(secret.as_bytes()), Some("root@example.org".into()))
}

#[test]
fn a_token_names_its_account_until_it_expires() {
    let (sessions, week) = (sessions("a"), Duration::from_hours(7 * 24));
    let token = sessions.token(ANN, "Ann@Example.org", START).unwrap();
    let principal = sessions.principal(&token, START).unwrap();
    assert_eq!(principal, sessions.account(ANN, "ann@example.org"));
    assert!(principal.roles.is_empty());
    assert_eq!(sessions.principal(&token, later(START, week)), None);
}

#[test]
fn a_token_that_was_changed_or_signed_elsewhere_is_worth_nothing() {
    let token = sessions("a").token(ANN, "ann@example.org", START).unwrap();
    assert_eq!(sessions("b").principal(&token, START), None);
    let forged = sessions("b").token(ANN, "root@example.org", START).unwrap();
    let (claims, _) = forged.split_once('.').unwrap();
    let (_, signature) = token.split_once('.').unwrap();
    for wrong in [format!("{claims}.{signature}"), claims.to_owned(), format!("{token}x"), String::new()] {
        assert_eq!(sessions("a").principal(&wrong, START), None, "{wrong}");
    }
}

#[test]
fn the_admin_is_told_by_the_address() {
    assert_eq!(sessions("a").account(ANN, " Root@example.org").roles, ["admin"]);
}

#[test]
fn an_account_has_one_user_for_ever() {
    given::<Account>([AccountEvent::Opened { user: ANN }]).when(AccountCommand::Open).then_nothing();
}

#[tokio::test]
async fn an_address_is_the_same_user_however_it_is_written_and_after_a_restart() {
    let storage = MemoryStorage::new();
    let start = || Application::builder("accounts").storage(storage.clone()).decider::<Account>().start();
    let app = start().await.unwrap();
    let (ann, again) = tokio::join!(user_of(&app, "Ann@Example.org "), user_of(&app, "ann@example.org"));
    let ann = ann.unwrap();
    assert_eq!((ann, ann.as_uuid().get_version_num()), (again.unwrap(), 7));
    assert_ne!(user_of(&app, "eve@example.org").await.unwrap(), ann);
    app.shutdown().await.unwrap();
    assert_eq!(user_of(&start().await.unwrap(), "ann@example.org").await.unwrap(), ann);
}
