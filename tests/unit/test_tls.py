"""Certificate and key: what is missing, expired or does not fit is refused in a sentence before anything starts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from app import tls
from core.clock import now
from core.errors import InvalidInput
from core.settings import settings
from tests.certificates import DAY, make_pair


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def give(cert: Path | None, key: Path | None) -> None:
        chosen = settings().model_copy(update={"tls_cert": cert, "tls_key": key})
        monkeypatch.setattr(tls, "settings", lambda: chosen)

    return give


def test_without_both_there_is_http(given: Callable[..., None]) -> None:
    given(None, None)
    assert tls.to_serve_with() is None
    assert tls.server_options(None) == ()


def test_a_pair_that_fits_is_told_of(given: Callable[..., None], tmp_path: Path) -> None:
    cert, key = make_pair(tmp_path, name="city.example")
    given(cert, key)
    found = tls.to_serve_with()
    assert found is not None
    assert found.names == ("city.example", "127.0.0.1")
    assert found.self_signed
    assert not found.key_is_open
    assert str(cert) in tls.server_options(found)
    assert str(key) in tls.server_options(found)
    key.chmod(0o644)
    assert tls.read_pair(cert, key).key_is_open


def test_half_a_pair_is_refused(given: Callable[..., None], tmp_path: Path) -> None:
    cert, key = make_pair(tmp_path)
    given(cert, None)
    with pytest.raises(InvalidInput, match="GRIDKEEPER_TLS_CERT is set and GRIDKEEPER_TLS_KEY is not"):
        tls.to_serve_with()
    given(None, key)
    with pytest.raises(InvalidInput, match="GRIDKEEPER_TLS_KEY is set and GRIDKEEPER_TLS_CERT is not"):
        tls.to_serve_with()


def test_what_is_not_there_or_no_pem_is_named(tmp_path: Path) -> None:
    cert, key = make_pair(tmp_path)
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    for pair, match in (
        ((tmp_path / "none.pem", key), r"none\.pem cannot be read: no such file"),
        ((cert, tmp_path), "cannot be read: is a directory"),
        ((nonsense, key), "holds no certificate in PEM"),
        ((cert, nonsense), "holds no private key in PEM"),
        ((key, cert), "holds no certificate in PEM"),
    ):
        with pytest.raises(InvalidInput, match=match):
            tls.read_pair(*pair)


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    cert, _ = make_pair(tmp_path / "one")
    _, key = make_pair(tmp_path / "two")
    with pytest.raises(InvalidInput, match="does not belong to the certificate"):
        tls.read_pair(cert, key)


def test_a_locked_key_is_refused(tmp_path: Path) -> None:
    cert, key = make_pair(tmp_path)
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"password")
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    with pytest.raises(InvalidInput, match="locked with a password"):
        tls.read_pair(cert, key)


@pytest.mark.parametrize(
    ("begins", "ends", "match"),
    [(-30 * DAY, -DAY, "ended on"), (DAY, 30 * DAY, "is valid from")],
)
def test_what_is_not_valid_now_is_refused(
    given: Callable[..., None], tmp_path: Path, begins: dt.timedelta, ends: dt.timedelta, match: str
) -> None:
    given(*make_pair(tmp_path, begins=begins, ends=ends))
    with pytest.raises(InvalidInput, match=match):
        tls.to_serve_with()
    assert tls.to_serve_with(now() + begins + DAY / 2) is not None


def test_a_server_without_https_is_refused_when_the_settings_want_it(
    given: Callable[..., None], tmp_path: Path
) -> None:
    cert, key = make_pair(tmp_path)
    given(cert, key)
    tls.check_server(str(cert))
    with pytest.raises(InvalidInput, match="started without https") as refused:
        tls.check_server(None)
    assert f"--server.sslCertFile {cert}" in refused.value.hint
    given(None, None)
    tls.check_server(None)
