"""matrix: travel times between two files of places on a file of streets; needs no database."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from app.cli.common import AsJson, emit, progress
from core.errors import InvalidInput

StreetsOption = Annotated[Path, typer.Option("--streets", help="OpenStreetMap extract, GeoJSON, GeoPackage, CSV.")]
OriginsOption = Annotated[Path, typer.Option("--origins", help="Places: GeoJSON, GeoPackage, CSV with lon and lat.")]
DestinationsOption = Annotated[Path, typer.Option("--destinations", help="Places, as above.")]
OutOption = Annotated[Path, typer.Option("--out", help="Where to write: .npz with od_s, origins, destinations.")]
ModeOption = Annotated[str, typer.Option("--mode", help="walk, cycle or drive.")]
FarOption = Annotated[
    float, typer.Option("--far-m", min=0, help="Metres from a road beyond which a place is told and has no time.")
]


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
    as_json: AsJson = False,
) -> None:
    """Write the seconds from each origin to each destination on streets; infinite where no way leads.

    A place that lies too far from every road is told, counted and has no time; nothing is left out silently.
    """
    from geodata.travel_modes import ALL_MODES

    if mode not in ALL_MODES:
        raise InvalidInput(f"Nobody travels by {mode!r} here.", hint=f"Take one of: {', '.join(ALL_MODES)}.")
    if out.suffix.lower() != ".npz":
        raise InvalidInput(f"{out.name} does not end in .npz.", hint="The matrix is written as a NumPy archive.")
    if not out.parent.is_dir():
        raise InvalidInput(f"There is no folder {out.parent}.", hint="Make it, or name another.")
    from app.matrix_work import street_matrix

    with progress() as shown:
        shown.step("Reading")
        began = time.perf_counter()
        found = street_matrix(streets, origins, destinations, mode, far_m=far_m, out=out, progress=shown)
    emit({**found, "seconds": round(time.perf_counter() - began, 3)}, as_json)
