//! The contract of sessions: found until they end, and never more than allowed.

use super::timed::TimedSubject;
use composable_rust_core::UserId;
use composable_rust_core::port::{NewSession, Session, SessionKey, Sessions};
use futures_util::future::join_all;
use std::time::Duration;
use uuid::Uuid;

/// Runs the contract of [`Sessions`](composable_rust_core::port::Sessions) on what `factory` makes: an
/// `async fn() -> TimedSubject<dyn Sessions>`.
#[macro_export]
macro_rules! sessions_contract {
    ($factory:path) => {
        $crate::contract_cases!(
            $factory,
            sessions,
            [
                a_session_is_found_as_it_began,
                a_session_that_never_began_is_not_found,
                a_session_ends_when_its_time_is_over,
                the_oldest_of_too_many_ends,
                sessions_that_are_over_do_not_count,
                a_session_takes_the_place_of_another,
                of_many_that_begin_at_once_no_more_stay_than_allowed,
                the_sessions_of_a_user_are_listed_newest_first,
                a_touch_tells_when_it_was_used_and_does_not_prolong_it,
                a_revoked_session_is_gone,
                all_sessions_but_one_are_revoked,
            ]
        );
    };
}

/// The cases' subject.
type Subject = TimedSubject<dyn Sessions>;

