//! Marks of machines on which a person has signed in. A mark lets nobody in: it says whose tries to sign in are counted
//! apart from those of strangers.

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use shared_types::ids::{DeviceId, UserId};

/// How long a mark is good after the last sign-in with it.
const LAST_DAYS: i64 = 180;

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    dev: DeviceId,
    sub: UserId,
    exp: i64,
}

/// Makes and reads the marks.
#[derive(Clone)]
pub struct Devices {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl Devices {
    /// Marks under a secret key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self { encoding: EncodingKey::from_secret(key), decoding: DecodingKey::from_secret(key) }
    }

    /// A mark of a machine on which a person has just signed in; nothing where it can't be signed.
    pub fn mark(&self, user: UserId, known: DeviceId, now: DateTime<Utc>) -> Option<String> {
        let claims = Claims { dev: known, sub: user, exp: (now + Duration::days(LAST_DAYS)).timestamp() };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).ok()
    }

    /// The machine that a mark is of, where this person has signed in there.
    pub fn read(&self, mark: &str, user: UserId, now: DateTime<Utc>) -> Option<DeviceId> {
        let mut validation = Validation::new(Algorithm::HS256);
        // The clock is ours, so that it is the same one everywhere.
        validation.validate_exp = false;
        let Claims { dev, sub, exp } = decode::<Claims>(mark, &self.decoding, &validation).ok()?.claims;
        (sub == user && exp > now.timestamp()).then_some(dev)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_good_for_its_person_alone_and_for_a_time() {
        let now: DateTime<Utc> = "2026-03-01T10:00:00Z".parse().unwrap();
        let (ina, bo) = (UserId(uuid::Uuid::from_u128(1)), UserId(uuid::Uuid::from_u128(2)));
        let devices = Devices::new(&[7; 32]);
        let mark = devices.mark(ina, DeviceId(uuid::Uuid::from_u128(3)), now).unwrap();
        let device = devices.read(&mark, ina, now).unwrap();
        assert_eq!(devices.read(&mark, bo, now), None);
        assert_eq!(devices.read(&mark, ina, now + Duration::days(LAST_DAYS)), None);
        assert_eq!(Devices::new(&[8; 32]).read(&mark, ina, now), None);
        let renewed = devices.mark(ina, device, now + Duration::days(100)).unwrap();
        assert_eq!(devices.read(&renewed, ina, now + Duration::days(200)), Some(device));
    }
}
