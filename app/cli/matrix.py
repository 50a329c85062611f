"""matrix: travel times between two files of places on a file of streets; needs no database."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from app.cli.common import AsJson, emit, progress
from core.errors import InvalidInput

if TYPE_CHECKING:
    from geodata.travel_modes import Mode

StreetsOption = Annotated[Path, typer.Option("--streets", help="OpenStreetMap extract, GeoJSON, GeoPackage, CSV.")]
OriginsOption = Annotated[Path, typer.Option("--origins", help="Places: GeoJSON, GeoPackage, CSV with lon and lat.")]
DestinationsOption = Annotated[Path, typer.Option("--destinations", help="Places, as above.")]
OutOption = Annotated[Path, typer.Option("--out", help="Where to write: .npz with od_s, origins, destinations.")]
ModeOption = Annotated[str, typer.Option("--mode", help="walk, cycle, drive, or transit (on foot and by timetable).")]
GtfsOption = Annotated[
    list[Path] | None, typer.Option("--gtfs", help="Timetables for transit: a GTFS feed, .zip or folder; repeat.")
]
DayOption = Annotated[str | None, typer.Option("--date", help="Day of the timetable, e.g. 2026-11-25.")]
DepartureOption = Annotated[str, typer.Option("--departure", help="When people set out, HH:MM.")]
WindowOption = Annotated[
    int,
    typer.Option("--window", min=0, max=720, help="Minutes after it in which they set out too; the median counts."),
]
EveryOption = Annotated[int, typer.Option("--every", min=1, max=60, help="Minutes from one departure to the next.")]
SpeedsOption = Annotated[
    Path | None,
    typer.Option("--speeds", help="CSV of measured speeds: time, speed_kmh, and lon with lat or street; heading too."),
]
HourOption = Annotated[
    int | None, typer.Option("--hour", min=0, max=23, help="Only speeds of weekdays at this hour, as written there.")
]
FarOption = Annotated[
    float, typer.Option("--far-m", min=0, help="Metres from a road beyond which a place is told and has no time.")
]


TRANSIT = "transit"


def register(app: typer.Typer, _groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    app.command("matrix")(matrix)


def matrix(
    *,
    streets: StreetsOption,
    origins: OriginsOption,
    destinations: DestinationsOption,
    out: OutOption,
    mode: ModeOption = "walk",
    far_m: FarOption = 1000.0,
    gtfs: GtfsOption = None,
    date: DayOption = None,
    departure: DepartureOption = "08:00",
    window: WindowOption = 0,
    every: EveryOption = 10,
    speeds: SpeedsOption = None,
    hour: HourOption = None,
    as_json: AsJson = False,
) -> None:
    """Write the seconds from each origin to each destination on streets; infinite where no way leads.

    A place that lies too far from every road is told, counted and has no time; nothing is left out silently.
    """
    from geodata.travel_modes import ALL_MODES

    if mode not in {*ALL_MODES, TRANSIT}:
        raise InvalidInput(
            f"Nobody travels by {mode!r} here.", hint=f"Take one of: {', '.join([*ALL_MODES, TRANSIT])}."
        )
    if out.suffix.lower() != ".npz":
        raise InvalidInput(f"{out.name} does not end in .npz.", hint="The matrix is written as a NumPy archive.")
    if not out.parent.is_dir():
        raise InvalidInput(f"There is no folder {out.parent}.", hint="Make it, or name another.")
    if speeds is not None and mode != "drive":
        raise InvalidInput("Speeds of cars have a say only where people drive.", hint="Add --mode drive.")
    if hour is not None and speeds is None:
        raise InvalidInput("It is not said which speeds were measured at that hour.", hint="Add --speeds FILE.csv")
    from app.cli.traffic import text_of
    from app.matrix_speeds import SpeedFile
    from app.matrix_work import Transit, street_matrix

    transit = None
    if mode == TRANSIT:
        begins = _minutes(departure)
        at = tuple(60.0 * (begins + more) for more in range(0, window + 1, every))
        transit = Transit(_feeds(gtfs), _day(date), at)
    elif gtfs:
        raise InvalidInput(f"A timetable has no say when people {mode}.", hint="Add --mode transit.")
    way = cast("Mode", "walk" if mode == TRANSIT else mode)
    with progress() as shown:
        shown.step("Reading")
        began = time.perf_counter()
        found = street_matrix(
            streets,
            origins,
            destinations,
            way,
            far_m=far_m,
            out=out,
            progress=shown,
            transit=transit,
            speeds=None if speeds is None else SpeedFile(speeds.name, text_of(speeds), hour),
        )
    emit({**found, "seconds": round(time.perf_counter() - began, 3)}, as_json)


def _feeds(said: list[Path] | None) -> tuple[Path, ...]:
    if not said:
        raise InvalidInput("No timetable is given.", hint="Give a GTFS feed: --gtfs FEED.zip")
    return tuple(said)


def _day(said: str | None) -> dt.date:
    try:
        return dt.date.fromisoformat(said or "")
    except ValueError:
        told = "It is not said for which day." if said is None else f"{said!r} is no day."
        raise InvalidInput(told, hint="Write it as --date 2026-11-25, a day of the timetable.") from None


def _minutes(said: str) -> int:
    try:
        at = dt.time.fromisoformat(said)
    except ValueError:
        raise InvalidInput(f"{said!r} is no time of day.", hint="Write it as --departure 08:00.") from None
    return at.hour * 60 + at.minute
