//! `/api/auth`: development sign-in.

use super::{AccountCommand, AccountId, Sessions};
use crate::shared::is_email;
use axum::extract::State;
use axum::{Extension, Json};
use composable_rust::prelude::*;
use composable_rust::web::{Routes, post};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The routes of this slice; for development only, where an address is believed.
pub fn routes(sessions: Sessions) -> Routes {
    let sign_in = post(dev_sign_in).about("Signs in under an address, in development");
    Routes::new().route("/api/auth/dev-sign-in", sign_in).layer(Extension(sessions))
}

/// Who somebody says he is.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct SignIn {
    /// His address.
    #[schemars(
        length(max = 254),
        regex(pattern = r"^\s*[^\s@\x00-\x1f\x7f-\x9f]+@[^\s@\x00-\x1f\x7f-\x9f]+\s*$")
    )]
    pub email: String,
}

impl Validate for SignIn {
    fn validate(&self, findings: &mut Findings) {
        findings.check(is_email(self.email.trim()), "email", "invalid_value", "it must be an e-mail address");
        findings.check(
            self.email.chars().count() <= 254,
            "email",
            "too_long",
            "it needs at most 254 characters",
        );
    }
}

#[derive(Debug, Serialize, JsonSchema)]
struct SignedIn {
    token: String,
    user_id: UserId,
    roles: Vec<String>,
}

async fn dev_sign_in(
    State(app): State<Application>,
    Extension(sessions): Extension<Sessions>,
    JsonBody(who): JsonBody<SignIn>,
) -> Result<Json<SignedIn>, Problem> {
    let (token, Principal { user_id, roles, .. }) = sign_in(&app, &sessions, &who).await?;
    Ok(Json(SignedIn { token, user_id, roles }))
}

/// A token for whoever says that this is his address, and who that is.
///
/// # Errors
/// [`Problem`] when the account can neither be found nor made.
pub async fn sign_in(
    app: &Application,
    sessions: &Sessions,
    who: &SignIn,
) -> Result<(String, Principal), Problem> {
    let user = user_of(app, &who.email).await?;
    let token = sessions.token(user, &who.email, app.environment().now()).ok_or_else(Problem::internal)?;
    Ok((token, sessions.account(user, &who.email)))
}

/// The user of an e-mail address; made when nobody has used it before.
///
/// # Errors
/// [`Problem`] when the account can neither be found nor made.
pub async fn user_of(app: &Application, email: &str) -> Result<UserId, Problem> {
    let receipt = app.execute(AccountId::of(email), AccountCommand::Open).await?;
    receipt.state.user.ok_or_else(Problem::internal)
}
