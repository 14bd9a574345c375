"""A server on localhost behind TLS whose proxy adds a credential."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from forgewright.sandbox.certificates import authority, certificate


def credentialed(folder: Path, secret: str, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a server on localhost listens with; the proxy believes it, and finds `secret` in API_TOKEN."""
    key, own = authority()
    pem, signed = certificate("localhost", key, own)
    (folder / "server.pem").write_bytes(pem + signed)
    (folder / "ca.pem").write_bytes(own.public_bytes(Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    monkeypatch.setenv("API_TOKEN", secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context
