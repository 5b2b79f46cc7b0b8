"""A certificate authority for one play, and server certificates signed by it. Private keys stay in the directory."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID = timedelta(days=90)
_SKEW = timedelta(hours=1)


class Authority:
    """A CA whose certificate clients must trust explicitly: nothing on the machine trusts it."""

    def __init__(self, directory: Path, *, name: str) -> None:
        self._directory = directory
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Play CA of {name}")])
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        self._certificate = (
            _blank(subject, subject, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.server_certificate = ""
        """What the vCenter itself presents, as PEM."""
        self.certificates: dict[str, str] = {}
        """What machines beside the vCenter present, as PEM, by their names."""
        self.file = directory / f"{name}-ca.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def renew(self, context: ssl.SSLContext, address: str) -> None:
        """Let the vCenter present a new certificate of the same issuer, on connections that are made from now on."""
        self.server_context(address)
        context.load_cert_chain(self._directory / f"{self._name}-server.pem")

    def server_context(self, address: str, *, name: str = "") -> ssl.SSLContext:
        """Return a TLS context that proves to be `address` (and localhost) to whoever trusts this CA.

        A machine beside the vCenter gives its own `name`, which the certificate then bears too.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name or self._name)])
        names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(address)), x509.DNSName("localhost")]
        names += [x509.DNSName(name)] if name else []
        authority = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        certificate = (
            _blank(subject, self._certificate.subject, key.public_key())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self._directory / f"{name or self._name}-server.pem"
        file.touch(mode=0o600)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        proof = certificate.public_bytes(serialization.Encoding.PEM)
        file.write_bytes(secret + proof)
        if name:
            self.certificates[name] = proof.decode()
        else:
            self.server_certificate = proof.decode()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _blank(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _VALID)
    )
