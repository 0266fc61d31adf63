//! The guard on outgoing calls: private, loopback, link-local and metadata addresses are refused after
//! resolution, unless an administrator allows the host and port.

use futures_util::future::BoxFuture;
use reqwest::Url;
use std::{
    fmt::Debug,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

/// Hosts with ports that the guard lets through: `IW_OUTBOUND_ALLOW`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed(Vec<(String, u16)>);

/// A text that names no host with its port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no host with a port; write 127.0.0.1:8099 or host.internal:443, separated by commas")]
pub struct BadAllow(String);

impl FromStr for Allowed {
    type Err = BadAllow;

    fn from_str(text: &str) -> Result<Self, BadAllow> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let read = |entry: &str| {
            let (host, port) = entry.rsplit_once(':')?;
            let host = host.trim_start_matches('[').trim_end_matches(']');
            Some((host.to_lowercase(), port.parse().ok()?)).filter(|(host, _)| !host.is_empty())
        };
        entries
            .map(|entry| read(entry).ok_or_else(|| BadAllow(entry.to_owned())))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Allowed {
    /// These and others.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        Self(self.0.iter().chain(&others.0).cloned().collect())
    }

    /// Whether a host and port are let through.
    pub fn lets(&self, host: &str, port: u16) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        self.0.iter().any(|(allowed, p)| *p == port && allowed.eq_ignore_ascii_case(host))
    }
}

/// Finds the addresses of hosts.
pub trait Names: Debug + Send + Sync {
    /// The addresses of a host, which may itself be an address, with a port.
    fn addresses(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// The system's names.
#[derive(Debug)]
struct SystemNames;

impl Names for SystemNames {
    fn addresses(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// What decides which addresses may be called; clones share it.
#[derive(Debug, Clone)]
pub struct Guard {
    allowed: Allowed,
    names: Arc<dyn Names>,
}

impl Default for Guard {
    fn default() -> Self {
        Self::of(SystemNames)
    }
}

impl Guard {
    /// A guard that has the addresses of hosts from these names, and lets no private one through. The default one asks
    /// the system.
    pub fn of(names: impl Names + 'static) -> Self {
        Self { allowed: Allowed::default(), names: Arc::new(names) }
    }

    /// It with hosts that an administrator allows.
    #[must_use]
    pub fn allowing(self, allowed: Allowed) -> Self {
        Self { allowed, ..self }
    }

    /// Whether an administrator allows the host and port of an address.
    pub(super) fn allows(&self, url: &Url) -> bool {
        let port = url.port_or_known_default().unwrap_or_default();
        self.allowed.lets(url.host_str().unwrap_or_default(), port)
    }

    /// The addresses of a host that may be called. Whoever connects takes one of these and doesn't ask again, so that a
    /// name can't lead elsewhere in between.
    pub(super) async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, NoAddress> {
        let mut found = self.names.addresses(host.to_owned(), port).await?;
        if !self.allowed.lets(host, port) {
            found.retain(|address| is_public(address.ip()));
            if found.is_empty() {
                return Err(NoAddress::Private);
            }
        }
        Ok(found)
    }
}

/// Why a host can't be called.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAddress {
    /// It leads only to addresses that may not be called.
    #[error("it leads to a private address")]
    Private,
    /// It leads nowhere.
    #[error(transparent)]
    Unknown(#[from] io::Error),
}

/// Whether an address is one of the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match embedded_v4(v6) {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

/// The blocks of IPv4 that the IANA registry of special-purpose addresses keeps from the internet (RFC 6890 and its
/// updates), and multicast.
const SPECIAL_V4: [(Ipv4Addr, u32); 17] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(192, 175, 48, 0), 24),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, what is reserved, and broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// The blocks inside `2000::/3` that aren't the internet's. Outside of `2000::/3` nothing is.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    // Protocol assignments: Teredo, benchmarking, ORCHID and others.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    // AS112's direct delegation.
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within =
        |(block, bits): &(Ipv4Addr, u32)| (u32::from(*block) ^ u32::from(address)).leading_zeros() >= *bits;
    !SPECIAL_V4.iter().any(within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within =
        |(block, bits): &(Ipv6Addr, u32)| (u128::from(*block) ^ u128::from(address)).leading_zeros() >= *bits;
    let global_unicast = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
    within(&global_unicast) && !SPECIAL_V6.iter().any(within)
}

/// The IPv4 address that an IPv6 address leads to: mapped (`::ffff:0:0/96`), translated by NAT64 (`64:ff9b::/96`), or
/// in 6to4 (`2002::/16`).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => address.to_ipv4_mapped(),
    }
}

/// The names of the client whose calls aren't allowed by host and port: each leads to public addresses alone.
#[derive(Debug, Clone)]
pub(super) struct PublicNames(Guard);

impl From<&Guard> for PublicNames {
    fn from(guard: &Guard) -> Self {
        Self(guard.clone().allowing(Allowed::default()))
    }
}

impl reqwest::dns::Resolve for PublicNames {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let found = guard.addresses(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of each block that isn't the public internet, an address or its first and last.
    const PRIVATE: &[&str] = &[
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.0.170",
        "192.0.2.1",
        "192.31.196.1",
        "192.52.193.1",
        "192.88.99.1",
        "192.168.1.1",
        "192.175.48.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::10.0.0.1",
        "::1.1.1.1",
        "::ffff:10.0.0.1",
        "::ffff:0:1.1.1.1",
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1.1.1.1",
        "100::1",
        "100:0:0:1::1",
        "2001::1",
        "2001:0:4136:e378::1",
        "2001:1::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2002:c0a8:101::1",
        "2002:c058:6301::1",
        "2620:4f:8000::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "4000::1",
    ];

    /// Addresses of the public internet, some beside the blocks that aren't.
    const PUBLIC: &[&str] = &[
        "1.1.1.1",
        "93.184.216.34",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "192.88.98.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "2001:200::1",
        "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1",
        "2002:101:101::1",
    ];

    #[test]
    fn only_addresses_of_the_public_internet_pass() {
        for private in PRIVATE {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in PUBLIC {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn what_is_allowed_is_a_host_with_its_port() {
        let allowed: Allowed = "127.0.0.1:8099, Host.internal:443,[::1]:80".parse().unwrap();
        assert!(
            allowed.lets("127.0.0.1", 8099)
                && allowed.lets("host.internal", 443)
                && allowed.lets("[::1]", 80)
        );
        assert!(!allowed.lets("127.0.0.1", 8098));
        assert_eq!("localhost".parse::<Allowed>(), Err(BadAllow("localhost".into())));
    }
}
