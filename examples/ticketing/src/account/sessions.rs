//! Tokens: signed, not stored, so they outlive a restart.

use crate::shared::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use composable_rust::prelude::*;
use composable_rust::{derived_uuid, later};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use std::time::Duration;

/// How long a token is valid.
const VALID_FOR: Duration = Duration::from_hours(7 * 24);

/// Makes and checks tokens: `<e-mail and expiry>.<signature>`.
#[derive(Debug, Clone)]
pub struct Sessions {
    secret: Secret,
    admin_email: Option<String>,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Data)]
struct Claims {
    email: String,
    expires: Timestamp,
}

impl Sessions {
    /// Sessions signed with a secret; the account of `admin_email` has the role `admin`.
    pub const fn new(secret: Secret, admin_email: Option<String>) -> Self {
        Self { secret, admin_email }
    }

    /// A token for the account of an e-mail address.
    pub fn token(&self, email: &str, now: Timestamp) -> Option<String> {
        let claims = Claims { email: email.to_lowercase(), expires: later(now, VALID_FOR) };
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
        (now < claims.expires).then(|| self.account(&claims.email))
    }

    /// The account of an e-mail address.
    pub fn account(&self, email: &str) -> Principal {
        let email = email.to_lowercase();
        let is_admin = self.admin_email.as_ref() == Some(&email);
        let roles = is_admin.then(|| "admin".to_owned()).into_iter().collect();
        Principal { user_id: id_of(&email), email: Some(email), roles }
    }

    fn signer(&self, text: &str) -> Option<Hmac<Sha256>> {
        let mut signer = Hmac::<Sha256>::new_from_slice(self.secret.expose()).ok()?;
        signer.update(text.as_bytes());
        Some(signer)
    }
}

/// The account of an e-mail address, whichever way it is written.
pub fn id_of(email: &str) -> UserId {
    UserId::from_uuid(derived_uuid(&["account", &email.to_lowercase()]))
}

#[async_trait]
impl Authenticator for Sessions {
    async fn authenticate(&self, app: &Application, token: &str) -> Result<Option<Principal>, Problem> {
        Ok(self.principal(token, app.environment().now()))
    }
}
