use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks of IPv4 that are not the public internet, as (network, prefix length).
/// From the IANA IPv4 Special-Purpose Address Registry (RFC 6890), and addresses on which clouds
/// offer services to their own machines.
const NOT_PUBLIC_V4: [(Ipv4Addr, u32); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // shared with the carrier
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // a cloud's platform service, in public space
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 31, 196, 0), 24),  // AS112
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, broadcast
];

/// The public space of IPv6: what IANA hands out as global unicast.
const GLOBAL_UNICAST_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Networks within it that are not public (IANA IPv6 Special-Purpose Address Registry).
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: carries an IPv4 address
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Where clouds hand credentials to whoever asks.
const METADATA: [IpAddr; 5] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Whether the address is on the public internet. An IPv6 address that only writes an IPv4 one
/// (mapped or compatible) is judged as that; one that carries it through a gateway (NAT64, 6to4,
/// Teredo) is not public.
pub fn is_public(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(v4) => !NOT_PUBLIC_V4.iter().any(|&(net, prefix)| {
            in_network(u32::from(v4).into(), u32::from(net).into(), 96 + prefix)
        }),
        IpAddr::V6(v6) => {
            let inside = |(net, prefix): (Ipv6Addr, u32)| in_network(v6.into(), net.into(), prefix);
            inside(GLOBAL_UNICAST_V6) && !NOT_PUBLIC_V6.into_iter().any(inside)
        }
    }
}

/// Whether the address reaches a cloud's metadata service, directly or through a gateway.
pub(super) fn is_metadata(address: IpAddr) -> bool {
    let carried = match canonical(address) {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => carried_v4(v6),
    };
    METADATA.contains(&canonical(address))
        || carried.is_some_and(|v4| METADATA.contains(&v4.into()))
}

/// The IPv4 address where an IPv6 one is only another way to write it.
pub(super) fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) if !v6.is_loopback() && !v6.is_unspecified() => {
            v6.to_ipv4().map_or(address, IpAddr::V4)
        }
        other => other,
    }
}

/// The IPv4 address inside one of NAT64 (RFC 6052, RFC 8215) or 6to4 (RFC 3056).
fn carried_v4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = v6.octets();
    let at = match v6.segments() {
        [0x64, 0xff9b, ..] => 12,
        [0x2002, ..] => 2,
        _ => return None,
    };
    Some(Ipv4Addr::new(
        octets[at],
        octets[at + 1],
        octets[at + 2],
        octets[at + 3],
    ))
}

/// Whether the upper `prefix` of 128 bits agree; `prefix` is 1 to 128.
fn in_network(address: u128, network: u128, prefix: u32) -> bool {
    (address ^ network) >> (128 - prefix) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn internal_special_and_documentation_addresses_are_not_public() {
        let internal = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.0.9",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1::1",
            "100::1",
            "2002:0808:0808::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "5f00::1",
        ];
        for address in internal {
            assert!(!is_public(ip(address)), "{address}");
        }
    }

    #[test]
    fn addresses_beside_the_special_ones_are_public() {
        let public = [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:200::1",
            "2003::1",
            "2a00:1450::1",
        ];
        for address in public {
            assert!(is_public(ip(address)), "{address}");
        }
    }

    #[test]
    fn an_ipv4_address_written_as_ipv6_is_judged_as_ipv4() {
        assert!(!is_public(ip("::ffff:127.0.0.1")));
        assert!(!is_public(ip("::ffff:10.0.0.1")));
        assert!(!is_public(ip("::10.0.0.1")));
        assert!(is_public(ip("::ffff:8.8.8.8")));
    }

    #[test]
    fn metadata_services_are_known_however_they_are_written() {
        for address in [
            "169.254.169.254",
            "168.63.129.16",
            "100.100.100.200",
            "192.0.0.192",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
        ] {
            assert!(is_metadata(ip(address)), "{address}");
        }
        assert!(!is_metadata(ip("169.254.169.253")));
        assert!(!is_metadata(ip("10.0.0.1")));
    }
}
