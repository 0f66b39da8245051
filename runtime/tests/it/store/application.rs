//! Stores that an application hands out: their effects reach its deciders, its storage and its listeners.

use crate::domain::{Stock, StockCommand, StockRejection, live_once};
use composable_rust_core::effect::{DispatchCommand, DispatchError, Dispatched};
use composable_rust_core::{
    CommandId, Effects, Environment, Notification, StreamVersion, publish_event, reducer,
};
use composable_rust_runtime::store::StoreReducer;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq)]
enum Wizard {
    /// Somebody wants places.
    Take(u32),
    Taken(StreamVersion),
    Refused(StockRejection),
    Failed(String),
    /// A command for whom nobody decides.
    Stray,
}

#[derive(Debug, serde::Serialize)]
struct Asked {
    amount: u32,
}

impl Notification for Asked {
    const TOPIC: &'static str = "asked";
}

fn answer(done: Result<Dispatched, DispatchError<StockRejection>>) -> Wizard {
    match done {
        Ok(dispatched) => Wizard::Taken(dispatched.version),
        Err(DispatchError::Rejected(rejection)) => Wizard::Refused(rejection),
        Err(error) => {
            Wizard::Failed(std::error::Error::source(&error).map_or_else(String::new, ToString::to_string))
        }
    }
}

/// Remembers what it heard, and asks the stock `a`.
fn wizard() -> impl StoreReducer<State = Vec<Wizard>, Action = Wizard, Environment = Environment> {
    reducer(|heard: &mut Vec<Wizard>, action: Wizard, _: &Environment| {
        heard.push(action.clone());
        match action {
            Wizard::Take(amount) => {
                let take = StockCommand::Take { order: "o".into(), amount };
                let asked = publish_event! { notification: Asked { amount } };
                asked.merge(Effects::dispatch("a", &take, answer))
            }
            Wizard::Stray => {
                let take = StockCommand::GiveBack { order: "o".into() };
                let stray =
                    DispatchCommand { category: "nowhere".into(), ..DispatchCommand::new("a", &take) };
                Effects::ask(stray, |done| answer(done.map_err(DispatchError::typed)))
            }
            Wizard::Taken(_) | Wizard::Refused(_) | Wizard::Failed(_) => Effects::none(),
        }
    })
}

#[test]
fn a_reducers_command_is_decided_and_its_answer_comes_back_as_an_action() {
    live_once(async |app| {
        app.execute("a", StockCommand::Fill { amount: 3 }).await.unwrap();
        let mut notices = app.notices().listen();
        let store = app.store(Vec::new(), wizard());
        let ask = async |amount| {
            let is_answer = |action: &Wizard| !matches!(action, Wizard::Take(_));
            store.send_and_wait_for(Wizard::Take(amount), is_answer, SECOND).await.unwrap()
        };
        assert_eq!(ask(2).await, Wizard::Taken(StreamVersion::from(2)));
        assert_eq!(ask(2).await, Wizard::Refused(StockRejection::NotEnough { free: 1 }));
        assert_eq!(app.load::<Stock>("a").await.unwrap().unwrap().state.free, 1);
        assert_eq!(notices.next().await.unwrap().topic, "asked");
        store.shutdown(SECOND).await.unwrap();
    });
}

#[test]
fn a_command_that_nobody_decides_and_one_while_draining_say_why_they_failed() {
    live_once(async |app| {
        let store = app.store(Vec::new(), wizard());
        let ask = async |action: Wizard| {
            let is_answer = |action: &Wizard| matches!(action, Wizard::Failed(_));
            match store.send_and_wait_for(action, is_answer, SECOND).await.unwrap() {
                Wizard::Failed(why) => why,
                other => panic!("{other:?}"),
            }
        };
        assert!(ask(Wizard::Stray).await.contains("nobody decides commands of category \"nowhere\""));
        app.shutdown().await.unwrap();
        assert_eq!(ask(Wizard::Take(1)).await, "the application is draining");
    });
}

#[test]
fn a_command_under_an_id_acts_once_however_often_it_is_dispatched() {
    live_once(async |app| {
        let fill = || {
            let id = CommandId::derived(&["fill"]);
            let fill = DispatchCommand::new("a", &StockCommand::Fill { amount: 3 }).under(id);
            Effects::ask(fill, |done| answer(done.map_err(DispatchError::typed)))
        };
        let twice = reducer(move |heard: &mut Vec<Wizard>, action: Wizard, _: &Environment| {
            let is_first = heard.is_empty();
            heard.push(action);
            if is_first { fill().merge(fill()) } else { Effects::none() }
        });
        let store = app.store(Vec::new(), twice);
        store.send(Wizard::Take(0)).unwrap();
        store.wait_for(|heard| heard.len() == 3, SECOND).await.unwrap();
        let first = Wizard::Taken(StreamVersion::from(1));
        store.state(|heard| assert_eq!(heard[1..], [first.clone(), first]));
    });
}
