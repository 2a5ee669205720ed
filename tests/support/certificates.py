"""Certificates made while a test runs: an authority's own, and those that it or nobody gave.

They hold what Python's stricter checks ask for (RFC 5280 §4.2: who may sign, and by which key).
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chassis import clock
from chassis.ids import new_id

HERE = "127.0.0.1"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """Whom a test may have somebody trust."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    folder: Path

    @property
    def file(self) -> Path:
        """Its certificate, as settings name it."""
        path = self.folder / "authority.pem"
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        return path

    def serves(self, name: str = HERE, *, ended: bool = False) -> ssl.SSLContext:
        """TLS for a server of this name or address, with a certificate by this authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        until = clock.now() + (-DAY if ended else DAY)
        return _serving(self.folder, key, _signed(key, name, until, by=self))


def an_authority(folder: Path) -> Authority:
    """A new one, which nobody trusts yet."""
    key = ec.generate_private_key(ec.SECP256R1())
    return Authority(key, _signed(key, "authority.test", clock.now() + DAY, by=None), folder)


def self_signed(folder: Path, name: str = HERE) -> ssl.SSLContext:
    """TLS for a server of this name or address, which nobody but itself answers for."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _serving(folder, key, _signed(key, name, clock.now() + DAY, by=None))


def _signed(
    key: ec.EllipticCurvePrivateKey, name: str, until: datetime, *, by: Authority | None
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signer = (subject, key) if by is None else (by.certificate.subject, by.key)
    builder = x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number(), until - 9 * DAY, until
    )
    for extension, critical in _extensions(key, signer, name, signs=by is None):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, hashes.SHA256())


def _extensions(
    key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, name: str, *, signs: bool
) -> Sequence[tuple[x509.ExtensionType, bool]]:
    return (
        (x509.SubjectAlternativeName([_called(name)]), False),
        (x509.BasicConstraints(ca=signs, path_length=None), True),
        (
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=signs,
                crl_sign=signs,
                encipher_only=False,
                decipher_only=False,
            ),
            True,
        ),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
    )


def _called(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _serving(
    folder: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
) -> ssl.SSLContext:
    path = folder / f"{new_id()}.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
