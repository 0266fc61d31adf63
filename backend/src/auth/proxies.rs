//! From which address a request comes, also where it was handed on by proxies that are trusted.

use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// A text names no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is neither an address nor a network; write such as 10.0.0.5 or 10.0.0.0/8, separated by commas"
)]
pub struct BadNetwork(String);

impl FromStr for TrustedProxies {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let networks = parts.map(|part| {
            let network = part.parse().or_else(|_| part.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| BadNetwork(part.to_owned()))
        });
        networks.collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    /// The address of whoever sent a request: from the peer backwards through what each proxy wrote, the first
    /// that isn't a trusted proxy's. What stands before it could have been written by anybody.
    pub fn sender<'h>(&self, peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'h str>) -> IpAddr {
        let mut sender = peer.to_canonical();
        for hop in forwarded.rev().flat_map(|line| line.rsplit(',')) {
            if !self.trusts(sender) {
                break;
            }
            let Some(hop) = address(hop.trim()) else { break };
            sender = hop.to_canonical();
        }
        sender
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address, as proxies write it: with or without a port, IPv6 with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|with_port| with_port.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(proxies: &str, peer: &str, forwarded: &[&str]) -> String {
        let proxies: TrustedProxies = proxies.parse().unwrap();
        proxies.sender(peer.parse().unwrap(), forwarded.iter().copied()).to_string()
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        assert_eq!(sender("", "192.0.2.9", &["198.51.100.1"]), "192.0.2.9");
        assert_eq!(sender("10.0.0.0/8", "192.0.2.9", &["198.51.100.1"]), "192.0.2.9");
        assert_eq!(sender("10.0.0.0/8", "10.1.2.3", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(sender("10.0.0.0/8", "10.1.2.3", &["1.1.1.1, 198.51.100.1, 10.9.9.9"]), "198.51.100.1");
        assert_eq!(sender("10.0.0.0/8", "10.1.2.3", &["1.1.1.1", "198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(sender("10.0.0.0/8", "::ffff:10.1.2.3", &["[2001:db8::1]:99"]), "2001:db8::1");
        assert_eq!(sender("10.0.0.0/8, fd00::/8", "fd00::1", &["[2001:db8::1], 10.0.0.1"]), "2001:db8::1");
        assert_eq!(sender("10.0.0.5", "10.0.0.5", &["nonsense"]), "10.0.0.5");
        assert_eq!(sender("10.0.0.5", "10.0.0.5", &[]), "10.0.0.5");
    }

    #[test]
    fn what_is_no_network_is_told() {
        let error = "10.0.0.0/8, proxy.example.com".parse::<TrustedProxies>().unwrap_err();
        assert!(error.to_string().contains("`proxy.example.com`"), "{error}");
        assert!("10.0.0.0/99".parse::<TrustedProxies>().is_err());
    }
}
