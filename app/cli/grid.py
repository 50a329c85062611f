"""grid make, grid check: cut a territory into management grids, or a file, and check cells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, TerritoryName, emit, progress
from core.errors import InvalidInput
from core.identity import system_actor
from core.progress import Progress
from geodata import db
from geodata.territory import find_territory
from grids.blocks import OFF_LINE_SHARE, TARGET_M2
from grids.service import make_block_grid, make_grid, make_responsibility_grids

What = Annotated[list[str] | None, typer.Argument(help="'file FILE' takes the cells of a file as they are.")]
Kind = Annotated[
    str | None,
    typer.Option("--kind", help="Shape of the cells: block (along the streets), square, hexagon, h3, voronoi or file."),
]
Repair = Annotated[bool, typer.Option("--repair", help="Mend the cells of a file as 'grid check' says.")]
Size = Annotated[float | None, typer.Option("--size-m", help="Width of a square or hexagon in metres; 100: hectares.")]
TownSize = Annotated[float | None, typer.Option("--town-size-m", help="Width in towns; --size-m holds elsewhere.")]
Target = Annotated[float, typer.Option("--target-m2", help="Area of a block as wished, in m².")]
Resolution = Annotated[int | None, typer.Option("--resolution", help="Of H3 cells; 10 averages 15,048 m².")]
Points = Annotated[Path | None, typer.Option("--points", help="File with the points of Voronoi cells.")]
Replace = Annotated[bool, typer.Option("--replace", help="End the cells there are and make new ones.")]
Boundary = Annotated[Path | None, typer.Option("--boundary", help="File with the boundary: works on files alone.")]
Streets = Annotated[Path | None, typer.Option("--streets", help="File with streets, or an OpenStreetMap extract.")]
OffLine = Annotated[
    float,
    typer.Option("--off-line-share", help="Files: how much of the border may lie on no line, 0 to 1."),
]
StreetsOnly = Annotated[bool, typer.Option("--streets-only", help="Files: a border along a path counts as a cut.")]
Out = Annotated[Path | None, typer.Option("--out", help="File to write cells to: .gpkg, .geojson or .parquet.")]

_TOLD = 30


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    groups["grid"].command("make")(make)
    groups["grid"].command("check")(check)


def make(
    what: What = None,
    *,
    kind: Kind = None,
    size_m: Size = None,
    town_size_m: TownSize = None,
    target_m2: Target = TARGET_M2,
    territory: TerritoryName = None,
    resolution: Resolution = None,
    points: Points = None,
    replace: Replace = False,
    repair: Repair = False,
    boundary: Boundary = None,
    streets: Streets = None,
    out: Out = None,
    off_line_share: OffLine = OFF_LINE_SHARE,
    streets_only: StreetsOnly = False,
    as_json: AsJson = False,
) -> None:
    """Cut the communities of a territory into cells; the same grid again adds nothing. With --out: files alone."""
    kind, file = _wanted(kind, what or [])
    with progress() as shown:
        if file is not None:
            result = _of_file(file, out, territory, boundary, repair=repair, replace=replace, shown=shown)
        elif out is not None:
            from app.cli.grid_files import make_file

            result = make_file(
                kind,
                out,
                boundary=boundary,
                streets=streets,
                size_m=size_m,
                target_m2=target_m2,
                resolution=resolution,
                points=points,
                off_line_share=off_line_share,
                along_paths=not streets_only,
                progress=shown,
            )
        elif kind in {"h3", "voronoi"}:
            raise InvalidInput(
                f"Cells of kind {kind} are cut from file to file.", hint="Say --boundary FILE --out FILE."
            )
        elif boundary is not None or streets is not None:
            raise InvalidInput("Cells made of files are written to a file.", hint="Say --out FILE.")
        else:
            result = _in_territory(kind, size_m, town_size_m, target_m2, territory, replace=replace, shown=shown)
    emit(result, as_json)


def check(
    cells: Annotated[Path, typer.Argument(help="File of polygons.")],
    *,
    streets: Streets = None,
    boundary: Boundary = None,
    street_form: Annotated[
        Path | None,
        typer.Option("--street-form", help="File to write: cells with density, circuity, entropy of streets."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a file of cells: each gap, overlap, sliver and self-intersection with place, area and how it is mended."""
    from app.cli.grid_files import check_file, faults_of_file

    told = faults_of_file(cells, boundary=boundary)  # first: it refuses what could not be compared in a day
    quality = check_file(cells, streets=streets, boundary=boundary)
    facts = quality.as_dict()
    if not as_json:
        facts.pop("faults")
        for each in told[:_TOLD]:
            row = f" of row {', '.join(str(one) for one in each['rows'])}" if each["rows"] else ""
            place = "" if each["lon"] is None else f" at {each['lon']:.6f} {each['lat']:.6f}"
            heir = f" (row {each['heir']})" if each["heir"] else ""
            mend = each["mend"].replace("_", " ")
            typer.echo(f"{each['kind'].replace('_', ' ')}{row}{place}: {each['area_m2']:,.1f} m², {mend}{heir}")
        if len(told) > _TOLD:
            typer.echo(f"… and {len(told) - _TOLD:,} more; --json lists all.")
    else:
        facts["repair"] = told
    if street_form is not None:
        from app.cli.grid_form import street_form_of_file

        facts |= street_form_of_file(cells, streets, street_form)
    emit({"ok": quality.sound, **facts}, as_json)


