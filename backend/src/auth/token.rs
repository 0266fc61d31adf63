//! Access tokens: short JWTs that say who and where; what they may do is read anew.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use shared_types::ids::{UserId, WorkspaceId};

/// How long an access token works.
pub const ACCESS_SECONDS: u64 = 15 * 60;

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    ws: WorkspaceId,
    exp: i64,
    iat: i64,
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

    /// A token for a person in a workspace.
    pub fn sign(&self, user: UserId, workspace: WorkspaceId, now: DateTime<Utc>) -> Result<String, BadToken> {
        let iat = now.timestamp();
        let exp = iat + i64::try_from(ACCESS_SECONDS).unwrap_or(i64::MAX);
        let claims = Claims { sub: user, ws: workspace, exp, iat };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(|_| BadToken::Unsigned)
    }

    /// Whose token it is.
    pub fn read(&self, token: &str, now: DateTime<Utc>) -> Result<(UserId, WorkspaceId), BadToken> {
        let mut validation = Validation::new(Algorithm::HS256);
        // The clock is ours, so that it is the same one everywhere.
        validation.validate_exp = false;
        let claims = decode::<Claims>(token, &self.decoding, &validation).map_err(|_| BadToken::Forged)?;
        if claims.claims.exp <= now.timestamp() {
            return Err(BadToken::Expired);
        }
        Ok((claims.claims.sub, claims.claims.ws))
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
        let token = tokens.sign(user, workspace, now).unwrap();
        assert_eq!(tokens.read(&token, now + Duration::minutes(14)), Ok((user, workspace)));
        assert_eq!(tokens.read(&token, now + Duration::minutes(16)), Err(BadToken::Expired));
        assert_eq!(Tokens::new(&[8; 32]).read(&token, now), Err(BadToken::Forged));
        assert_eq!(tokens.read("nonsense", now), Err(BadToken::Forged));
    }
}