fn user(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

fn new(key: &str, number: u128) -> NewSession {
    NewSession {
        key: SessionKey::new(key),
        user: user(number),
        device: "Käse's \"phone\" 🎟".to_owned(),
        lifetime: Duration::from_hours(7 * 24),
        most: 5,
        replaces: None,
    }
}

async fn create(sessions: &Subject, session: NewSession) -> (Session, Vec<SessionKey>) {
    let begun = sessions.port().create(session).await.expect("begun");
    // The next one is younger, also on a clock of milliseconds.
    sessions.pass(Duration::from_millis(2)).await;
    begun
}

async fn find(sessions: &Subject, key: &str) -> Option<Session> {
    sessions.port().find(&SessionKey::new(key)).await.expect("an answer")
}

async fn keys(sessions: &Subject, number: u128) -> Vec<String> {
    let listed = sessions.port().of_user(user(number)).await.expect("a list");
    listed.iter().map(|session| session.key.as_str().to_owned()).collect()
}

/// With its times.
pub async fn a_session_is_found_as_it_began(sessions: Subject) {
    let (begun, ended) = create(&sessions, new("a", 1)).await;
    assert_eq!((begun.key.as_str(), begun.user, ended), ("a", user(1), Vec::new()));
    assert_eq!(begun.device, "Käse's \"phone\" 🎟");
    assert_eq!(begun.seen_at, begun.created_at);
    let lifetime = begun.expires_at.duration_since(begun.created_at);
    assert_eq!(lifetime.as_secs(), 7 * 24 * 60 * 60);
    assert_eq!(find(&sessions, "a").await, Some(begun));
}

/// Nor somebody else's.
pub async fn a_session_that_never_began_is_not_found(sessions: Subject) {
    create(&sessions, new("a", 1)).await;
    for key in ["b", "A", "a ", ""] {
        assert_eq!(find(&sessions, key).await, None, "{key:?}");
    }
    assert!(keys(&sessions, 2).await.is_empty());
}

/// By the store's clock.
pub async fn a_session_ends_when_its_time_is_over(sessions: Subject) {
    create(&sessions, NewSession { lifetime: Duration::from_millis(300), ..new("a", 1) }).await;
    create(&sessions, new("b", 1)).await;
    sessions.pass(Duration::from_millis(400)).await;
    assert_eq!(find(&sessions, "a").await, None);
    assert_eq!(keys(&sessions, 1).await, ["b"]);
    assert!(!sessions.port().touch(&SessionKey::new("a")).await.expect("an answer"));
}

/// Of this user.
pub async fn the_oldest_of_too_many_ends(sessions: Subject) {
    create(&sessions, new("other", 2)).await;
    for key in ["a", "b", "c", "d", "e"] {
        assert_eq!(create(&sessions, new(key, 1)).await.1, Vec::new());
    }
    assert_eq!(create(&sessions, new("f", 1)).await.1, [SessionKey::new("a")]);
    assert_eq!(find(&sessions, "a").await, None);
    assert_eq!(keys(&sessions, 1).await, ["f", "e", "d", "c", "b"]);
    let fewer = NewSession { most: 2, ..new("g", 1) };
    let ended = ["b", "c", "d", "e"].map(SessionKey::new);
    assert_eq!(create(&sessions, fewer).await.1, ended);
    assert!(find(&sessions, "other").await.is_some());
}

/// Nobody is thrown out for them.
pub async fn sessions_that_are_over_do_not_count(sessions: Subject) {
    for key in ["a", "b", "c", "d"] {
        create(&sessions, NewSession { lifetime: Duration::from_millis(200), ..new(key, 1) }).await;
    }
    create(&sessions, new("e", 1)).await;
    sessions.pass(Duration::from_millis(300)).await;
    assert_eq!(create(&sessions, new("f", 1)).await.1, Vec::new());
    assert_eq!(keys(&sessions, 1).await, ["f", "e"]);
}

/// A new name after signing in, without throwing out another one.
pub async fn a_session_takes_the_place_of_another(sessions: Subject) {
    for key in ["a", "b"] {
        create(&sessions, NewSession { most: 2, ..new(key, 1) }).await;
    }
    let replaces = Some(SessionKey::new("b"));
    let (_, ended) = create(&sessions, NewSession { most: 2, replaces, ..new("c", 1) }).await;
    assert_eq!(ended, Vec::new());
    assert_eq!(find(&sessions, "b").await, None);
    assert_eq!(keys(&sessions, 1).await, ["c", "a"]);
    // Somebody else's is not replaced: he would be signed out.
    create(&sessions, new("other", 2)).await;
    let replaces = Some(SessionKey::new("other"));
    create(&sessions, NewSession { replaces, ..new("d", 1) }).await;
    assert!(find(&sessions, "other").await.is_some());
}

/// Whoever counts.
pub async fn of_many_that_begin_at_once_no_more_stay_than_allowed(sessions: Subject) {
    let begin = async |number: u32| {
        let session = new(&format!("s{number}"), 1);
        sessions.port().create(session).await.expect("begun").1
    };
    let ended: Vec<SessionKey> = join_all((0..40).map(begin)).await.concat();
    assert_eq!((ended.len(), keys(&sessions, 1).await.len()), (35, 5));
    for key in ended {
        assert_eq!(find(&sessions, key.as_str()).await, None);
    }
}

/// With all that is known of each.
pub async fn the_sessions_of_a_user_are_listed_newest_first(sessions: Subject) {
    let (first, _) = create(&sessions, new("b", 1)).await;
    let (second, _) = create(&sessions, NewSession { device: "desk".to_owned(), ..new("a", 1) }).await;
    create(&sessions, new("c", 2)).await;
    let listed = sessions.port().of_user(user(1)).await.expect("a list");
    assert_eq!(listed, [second, first]);
}

/// It ends when it was to end.
pub async fn a_touch_tells_when_it_was_used_and_does_not_prolong_it(sessions: Subject) {
    let lifetime = Duration::from_secs(3);
    let (begun, _) = create(&sessions, NewSession { lifetime, ..new("a", 1) }).await;
    sessions.pass(Duration::from_millis(100)).await;
    assert!(sessions.port().touch(&begun.key).await.expect("an answer"));
    if let Some(touched) = find(&sessions, "a").await {
        assert!(touched.seen_at > begun.seen_at);
        assert_eq!((touched.created_at, touched.expires_at), (begun.created_at, begun.expires_at));
    }
    sessions.pass(lifetime).await;
    assert_eq!(find(&sessions, "a").await, None);
    assert!(!sessions.port().touch(&begun.key).await.expect("an answer"));
}

/// At once and for good.
pub async fn a_revoked_session_is_gone(sessions: Subject) {
    for key in ["a", "b"] {
        create(&sessions, new(key, 1)).await;
    }
    let key = SessionKey::new("a");
    assert!(sessions.port().revoke(&key).await.expect("an answer"));
    assert!(!sessions.port().revoke(&key).await.expect("an answer"));
    assert_eq!(find(&sessions, "a").await, None);
    assert!(!sessions.port().touch(&key).await.expect("an answer"));
    assert_eq!(keys(&sessions, 1).await, ["b"]);
}

/// Signed out everywhere else, or everywhere.
pub async fn all_sessions_but_one_are_revoked(sessions: Subject) {
    for key in ["a", "b", "c"] {
        create(&sessions, new(key, 1)).await;
    }
    create(&sessions, new("other", 2)).await;
    let kept = SessionKey::new("b");
    assert_eq!(sessions.port().revoke_all(user(1), Some(&kept)).await.expect("a number"), 2);
    assert_eq!(keys(&sessions, 1).await, ["b"]);
    assert_eq!(sessions.port().revoke_all(user(1), None).await.expect("a number"), 1);
    assert_eq!(sessions.port().revoke_all(user(1), None).await.expect("a number"), 0);
    assert!(find(&sessions, "b").await.is_none() && find(&sessions, "other").await.is_some());
}
