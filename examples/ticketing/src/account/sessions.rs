//! Tokens: signed, not stored, so they outlive a restart.

use crate::shared::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use composable_rust::later;
use composable_rust::prelude::*;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use std::time::Duration;

/// The cookie in which pages keep the token.
pub const COOKIE: &str = "session";
/// How long a token is valid.
pub const VALID_FOR: Duration = Duration::from_hours(7 * 24);

/// Makes and checks tokens: `<user, e-mail and expiry>.<signature>`.
#[derive(Debug, Clone)]
pub struct Sessions {
    secret: Secret,
    admin_email: Option<String>,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Data)]
struct Claims {
    user: UserId,
    email: String,
    expires: Timestamp,
}

impl Sessions {
    /// Sessions signed with a secret; the account of `admin_email` has the role `admin`.
    pub const fn new(secret: Secret, admin_email: Option<String>) -> Self {
        Self { secret, admin_email }
    }

    /// A token for a user, who signed in with an e-mail address.
    pub fn token(&self, user: UserId, email: &str, now: Timestamp) -> Option<String> {
        let claims = Claims { user, email: normal(email), expires: later(now, VALID_FOR) };
        let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).ok()?);
        let signature = URL_SAFE_NO_PAD.encode(self.signer(&claims)?.finalize().into_bytes());
        Some(format!("{claims}.{signature}"))
    }

    /// The account of a token; `None` when it is none of ours, or no longer valid.
    pub fn principal(&self, token: &str, now: Timestamp) -> Option<Principal> {
        let (claims, signature) = token.split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        // Takes the same time wherever the difference is.
        self.signer(claims)?.verify_slice(&signature).ok()?;
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        (now < claims.expires).then(|| self.account(claims.user, &claims.email))
    }

    /// What a user who signed in with an e-mail address may do.
    pub fn account(&self, user: UserId, email: &str) -> Principal {
        let email = normal(email);
        let is_admin = self.admin_email.as_ref() == Some(&email);
        let roles = is_admin.then(|| "admin".to_owned()).into_iter().collect();
        Principal { user_id: user, email: Some(email), roles }
    }

    fn signer(&self, text: &str) -> Option<Hmac<Sha256>> {
        let mut signer = Hmac::<Sha256>::new_from_slice(self.secret.expose()).ok()?;
        signer.update(text.as_bytes());
        Some(signer)
    }
}

/// An e-mail address as it is compared.
fn normal(email: &str) -> String {
    email.trim().to_lowercase()
}

#[async_trait]
impl Authenticator for Sessions {
    async fn authenticate(&self, app: &Application, token: &str) -> Result<Option<Principal>, Problem> {
        Ok(self.principal(token, app.environment().now()))
    }

    fn cookie(&self) -> Option<&str> {
        Some(COOKIE)
    }
}
