//! An application that ends without a shutdown, as a crash in a simulation ends it, leaves nothing behind.

use crate::server::routes_alone;
use axum::body::Body;
use axum::http::Request;
use composable_rust_core::Environment;
use composable_rust_runtime::Application;
use composable_rust_testing::simulation::{Ending, Life, Simulation};
use composable_rust_web::{HttpOptions, InProcess, WebExt};
use std::sync::{Arc, Weak};

#[derive(Debug)]
struct Kept(#[expect(dead_code, reason = "only that it is there counts")] Arc<()>);

#[test]
fn a_crash_frees_the_application_with_its_routes() {
    Simulation::run(0, async |simulation| {
        let start = async |environment: Environment| -> (Application, Weak<()>) {
            let app = Application::builder("rooms").environment(environment).storage(simulation.storage());
            let app = app.decider::<crate::domain::Room>().projection(crate::domain::FreeSeatsView);
            let app = app.http(HttpOptions::in_process()).routes(routes_alone()).start().await.unwrap();
            let kept = Arc::new(());
            let weak = Arc::downgrade(&kept);
            app.put(Kept(kept));
            (app, weak)
        };
        let crashed = simulation.live(Life::CALM, async |environment| {
            let (app, kept) = start(environment).await;
            let page = Request::get("/page").body(Body::empty()).unwrap();
            assert_eq!(app.get::<InProcess>().unwrap().answer(page).await.status(), 200);
            kept
        });
        let Ending::Finished(kept) = crashed.await else { panic!("nothing crashes here by itself") };
        assert_eq!(kept.strong_count(), 0, "what nobody has ended is kept by nobody");
        let ended = simulation.live(Life::CALM, async |environment| {
            let (app, kept) = start(environment).await;
            let server = app.get::<InProcess>().unwrap();
            app.shutdown().await.unwrap();
            drop(app);
            let late = Request::get("/page").body(Body::empty()).unwrap();
            assert_eq!(server.answer(late).await.status(), 503);
            kept
        });
        let Ending::Finished(kept) = ended.await else { panic!("nothing crashes here by itself") };
        assert_eq!(kept.strong_count(), 0);
    });
}
