//! The guard on outgoing calls: private, loopback, link-local and metadata addresses are refused after
//! resolution, unless an administrator allows the host and port.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
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

/// Whether an address is one of the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped().or_else(|| embedded_v4(v6)) {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

/// What the IANA registry of special-purpose addresses keeps from the internet (RFC 6890 and its updates).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240;
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    let special = address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || (first & 0xfe00) == 0xfc00
        || (first & 0xffc0) == 0xfe80
        || (first & 0xffc0) == 0xfec0
        || (first == 0x2001 && address.segments()[1] == 0x0db8);
    !special
}

/// The IPv4 address inside one of the translation prefixes: `64:ff9b::/96` and 6to4's `2002::/16`.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match s[0] {
        0x0064 if s[1] == 0xff9b => Some(v4(s[6], s[7])),
        0x2002 => Some(v4(s[1], s[2])),
        _ => None,
    }
}

/// Resolves names and gives only public addresses.
#[derive(Debug, Clone, Copy)]
pub(super) struct PublicOnly;

impl reqwest::dns::Resolve for PublicOnly {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<SocketAddr> =
                found.into_iter().filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(Box::<dyn std::error::Error + Send + Sync>::from(NotPublic));
            }
            Ok(Box::new(public.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

/// A name that leads only to addresses that may not be called.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("it leads to a private address")]
pub(super) struct NotPublic;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_pass() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"] {
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
