"""What all commands share: answers as text or JSON, progress bars, the chosen territory."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, get_type_hints

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from core.progress import Lines, Progress

AsJson = Annotated[bool, typer.Option("--json", help="Answer as one JSON object on standard output.")]
TerritoryName = Annotated[str | None, typer.Option("--territory", help="Which territory, where several live together.")]


def with_records(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose parameters that are dataclasses are given as options, one for each of their fields.

    A field is annotated as an option of its own would be: ``crs: Annotated[str, typer.Option(help="…")] = ""``.
    """
    hints, flat = get_type_hints(command, include_extras=True), []
    records: dict[str, type[Any]] = {}
    for one in inspect.signature(command).parameters.values():
        kind = hints[one.name]
        if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
            flat.append(one.replace(annotation=kind))
            continue
        records[one.name] = kind
        of = get_type_hints(kind, include_extras=True)
        flat += [
            inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=of[each.name])
            for each in dataclasses.fields(kind)
        ]

    @functools.wraps(command)
    def called(**given: Any) -> None:
        for name, kind in records.items():
            given[name] = kind(**{each.name: given.pop(each.name) for each in dataclasses.fields(kind)})
        command(**given)

    called.__signature__ = inspect.Signature(flat)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in flat}
    return called


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
