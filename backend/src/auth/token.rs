//! Access tokens: short JWTs that say who and where; what they may do is read anew.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use shared_types::ids::{SessionId, UserId, WorkspaceId};

/// How long an access token works.
pub const ACCESS_SECONDS: u64 = 15 * 60;

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    ws: WorkspaceId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<SessionId>,
    exp: i64,
    iat: i64,
}

/// Whose an access token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Id of the person.
    pub user: UserId,
    /// The workspace in which it lets them act.
    pub workspace: WorkspaceId,
    /// The session that it belongs to.
    pub session: Option<SessionId>,
}

/// Signs and reads access tokens.
#[derive(Clone)]
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// Why a token is no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// It has run out.
    #[error("the token has expired")]
    Expired,
    /// It isn't one of ours.
    #[error("the token can't be read")]
    Forged,
    /// Signing failed.
    #[error("the token could not be signed")]
    Unsigned,
}

impl Tokens {
    /// Tokens under a secret key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self { encoding: EncodingKey::from_secret(key), decoding: DecodingKey::from_secret(key) }
    }

    /// A token for a person in a workspace, of no session.
    pub fn sign(&self, user: UserId, workspace: WorkspaceId, now: DateTime<Utc>) -> Result<String, BadToken> {
        self.sign_access(&Access { user, workspace, session: None }, now)
    }

    /// A token that works as long as its session goes on.
    pub fn sign_access(&self, access: &Access, now: DateTime<Utc>) -> Result<String, BadToken> {
        let iat = now.timestamp();
        let exp = iat + i64::try_from(ACCESS_SECONDS).unwrap_or(i64::MAX);
        let claims = Claims { sub: access.user, ws: access.workspace, sid: access.session, exp, iat };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(|_| BadToken::Unsigned)
    }

    /// Whose token it is.
    pub fn read(&self, token: &str, now: DateTime<Utc>) -> Result<Access, BadToken> {
        let mut validation = Validation::new(Algorithm::HS256);
        // The clock is ours, so that it is the same one everywhere.
        validation.validate_exp = false;
        let claims = decode::<Claims>(token, &self.decoding, &validation).map_err(|_| BadToken::Forged)?;
        if claims.claims.exp <= now.timestamp() {
            return Err(BadToken::Expired);
        }
        let Claims { sub, ws, sid, .. } = claims.claims;
        Ok(Access { user: sub, workspace: ws, session: sid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;

    #[test]
    fn a_token_works_until_it_expires_and_only_under_its_key() {
        let now: DateTime<Utc> = "2026-03-01T10:00:00Z".parse().unwrap();
        let (user, workspace) = (UserId(uuid::Uuid::from_u128(1)), WorkspaceId(uuid::Uuid::from_u128(2)));
        let tokens = Tokens::new(&[7; 32]);
        let session = Some(SessionId(uuid::Uuid::from_u128(3)));
        let access = Access { user, workspace, session };
        let token = tokens.sign_access(&access, now).unwrap();
        assert_eq!(tokens.read(&token, now + Duration::minutes(14)), Ok(access));
        assert_eq!(tokens.read(&token, now + Duration::minutes(16)), Err(BadToken::Expired));
        assert_eq!(Tokens::new(&[8; 32]).read(&token, now), Err(BadToken::Forged));
        assert_eq!(tokens.read("nonsense", now), Err(BadToken::Forged));
    }
}
