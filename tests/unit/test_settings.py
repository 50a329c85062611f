"""Settings: unknown and wrong variables are refused in one sentence; the secret is made once."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.settings import Settings, load_settings, secret_key, settings


def test_an_unknown_variable_is_refused_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDKEEPER_PROT", "8000")
    with pytest.raises(InvalidInput, match="GRIDKEEPER_PROT is not a setting.*did you mean GRIDKEEPER_PORT"):
        load_settings()


def test_all_wrong_variables_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDKEEPER_PORT", "70000")
    monkeypatch.setenv("GRIDKEEPER_SESSION_HOURS", "-1")
    with pytest.raises(InvalidInput) as caught:
        load_settings()
    assert "GRIDKEEPER_PORT" in str(caught.value)
    assert "GRIDKEEPER_SESSION_HOURS" in str(caught.value)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings().port = 1


def test_the_pages_listen_on_this_machine_only_unless_told_otherwise() -> None:
    assert Settings().address == "127.0.0.1"


def test_the_secret_is_made_once_and_only_we_can_read_it(state_dir: Path) -> None:
    first = secret_key()
    secret_key.cache_clear()
    assert secret_key() == first
    assert len(first) == 32
    assert stat.S_IMODE((state_dir / "secret").stat().st_mode) == 0o600
