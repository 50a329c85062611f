"""The guard of the command line, and how long work tells of itself."""

from __future__ import annotations

import logging
import re

import pytest
import typer

from app import cli
from core.errors import Conflict, DataQuality, InvalidInput, NotPermitted, SourceUnavailable
from core.progress import Lines
from core.settings import settings


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs a command that raises, and returns exit code and what stands on standard error."""

    def run(error: BaseException) -> tuple[int, str]:
        def build() -> typer.Typer:
            app = typer.Typer()

            @app.command()
            def command() -> None:
                raise error

            return app

        monkeypatch.setattr(cli, "build", build)
        with pytest.raises(SystemExit) as ended:
            cli.main([])
        return int(ended.value.code or 0), capsys.readouterr().err

    yield run
    logging.getLogger("gridkeeper.cli").handlers = []
    logging.getLogger("gridkeeper.cli").propagate = True


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput("No.", hint="Do so."), 2),
        (DataQuality("No:", ["a", "b"], hint="Do so."), 2),
        (NotPermitted("No.", hint="Do so."), 3),
        (Conflict("No.", hint="Do so."), 4),
        (SourceUnavailable("No.", hint="Do so."), 5),
    ],
)
def test_a_known_error_is_a_sentence_with_the_way_out(failing, error: Exception, code: int) -> None:
    ended, said = failing(error)
    assert ended == code
    assert said.startswith("error: No")
    assert said.endswith("Do so.\n")


def test_an_unknown_error_is_an_id_and_its_trace_stands_in_the_log(failing) -> None:
    ended, said = failing(ZeroDivisionError("inside"))
    assert ended == cli.UNKNOWN_ERROR_EXIT
    assert "Traceback" not in said
    error_id = re.search(r"see (\w{8}) in ", said)
    assert error_id is not None
    log = (settings().state_dir / "log" / "errors.log").read_text()
    assert error_id[1] in log
    assert "ZeroDivisionError: inside" in log


def test_stopping_by_hand_is_said(failing) -> None:
    assert failing(KeyboardInterrupt()) == (130, "stopped; nothing half-done was kept\n")


def test_lines_tell_step_count_and_rate() -> None:
    said: list[str] = []
    lines = Lines(said.append, every_s=0)
    lines.step("Reading", 2_000)
    lines.advance(500)
    lines.step("Looking")
    lines.advance()
    assert said[0] == "  Reading (2,000)"
    assert re.fullmatch(r"    Reading: 500 of 2,000, [\d,]+ a second", said[1])
    assert said[2] == "  Looking"
    assert said[3].startswith("    Looking: 1, ")
