//! The pages, one file each, and what they share.

mod frame;
mod home;
mod order;
mod orders;
mod pager;
mod problem;
mod seating;
mod selection;
mod show;
mod sign_in;
mod told;

pub use problem::ErrorPages;

use crate::account::Sessions;
use crate::payment::Till;
use axum::routing::{get, post};
use axum::{Extension, Router};
use composable_rust::prelude::*;
use composable_rust::web::assets;
use std::time::Duration;

/// What the pages need besides the request.
#[derive(Debug, Clone)]
pub struct Counter {
    /// Who people are.
    pub sessions: Sessions,
    /// How long places are held for an order that nobody pays.
    pub hold: Duration,
    /// How payments are taken.
    pub till: Till,
}

/// The routes of the pages. Where a form is sent to, a browser that asks again finds the page of the form.
pub fn routes(counter: Counter) -> Router<Application> {
    Router::new()
        .route("/", get(home::page))
        .route("/events/{id}", get(show::page).post(show::reserve))
        .route("/orders", get(orders::page))
        .route("/orders/{id}", get(order::page))
        .route("/orders/{id}/extend", post(order::extend).get(order::back))
        .route("/orders/{id}/pay", post(order::pay).get(order::back))
        .route("/orders/{id}/cancel", post(order::cancel).get(order::back))
        .route("/sign-in", get(sign_in::page))
        .route("/sign-in/development", post(sign_in::sign_in).get(sign_in::back))
        .route("/sign-out", post(sign_in::sign_out).get(sign_in::back))
        .layer(Extension(counter))
        .merge(assets(&frame::ASSETS))
}
