//! Sessions of the web pages: a browser holds a token in a cookie, and every form carries a token that is bound to it.

use super::token::Access;
use crate::{
    clock,
    store::{self, sessions, sessions::RefreshToken},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use shared_types::ids::{SessionId, UserId, WorkspaceId};
use sqlx::PgConnection;

/// How long a session of the pages lasts, used or not.
pub const LASTS_HOURS: i64 = 12;

/// Makes and reads the tokens of the web pages.
#[derive(Clone)]
pub struct PageSessions {
    /// The key, filled up with zeros to a block, as HMAC does it (RFC 2104).
    key: [u8; 64],
}

impl PageSessions {
    /// Tokens under a secret key.
    pub fn new(key: [u8; 32]) -> Self {
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(&key);
        Self { key: block }
    }

    /// Begins a session; gives the token for the browser's cookie.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(
        &self,
        conn: &mut PgConnection,
        user: UserId,
        workspace: WorkspaceId,
        session: SessionId,
        now: DateTime<Utc>,
    ) -> store::Result<String> {
        let token = fresh_token();
        let stored = RefreshToken {
            hash: self.stored_hash(&token),
            session,
            user,
            workspace,
            expires_at: now + Duration::hours(LASTS_HOURS),
            spent_at: None,
            revoked_at: None,
            predecessor: None,
        };
        sessions::hold(conn, &stored, now).await?;
        sessions::insert(conn, &stored, now).await?;
        Ok(token)
    }

    /// Whose session a cookie's token is of; none where it is over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        &self,
        conn: &mut PgConnection,
        token: &str,
        now: DateTime<Utc>,
    ) -> store::Result<Option<Access>> {
        let stored = sessions::find(conn, &self.stored_hash(token)).await?;
        let stored = stored.filter(|stored| stored.expires_at > now && stored.revoked_at.is_none());
        Ok(stored.map(|stored| Access {
            user: stored.user,
            workspace: stored.workspace,
            session: Some(stored.session),
        }))
    }

    /// The token that a form carries, bound to the cookie of the browser that it is shown in.
    pub fn form_token(&self, cookie: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac("form", cookie).finalize().into_bytes())
    }

    /// Whether a form came from a page that was shown to the browser with this cookie.
    pub fn is_form_token(&self, cookie: &str, sent: &str) -> bool {
        let sent = URL_SAFE_NO_PAD.decode(sent).unwrap_or_default();
        self.mac("form", cookie).verify_slice(&sent).is_ok()
    }

    /// The hash under which a session's token is stored. It depends on the server's key, so that no text that is sent as a
    /// refresh token has the same one: a session of the pages can't be made a longer one.
    fn stored_hash(&self, token: &str) -> Vec<u8> {
        self.mac("session", token).finalize().into_bytes().to_vec()
    }

    fn mac(&self, purpose: &str, text: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac
    }
}

/// A token that nobody can guess.
pub fn fresh_token() -> String {
    URL_SAFE_NO_PAD.encode(clock::random::<32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_belongs_to_the_browser_that_it_was_shown_in() {
        let pages = PageSessions::new([7; 32]);
        let sent = pages.form_token("cookie");
        assert!(pages.is_form_token("cookie", &sent));
        for forged in ["", "x", sent.trim_end_matches(char::is_alphanumeric), &format!("{sent}A")] {
            assert!(!pages.is_form_token("cookie", forged), "{forged}");
        }
        assert!(!pages.is_form_token("other", &sent));
        assert!(!PageSessions::new([8; 32]).is_form_token("cookie", &sent));
    }
}
