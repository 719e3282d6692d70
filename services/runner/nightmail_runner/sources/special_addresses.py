"""The addresses that are not on the public internet, by the IANA special-purpose address registries.

Sources: "IANA IPv4 Special-Purpose Address Registry" and "IANA IPv6 Special-Purpose Address Registry" (RFC 6890), read in
November 2026. The table is our own, because `ipaddress.is_global` differs between versions of Python and takes 192.0.0.192,
64:ff9b:1::/48 and IPv4-compatible addresses for public ones in some of them. An entry that the registries call globally
reachable (anycast relays, AS112) is refused, too: no source has such an address.
"""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SPECIAL_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # "this network", RFC 791
        "10.0.0.0/8",  # private, RFC 1918
        "100.64.0.0/10",  # shared by carriers, RFC 6598
        "127.0.0.0/8",  # loopback, RFC 1122
        "169.254.0.0/16",  # link local, RFC 3927: the metadata service of clouds
        "172.16.0.0/12",  # private, RFC 1918
        "192.0.0.0/24",  # IETF protocol assignments, RFC 6890: 192.0.0.192 is a metadata service
        "192.0.2.0/24",  # documentation, RFC 5737
        "192.31.196.0/24",  # AS112, RFC 7535
        "192.52.193.0/24",  # AMT, RFC 7450
        "192.88.99.0/24",  # 6to4 relay anycast, RFC 7526
        "192.168.0.0/16",  # private, RFC 1918
        "192.175.48.0/24",  # AS112, RFC 7534
        "198.18.0.0/15",  # benchmarks, RFC 2544
        "198.51.100.0/24",  # documentation, RFC 5737
        "203.0.113.0/24",  # documentation, RFC 5737
        "224.0.0.0/4",  # multicast, RFC 5771
        "240.0.0.0/4",  # reserved, RFC 1112, and broadcast, RFC 8190
    )
)

#: All global unicast addresses (RFC 4291 section 2.4, IANA "IPv6 Address Space"). What is outside is refused: loopback,
#: IPv4-compatible ::/96 (RFC 4291 section 2.5.5.1), local NAT64 64:ff9b:1::/48 (RFC 8215), discard-only 100::/64 (RFC 6666,
#: RFC 9780), SRv6 5f00::/16 (RFC 9602), unique local fc00::/7 (RFC 4193), link local fe80::/10, site local fec0::/10
#: (RFC 3879), multicast ff00::/8.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")

_SPECIAL_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments, RFC 2928: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation, RFC 3849
        "2620:4f:8000::/48",  # AS112, RFC 7534
        "3fff::/20",  # documentation, RFC 9637
    )
)

#: Networks whose addresses hold an IPv4 address, and how many bits stand behind it.
_EMBEDDING = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped, RFC 4291 section 2.5.5.2
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),  # IPv4-translated (SIIT), RFC 2765 section 2.1
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64, RFC 6052
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4, RFC 3056
)


def is_public(address: Address) -> bool:
    """Return whether an address is on the public internet; one that embeds an IPv4 address is judged by that one."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    for network, bits_behind in _EMBEDDING:
        if address in network:
            return is_public(ipaddress.IPv4Address(int(address) >> bits_behind & 0xFFFFFFFF))
    return address in _GLOBAL_V6 and not any(address in network for network in _SPECIAL_V6)
