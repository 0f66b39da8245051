//! What a token is worth.

use super::Sessions;
use crate::shared::Secret;
use composable_rust::later;
use composable_rust::testing::spec::START;
use std::time::Duration;

fn sessions(secret: &str) -> Sessions {
    Sessions::new(Secret::new(secret.as_bytes()), Some("root@example.org".into()))
}

#[test]
fn a_token_names_its_account_until_it_expires() {
    let (sessions, week) = (sessions("a"), Duration::from_hours(7 * 24));
    let token = sessions.token("Ann@Example.org", START).unwrap();
    let principal = sessions.principal(&token, START).unwrap();
    assert_eq!(principal, sessions.account("ann@example.org"));
    assert!(principal.roles.is_empty());
    assert_eq!(sessions.principal(&token, later(START, week)), None);
}

#[test]
fn a_token_that_was_changed_or_signed_elsewhere_is_worth_nothing() {
    let token = sessions("a").token("ann@example.org", START).unwrap();
    assert_eq!(sessions("b").principal(&token, START), None);
    let forged = sessions("b").token("root@example.org", START).unwrap();
    let (claims, _) = forged.split_once('.').unwrap();
    let (_, signature) = token.split_once('.').unwrap();
    for wrong in [format!("{claims}.{signature}"), claims.to_owned(), format!("{token}x"), String::new()] {
        assert_eq!(sessions("a").principal(&wrong, START), None, "{wrong}");
    }
}

#[test]
fn the_admin_is_told_by_the_address() {
    assert_eq!(sessions("a").account("Root@example.org").roles, ["admin"]);
}
