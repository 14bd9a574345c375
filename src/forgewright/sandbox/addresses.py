"""Which addresses are on the public internet. All others are reached only where they are named outright."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""IANA, IPv6 address space: nothing else is given out to hosts of the internet."""

_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"),)
"""NAT64, RFC 6052 §2.1: the last 32 bits are an IPv4 address. Its local form (RFC 8215) is never public."""

_NOT_FOR_HOSTS = tuple(
    map(
        ipaddress.ip_network,
        ("192.88.99.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24", "2620:4f:8000::/48"),
    )
)
"""Relays and sinks of the internet itself (RFC 7526, 7535, 7534)."""


def is_public(address: Address) -> bool:
    """No loopback, private, link-local (cloud metadata), multicast or reserved address, however written."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None:
            return is_public(inner)
        if any(address in network for network in _TRANSLATED):
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
        if address not in _GLOBAL_UNICAST or address.scope_id is not None:
            return False
        if (int(address) >> 32) & 0xFDFF_FFFF == 0x0000_5EFE:  # ISATAP, RFC 5214 §6.1
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    if any(address.version == network.version and address in network for network in _NOT_FOR_HOSTS):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
