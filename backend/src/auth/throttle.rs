//! Tries to sign in slow the next ones down, unless they succeed.
//!
//! A try is counted before it is made, so that of many at once no more are made than are free. Tries from a machine
//! on which the person has signed in before have a count of their own: what strangers guess elsewhere doesn't keep
//! them out.

use crate::store::{
    self,
    sign_ins::{self, Tries},
};
use chrono::{DateTime, Duration, Utc};
use shared_types::{
    email,
    ids::{DeviceId, UserId},
};
use sqlx::PgConnection;
use std::net::{IpAddr, Ipv6Addr};

/// After this long without a try the count starts anew.
const FORGET_MINUTES: i64 = 15;

/// How many tries are free, and how long one waits at most after them.
#[derive(Debug, Clone, Copy)]
struct Bound {
    free: i32,
    longest: Duration,
}

/// For an account, or a machine that is known to it.
const OF_ONE: Bound = Bound { free: 5, longest: Duration::minutes(15) };
/// For an address, behind which a whole company may sit.
const OF_ADDRESS: Bound = Bound { free: 100, longest: Duration::minutes(1) };

/// What a try is counted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Whoever has this address as theirs.
    Account(String),
    /// A machine that is known to the account.
    Device(DeviceId),
    /// Where the try comes from.
    Address(IpAddr),
    /// A person who is signed in and gives their password once more.
    Person(UserId),
}

impl Subject {
    /// An account, however its address is spelled.
    pub fn account(address: &str) -> Self {
        Self::Account(email::normal_form(address))
    }

    fn key(&self) -> String {
        match self {
            Self::Account(email) => format!("account:{email}"),
            Self::Device(device) => format!("device:{device}"),
            Self::Address(address) => format!("address:{}", network(*address)),
            Self::Person(user) => format!("password:{user}"),
        }
    }

    fn bound(&self) -> Bound {
        match self {
            Self::Account(_) | Self::Device(_) | Self::Person(_) => OF_ONE,
            Self::Address(_) => OF_ADDRESS,
        }
    }
}

/// Whoever has one IPv6 address has the 2⁶⁴ around it as well: they count as one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// A try that may be made, and was counted.
#[derive(Debug)]
#[must_use = "a try that succeeds is taken back"]
pub struct Counted {
    subjects: Vec<Subject>,
    is_last_free: bool,
}

/// It must not be tried yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MustWait {
    /// So many seconds.
    pub seconds: u64,
}

/// Counts a try for each subject, in their order, or says how long it has to wait; then the transaction that it is in
/// is to be rolled back, so that nothing was counted.
pub async fn count(
    conn: &mut PgConnection,
    subjects: Vec<Subject>,
    now: DateTime<Utc>,
) -> store::Result<Result<Counted, MustWait>> {
    sign_ins::forget_some(conn, now - Duration::minutes(FORGET_MINUTES)).await?;
    let mut is_last_free = false;
    for subject in &subjects {
        let (key, bound) = (subject.key(), subject.bound());
        let tries = sign_ins::hold(conn, &key, now).await?;
        if let Some(left) = remaining(bound, tries, now) {
            return Ok(Err(MustWait { seconds: left.num_seconds().unsigned_abs() + 1 }));
        }
        let before = if is_forgotten(tries, now) { 0 } else { tries.count };
        let count = before.saturating_add(1);
        is_last_free |= count == bound.free;
        sign_ins::put(conn, &key, Tries { count, last_at: now }).await?;
    }
    Ok(Ok(Counted { subjects, is_last_free }))
}

impl Counted {
    /// Whether the next try has to wait, if this one fails.
    pub fn is_last_free(&self) -> bool {
        self.is_last_free
    }

    /// The try succeeded: the count of the account begins anew, that of the address is one less.
    pub async fn succeeded(self, conn: &mut PgConnection) -> store::Result<()> {
        for subject in &self.subjects {
            match subject {
                Subject::Address(_) => sign_ins::take_back(conn, &subject.key()).await?,
                Subject::Account(_) | Subject::Device(_) | Subject::Person(_) => {
                    sign_ins::forget(conn, &subject.key()).await?;
                }
            }
        }
        Ok(())
    }
}

fn is_forgotten(tries: Tries, now: DateTime<Utc>) -> bool {
    now - tries.last_at >= Duration::minutes(FORGET_MINUTES)
}

/// After the free tries: 2 s, 4 s, 8 s, … up to the longest.
fn remaining(bound: Bound, tries: Tries, now: DateTime<Utc>) -> Option<Duration> {
    if tries.count < bound.free || is_forgotten(tries, now) {
        return None;
    }
    let doublings = u32::try_from(tries.count - bound.free + 1).unwrap_or_default().min(20);
    let delay = Duration::seconds(1i64 << doublings).min(bound.longest);
    Some(tries.last_at + delay - now).filter(|left| *left > Duration::zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_after_the_free_tries_and_end_with_time() {
        let now: DateTime<Utc> = "2026-03-01T10:00:00Z".parse().unwrap();
        let left = |bound, count, seconds| {
            remaining(bound, Tries { count, last_at: now - Duration::seconds(seconds) }, now)
                .map(|left| left.num_seconds())
        };
        assert_eq!(left(OF_ONE, 4, 0), None);
        assert_eq!(left(OF_ONE, 5, 0), Some(2));
        assert_eq!(left(OF_ONE, 7, 1), Some(7));
        assert_eq!(left(OF_ONE, 7, 8), None);
        assert_eq!(left(OF_ONE, 60, 0), Some(15 * 60));
        assert_eq!(left(OF_ONE, 60, FORGET_MINUTES * 60), None);
        assert_eq!(left(OF_ADDRESS, 99, 0), None);
        assert_eq!(left(OF_ADDRESS, 200, 0), Some(60));
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address_and_a_mapped_ipv4_as_itself() {
        let key = |text: &str| Subject::Address(text.parse().unwrap()).key();
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1:2"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), "address:192.0.2.1");
        assert_eq!(Subject::account(" INA@Example.com "), Subject::account("ina@example.com"));
    }
}
