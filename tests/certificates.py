"""Certificates for tests: an authority of our own and whom it vouches for."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM


class Authority:
    """Signs certificates for 127.0.0.1, into a directory."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._certificate(name, self._key.public_key(), is_authority=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(made.public_bytes(PEM))

    def sign(self, name: str, kind: str = "ec", into: str = "") -> tuple[str, str]:
        """A certificate and its key as files; `into` names them, if not after `name`."""
        key = ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, 2048)
        made = self._certificate(name, key.public_key(), is_authority=False)
        cert_file, key_file = (self._folder / f"{into or name}.{end}" for end in ("crt", "key"))
        cert_file.write_bytes(made.public_bytes(PEM))
        plain = serialization.NoEncryption()
        key_file.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, plain))
        return str(cert_file), str(key_file)

    def _certificate(
        self, name: str, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, *, is_authority: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        places = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        return (
            x509.CertificateBuilder()
            .subject_name(named)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName(places), critical=False)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