def _wanted(kind: str | None, words: list[str]) -> tuple[str, Path | None]:
    """Return the kind and the file of cells: ``--kind square``, ``square``, ``file FILE`` or ``--kind file FILE``."""
    first, *rest = [*([kind] if kind else []), *words] or [""]
    if first != "file":
        if not first or rest:
            raise InvalidInput("Say how to cut.", hint="For example --kind block, or file FILE.")
        return first, None
    if len(rest) != 1:
        raise InvalidInput("Name the one file of cells.", hint="gridkeeper grid make file FILE")
    return first, Path(rest[0])


def _of_file(
    file: Path,
    out: Path | None,
    territory: str | None,
    boundary: Path | None,
    *,
    repair: bool,
    replace: bool,
    shown: Progress,
) -> dict[str, Any]:
    """Take the cells of a file: into another file, or in force in a territory."""
    if not file.is_file():
        raise InvalidInput(f"There is no file {file}.", hint="Check the name of the file of cells.")
    if out is not None:
        from app.cli.grid_files import repair_file

        return repair_file(file, out, boundary=boundary, mend=repair)
    from grids.importing import make_file_grid

    actor = system_actor(label="command line")
    db.ensure_database(shown)
    with db.transaction(actor, purpose="make grid") as session:
        chosen = find_territory(session, territory)
        made = make_file_grid(session, actor, chosen, file, mend=repair, replace=replace, progress=shown)
        result = {"territory": chosen.name, "kind": "file", **made.as_dict()}
        if not made.unchanged:
            result["responsibility_grids"] = make_responsibility_grids(session, actor, chosen, progress=shown).grids
    return result


def _in_territory(
    kind: str,
    size_m: float | None,
    town_size_m: float | None,
    target_m2: float,
    territory: str | None,
    *,
    replace: bool,
    shown: Progress,
) -> dict[str, Any]:
    if kind != "block" and size_m is None:
        raise InvalidInput(f"Cells of kind “{kind}” need a width.", hint="Give --size-m, or --kind block.")
    actor = system_actor(label="command line")
    db.ensure_database(shown)
    with db.transaction(actor, purpose="make grid") as session:
        chosen = find_territory(session, territory)
        if kind == "block":
            made = make_block_grid(session, actor, chosen, target_m2=target_m2, progress=shown, replace=replace)
        else:
            made = make_grid(
                session,
                actor,
                chosen,
                kind=kind,
                size_m=float(size_m or 0),
                town_size_m=town_size_m,
                progress=shown,
                replace=replace,
            )
        result = {"territory": chosen.name, "kind": kind, **made.as_dict()}
        if not made.unchanged:
            bound = make_responsibility_grids(session, actor, chosen, progress=shown)
            result["responsibility_grids"] = bound.grids
    return result
