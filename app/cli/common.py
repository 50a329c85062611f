"""What all commands share: answers as text or JSON, progress bars, the chosen territory."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from core.progress import Lines, Progress

AsJson = Annotated[bool, typer.Option("--json", help="Answer as one JSON object on standard output.")]
TerritoryName = Annotated[str | None, typer.Option("--territory", help="Which territory, where several live together.")]


def emit(result: Mapping[str, Any], as_json: bool) -> None:
    """Print a result: one JSON object for scripts, else a line per key."""
    if as_json:
        print(json.dumps(result, ensure_ascii=False, default=str))
        return
    width = max((len(str(key)) for key in result), default=0)
    for key, value in result.items():
        print(f"{key:<{width}}  {_readable(value)}")


def _readable(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_readable(part)}" for name, part in value.items()) or "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(_readable(part) for part in value) or "-"
    return str(value)


class _Bars:
    """Progress as bars on a terminal."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._task: Any = None

    def step(self, name: str, total: int | None = None) -> None:
        """End the last bar and begin one."""
        self.finish()
        self._task = self._bars.add_task(name, total=total)

    def advance(self, items: int = 1) -> None:
        """Move the bar on."""
        if self._task is not None:
            self._bars.advance(self._task, items)

    def finish(self) -> None:
        """Fill the last bar."""
        if self._task is not None:
            task = self._bars.tasks[self._bars.task_ids.index(self._task)]
            total = task.total if task.total is not None else max(1.0, task.completed)
            self._bars.update(self._task, total=total, completed=total)


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """Show progress on standard error: bars on a terminal, lines elsewhere; never on standard output."""
    if not sys.stderr.isatty():
        yield Lines(lambda line: print(line, file=sys.stderr, flush=True))
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as bars:
        shown = _Bars(bars)
        yield shown
        shown.finish()
