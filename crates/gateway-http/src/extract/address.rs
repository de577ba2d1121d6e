//! From where a client comes.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use ipnet::IpNet;

/// The other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The operator's own proxies, which tell from where a client comes.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(pub(crate) Arc<[IpNet]>);

/// The client's address: the other end's, or where that is a trusted proxy the last one in `X-Forwarded-For` that is
/// none. Whatever else stands there a client may have written itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress(pub(crate) Option<IpAddr>);

const FORWARDED: &str = "x-forwarded-for";

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress
where
    TrustedProxies: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let proxies = TrustedProxies::from_ref(state);
        let peer = parts.extensions.get::<Peer>();
        Ok(Self(peer.map(|Peer(peer)| {
            client(peer.ip(), &parts.headers, &proxies)
        })))
    }
}

fn client(peer: IpAddr, headers: &HeaderMap, TrustedProxies(proxies): &TrustedProxies) -> IpAddr {
    let is_proxy = |address: IpAddr| {
        let address = address.to_canonical();
        proxies.iter().any(|net| net.contains(&address))
    };
    let mut client = peer.to_canonical();
    let told = headers.get_all(FORWARDED).iter();
    let told = told.filter_map(|value| value.to_str().ok());
    let told: Vec<&str> = told.flat_map(|value| value.split(',')).collect();
    for address in told.iter().rev() {
        if !is_proxy(client) {
            break;
        }
        match read(address.trim()) {
            Some(address) => client = address.to_canonical(),
            None => break,
        }
    }
    client
}

/// An address, perhaps with a port.
fn read(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    bare.unwrap_or(text)
        .parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_of(peer: &str, forwarded: &[&'static str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED, value.parse().unwrap());
        }
        let proxies = proxies.iter().map(|net| net.parse().unwrap()).collect();
        client(peer.parse().unwrap(), &headers, &TrustedProxies(proxies)).to_string()
    }

    #[test]
    fn nobody_is_believed_unless_the_operator_says_so() {
        let told = &["198.51.100.7"];
        assert_eq!(client_of("192.0.2.1", told, &[]), "192.0.2.1");
        assert_eq!(client_of("192.0.2.1", told, &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(client_of("10.1.2.3", told, &["10.0.0.0/8"]), "198.51.100.7");
    }

    #[test]
    fn what_a_client_wrote_itself_is_passed_over() {
        let proxies = &["10.0.0.0/8"];
        let told = &["203.0.113.9, 198.51.100.7", "10.9.9.9"];
        assert_eq!(client_of("10.1.2.3", told, proxies), "198.51.100.7");
        assert_eq!(client_of("10.1.2.3", &["nonsense"], proxies), "10.1.2.3");
        assert_eq!(client_of("10.1.2.3", &[], proxies), "10.1.2.3");
    }

    #[test]
    fn an_address_may_have_a_port() {
        let proxies = &["10.0.0.0/8"];
        for (told, address) in [
            ("198.51.100.7:443", "198.51.100.7"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
        ] {
            assert_eq!(client_of("::ffff:10.1.2.3", &[told], proxies), address);
        }
    }
}
