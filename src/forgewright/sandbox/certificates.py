"""The certificate authority of one sandbox: made in memory, valid for a day, trusted by nobody else."""

from __future__ import annotations

import datetime
import ipaddress
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = datetime.timedelta(days=1)


def _times(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        builder.not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .serial_number(x509.random_serial_number())
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _identifiers(key: ec.EllipticCurvePrivateKey, issuer: ec.EllipticCurvePrivateKey) -> tuple[Any, Any]:
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return own, x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())


def authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A key and its own certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Forgewright sandbox")
    own, above = _identifiers(key, key)
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        _times(x509.CertificateBuilder()).subject_name(name).issuer_name(name).public_key(key.public_key())
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(usage, critical=True).add_extension(own, critical=False)
    return key, builder.add_extension(above, critical=False).sign(key, hashes.SHA256())


def certificate(host: str, issuer_key: Any, issuer: Any) -> tuple[bytes, bytes]:
    """(key, certificate) in PEM for a server of that name."""
    key = ec.generate_private_key(ec.SECP256R1())
    own, above = _identifiers(key, issuer_key)
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        alternative = x509.DNSName(host)
    builder = _times(x509.CertificateBuilder()).subject_name(_name(host)).issuer_name(issuer.subject)
    builder = builder.public_key(key.public_key()).add_extension(
        x509.SubjectAlternativeName([alternative]), critical=False
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    signed = (
        builder.add_extension(own, critical=False)
        .add_extension(above, critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem, signed.public_bytes(Encoding.PEM)
