"""How long the client waits and how much it reads before it gives up."""

from __future__ import annotations

import msgspec


class HttpTimeouts(msgspec.Struct, frozen=True):
    connect_seconds: float = 15.0
    """To open a connection, TLS and proxy included."""
    read_seconds: float = 300.0
    """Between two pieces of an answer, the first included; models think for minutes before they answer."""
    total_seconds: float = 1800.0
    """For the whole exchange."""


class HttpLimits(msgspec.Struct, frozen=True):
    header_bytes_max: int = 64 << 10
    body_bytes_max: int = 64 << 20
    """Of one answer, whole or streamed."""
    buffer_bytes_max: int = 256 << 10
    """Of a streamed answer that nobody took yet; past it the socket is not read (back-pressure)."""
    connections_max: int = 1024
    """To one origin; further requests wait for a free one."""
    idle_seconds: float = 45.0
    """After which an unused connection is closed; load balancers drop idle ones from 60 s on."""
