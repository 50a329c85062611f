"""access: who reaches a facility in time, on the territory or on a matrix of one's own."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from app.cli.common import AsJson, TerritoryName, emit, progress
from core.errors import InvalidInput
from core.identity import system_actor
from geodata.network import Mode
from planning.access_model import BASKET, AccessQuestion
from planning.layer_model import Growth

FacilityOption = Annotated[
    list[str] | None,
    typer.Option("--facility", help="Kind of facility, e.g. clinic; several make a basket, 'basket' the usual one."),
]
ModeOption = Annotated[str, typer.Option("--mode", help="How people come: walk or drive.")]
MinutesOption = Annotated[float, typer.Option("--minutes", help="Minutes that count as near.")]
StudyOption = Annotated[int | None, typer.Option("--study", help="Compare with the sites of this study.")]
DemandOption = Annotated[str | None, typer.Option("--demand", help="Layer of people in place of the map's.")]
GrowthOption = Annotated[
    str,
    typer.Option("--growth", help="An assumption: per cent a year and years, e.g. 1.5x10 for 1.5 % over ten years."),
]
MatrixOption = Annotated[
    Path | None, typer.Option("--matrix", help="Archive with od_s (places, facilities), weight, supply; no database.")
]
HourOption = Annotated[
    int | None,
    typer.Option("--hour", min=0, max=23, help="Cars go as measured on weekdays at this hour; else as roads allow."),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="GeoPackage or CSV to write, by the ending of its name.")]


def register(app: typer.Typer, _groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    app.command("access")(access)


def access(
    *,
    facility: FacilityOption = None,
    mode: ModeOption = "walk",
    minutes: MinutesOption = 15.0,
    study: StudyOption = None,
    demand: DemandOption = None,
    growth: GrowthOption = "0x0",
    hour: HourOption = None,
    matrix: MatrixOption = None,
    out: OutOption = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Say who reaches a facility in time, who does not and where, and how evenly it is shared.

    Whom no way leads to one is counted by itself and never left out.
    """
    if matrix is not None:
        if hour is not None:
            raise InvalidInput("Speeds of an hour have no say in a matrix.", hint="Leave --hour or --matrix out.")
        _on_matrix(matrix, minutes, out, as_json=as_json)
        return
    if not facility:
        raise InvalidInput("No kind of facility is named.", hint="For example --facility clinic, or --matrix FILE.npz.")
    kinds = BASKET if facility == ["basket"] else tuple(facility)
    question = AccessQuestion(kinds, cast("Mode", mode), minutes, study, growth=_growth(growth), hour=hour)
    if out is not None:
        _check_out(out)
    emit(_on_territory(question, demand, territory, out), as_json)


def _growth(said: str) -> Growth:
    per_cent, _, years = said.partition("x")
    try:
        return Growth(float(per_cent), int(years))
    except ValueError:
        raise InvalidInput(f"{said!r} is no growth.", hint="Write per cent a year and years, e.g. 1.5x10.") from None


def _on_territory(
    question: AccessQuestion, demand: str | None, territory: str | None, out: Path | None
) -> dict[str, Any]:
    from app.access_files import write_file
    from app.access_work import answer_access
    from geodata import db
    from geodata.territory import communities, find_territory
    from planning import accessing, layering

    actor = system_actor(label="command line")
    began = time.perf_counter()
    with progress() as shown:
        db.ensure_database(shown)
        with db.transaction(actor, purpose="ask access") as session:
            chosen = find_territory(session, territory)
            if demand is not None:
                layer = layering.find(session, actor, chosen, "demand", demand)
                question = dataclasses.replace(question, demand_id=layer.id)
            row = accessing.ask(session, actor, chosen, question, queue=False)
        if row.state != "answered":
            answer_access(actor, row.id, shown)
        with db.transaction(actor) as session:
            row = accessing.get(session, actor, row.id)
            names = communities(session, chosen.id).set_index("id")["name"].to_dict()
            if out is not None:
                shown.step("Writing")
                write_file(session, actor, chosen, row, out)
    facts = row.facts
    return {
        "territory": chosen.name,
        "facility": list(question.kinds),
        "mode": question.mode,
        "limit_min": question.limit_min,
        "hour": question.hour,
        "facilities": facts["facilities"],
        "share": facts["now"]["within"] / facts["now"]["people"],
        **facts["now"],
        "then": facts["then"],
        "allowed": facts.get("allowed"),
        "demand": facts.get("demand"),
        "groups": facts.get("groups"),
        "communities": [{"name": names.get(each["id"], ""), **each} for each in facts["communities"]],
        "out": None if out is None else str(out),
        "seconds": round(time.perf_counter() - began, 2),
    }


def _on_matrix(path: Path, minutes: float, out: Path | None, *, as_json: bool) -> None:
    from planning.access_files import read_access_file
    from planning.reach import by_matrix

    if out is not None:
        raise InvalidInput("A matrix has no places to draw.", hint="Leave --out away; --json tells all.")
    AccessQuestion(("clinic",), limit_min=minutes)
    began = time.perf_counter()
    file = read_access_file(path)
    found = by_matrix(file.od_s, file.weight, file.supply, minutes * 60)
    emit(
        {"matrix": str(path), "limit_min": minutes, **found, "seconds": round(time.perf_counter() - began, 3)}, as_json
    )


def _check_out(out: Path) -> None:
    if out.suffix.lower() not in {".gpkg", ".csv"}:
        raise InvalidInput(f"{out.name} ends neither in .gpkg nor in .csv.", hint="Name a GeoPackage or a CSV file.")
    if not out.parent.is_dir():
        raise InvalidInput(f"There is no folder {out.parent}.", hint="Make it, or name another.")
