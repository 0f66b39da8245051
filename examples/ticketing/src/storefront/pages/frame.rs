//! What stands around every page: who is signed in, what is said once, the files of the program.

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use composable_rust::prelude::*;
use composable_rust::web::{Asset, Flash};

pub(super) const STYLE: Asset = Asset::new("storefront.css", include_bytes!("../assets/storefront.css"));
pub(super) const SCRIPT: Asset = Asset::new("storefront.js", include_bytes!("../assets/storefront.js"));
pub(super) const ICON: Asset = Asset::new("icon.svg", include_bytes!("../assets/icon.svg"));

/// All files of the pages.
pub(super) const ASSETS: [Asset; 3] = [STYLE, SCRIPT, ICON];

/// The frame of a page.
#[derive(Debug, Clone, Default)]
pub(super) struct Frame {
    /// Who looks at it, if he is signed in.
    pub(super) principal: Option<Principal>,
    is_known: bool,
    flash: Flash,
    key: Uuid,
}

impl Frame {
    /// The page with everything around it.
    ///
    /// # Errors
    /// 500 when it cannot be written.
    pub(super) fn shows(&self, page: &impl Template) -> Result<Response, Problem> {
        self.shows_as(StatusCode::OK, page)
    }

    /// As [`Self::shows`], with another status.
    ///
    /// # Errors
    /// 500 when it cannot be written.
    pub(super) fn shows_as(&self, status: StatusCode, page: &impl Template) -> Result<Response, Problem> {
        let html = page.render().map_err(|error| Problem::defect(&error))?;
        Ok((status, self.flash.clone(), Html(html)).into_response())
    }

    /// The address of who is signed in.
    pub(super) fn user(&self) -> Option<&str> {
        self.principal.as_ref().map(|principal| principal.email.as_deref().unwrap_or("signed in"))
    }

    /// Whether it is known who looks at it, or that nobody is signed in.
    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// What the page before has left to say.
    pub(super) fn said(&self) -> Option<&str> {
        self.flash.text()
    }

    /// Makes each form of this page count once.
    pub(super) fn key(&self) -> Uuid {
        self.key
    }
}

impl FromRequestParts<Application> for Frame {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Application) -> Result<Self, Problem> {
        let principal =
            <Option<Principal> as FromRequestParts<Application>>::from_request_parts(parts, app).await?;
        let flash = Flash::from_request_parts(parts, app).await.unwrap_or_default();
        Ok(Self { principal, is_known: true, flash, key: app.environment().new_id() })
    }
}
