"""Certificate and key of the settings: read, checked before anything starts, and told of in plain words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtensionOID, NameOID

from core.clock import now
from core.errors import InvalidInput
from core.settings import settings

CERT, KEY = "GRIDKEEPER_TLS_CERT", "GRIDKEEPER_TLS_KEY"
RENEW_BEFORE = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says, and where it lies.

    Attributes
    ----------
    key_is_open
        Whether others on this machine may read the private key.
    """

    cert: Path
    key: Path
    names: tuple[str, ...]
    issuer: str
    self_signed: bool
    valid_from: dt.datetime
    valid_until: dt.datetime
    key_is_open: bool

    def valid(self, at: dt.datetime) -> bool:
        """Return whether the certificate is valid at a moment."""
        return self.valid_from <= at <= self.valid_until


def configured() -> tuple[Path, Path] | None:
    """Return certificate and key of the settings; None when neither is set.

    Raises
    ------
    InvalidInput
        When only one of them is set.
    """
    cert, key = settings().tls_cert, settings().tls_key
    if (cert is None) != (key is None):
        there, missing = (CERT, KEY) if key is None else (KEY, CERT)
        raise InvalidInput(f"{there} is set and {missing} is not.", hint="Set both, or neither for http.")
    return None if cert is None or key is None else (cert, key)


def to_serve_with(at: dt.datetime | None = None) -> Certificate | None:
    """Return the certificate to serve the pages with; None when there is none in the settings.

    Raises
    ------
    InvalidInput
        When the pair is not whole, cannot be read, does not fit together or is not valid now.
    """
    pair = configured()
    if pair is None:
        return None
    found, at = read_pair(*pair), at or now()
    if at > found.valid_until:
        raise InvalidInput(
            f"The certificate {found.cert} ended on {found.valid_until:%Y-%m-%d}.",
            hint=f"Renew it, or unset {CERT} and {KEY} and let a reverse proxy speak https.",
        )
    if at < found.valid_from:
        raise InvalidInput(
            f"The certificate {found.cert} is valid from {found.valid_from:%Y-%m-%d %H:%M} UTC only.",
            hint="Check the clock of this machine.",
        )
    return found


def server_options(certificate: Certificate | None) -> tuple[str, ...]:
    """Return the options of ``streamlit run`` that make it speak https with a certificate, and nothing else."""
    if certificate is None:
        return ()
    return (
        "--server.sslCertFile",
        str(certificate.cert.absolute()),
        "--server.sslKeyFile",
        str(certificate.key.absolute()),
    )


def check_server(given: object) -> None:
    """Return when a server speaks https as the settings want it.

    Parameters
    ----------
    given
        The certificate's path that the server was started with; None or empty for http.

    Raises
    ------
    InvalidInput
        When the settings name a certificate and the server was started without it, or it cannot be used.
    """
    certificate = to_serve_with()
    if certificate is not None and not given:
        raise InvalidInput(
            f"{CERT} is set, and this server was started without https.",
            hint=f"Start it with `gridkeeper run`, or add: {' '.join(server_options(certificate))}",
        )


def read_pair(cert: Path, key: Path) -> Certificate:
    """Return what a certificate says after proving that the key is its own.

    Raises
    ------
    InvalidInput
        When either cannot be read, or they do not fit together.
    """
    try:
        chain = x509.load_pem_x509_certificates(_read(cert, CERT))
    except ValueError as error:
        raise InvalidInput(
            f"{cert} holds no certificate in PEM.", hint="Its first line is BEGIN CERTIFICATE."
        ) from error
    try:
        private = serialization.load_pem_private_key(_read(key, KEY), None)
    except TypeError as error:
        raise InvalidInput(
            f"The key {key} is locked with a password.", hint="Give one without, readable by the server's user only."
        ) from error
    except ValueError as error:
        raise InvalidInput(f"{key} holds no private key in PEM.", hint="Its first line ends in PRIVATE KEY.") from error
    own = chain[0]
    if _public(own.public_key()) != _public(private.public_key()):
        raise InvalidInput(
            f"The key {key} does not belong to the certificate {cert}.",
            hint="Give the pair that was made together; in a chain the server's own certificate stands first.",
        )
    return Certificate(
        cert=cert,
        key=key,
        names=_names(own),
        issuer=_common_name(own.issuer),
        self_signed=own.issuer == own.subject,
        valid_from=own.not_valid_before_utc,
        valid_until=own.not_valid_after_utc,
        key_is_open=bool(key.stat().st_mode & 0o077),
    )


def _read(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        why = (error.strerror or "cannot be read").lower()
        raise InvalidInput(f"{path} cannot be read: {why}.", hint=f"Check {setting}.") from error


def _public(key: object) -> bytes:
    made: bytes = key.public_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return made


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        return (_common_name(certificate.subject),)
    return tuple(str(name.value) for name in found) if isinstance(found, x509.SubjectAlternativeName) else ()


def _common_name(name: x509.Name) -> str:
    parts = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(parts[0].value) if parts else name.rfc4514_string()
