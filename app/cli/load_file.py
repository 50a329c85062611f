"""load file: bring a department's file in."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.cli.common import AsJson, TerritoryName, emit, progress
from app.data_gate import as_counts, bring_in, linking_roles
from core.clock import now
from core.errors import InvalidInput
from core.identity import Actor, system_actor
from core.progress import Progress
from geodata import db
from geodata.exchange_load import slug
from geodata.exchange_understand import Overrides
from geodata.facility_rows import take_over
from geodata.territory import TerritoryInfo, find_territory
from incidents.columns import OPTIONS
from incidents.imported import ImportResult
from incidents.service import import_file
from incidents.service.component_import import import_components
from people import worker_import
from planning import layering
from planning.layer_files import Columns


class Content(StrEnum):
    """What a file can be brought in as."""

    DATASET = "dataset"
    INCIDENTS = "incidents"
    FACILITIES = "facilities"
    COMPONENTS = "components"
    DEMAND = "demand"
    WORKERS = "workers"


class Status(StrEnum):
    """What rows are that do not say their state."""

    CLOSED = "closed"
    FILED = "filed"


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What the command was asked for, whatever the file becomes."""

    file: Path
    name: str
    mapping: str
    dry_run: bool
    whole: bool
    over: Overrides
    columns: Mapping[str, str | None]
    status: Status
    owner: str | None
    sensitivity: str


def _option(role: str, text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(OPTIONS[role], metavar="HEADING", help=text)
    return option


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    groups["load"].command("file")(load_file)


def load_file(
    file: Annotated[Path, typer.Argument(help="A table, workbook, map file, timetable or extract; also packed.")],
    name: Annotated[str, typer.Argument(help="Name of the data set or layer; the file's when left out.")] = "",
    *,
    content: Annotated[Content, typer.Option("--as", help="What the rows are.")] = Content.DATASET,
    mapping: Annotated[str, typer.Option(help="Read the file by this stored mapping.")] = "",
    crs: Annotated[str, typer.Option(help="Coordinate system, e.g. EPSG:4547.")] = "",
    datum: Annotated[str, typer.Option(help="WGS-84, GCJ-02 or BD-09.")] = "",
    swap: Annotated[bool | None, typer.Option("--swap/--no-swap", help="Latitude stands first.")] = None,
    encoding: Annotated[str, typer.Option(help="E.g. gb18030.")] = "",
    delimiter: Annotated[str, typer.Option(help="Between the cells of a table.")] = "",
    layer: Annotated[str, typer.Option(help="Of a file with several; also a sheet.")] = "",
    zone: Annotated[str, typer.Option(help="Time zone of times without one.")] = "",
    key: Annotated[str | None, typer.Option(help="Columns that name a row, with commas; - for the whole row.")] = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="Take rows outside the territory too.")] = False,
    owner: Annotated[str | None, typer.Option(help="Code of the unit whose data it is.")] = None,
    sensitivity: Annotated[str, typer.Option(help="public, internal or restricted.")] = "internal",
    whole: Annotated[bool, typer.Option("--whole", help="Refuse the file when a row breaks a rule.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen and keep nothing.")] = False,
    territory: TerritoryName = None,
    address: Annotated[str, typer.Option(help="Columns that say the place in words, with commas; - for none.")] = "",
    grid_column: Annotated[str, typer.Option(help="Column of codes of unit grids, of any scheme known here.")] = "",
    component_column: Annotated[str, typer.Option(help="Column of identifiers of components.")] = "",
    lon_column: Annotated[str | None, _option("lon", "Longitude in degrees.")] = None,
    lat_column: Annotated[str | None, _option("lat", "Latitude in degrees.")] = None,
    time_column: Annotated[str | None, _option("time", "Time of report.")] = None,
    class_column: Annotated[str | None, _option("class", "Class of the incident.")] = None,
    id_column: Annotated[str | None, _option("id", "Identity in the source; - for none.")] = None,
    status: Annotated[Status, typer.Option(help="State of incidents that do not say theirs.")] = Status.CLOSED,
    as_json: AsJson = False,
) -> None:
    """Bring a file into a territory; loading the same file twice adds nothing."""
    keys = None if key is None else () if key == "-" else tuple(part.strip() for part in key.split(",") if part.strip())
    over = Overrides(
        crs, datum, swap, encoding, delimiter, layer, zone, keys, inside=False if everywhere else None,
        roles=linking_roles(address, grid_column, component_column),
    )  # fmt: skip
    columns = {"lon": lon_column, "lat": lat_column, "time": time_column, "class": class_column, "id": id_column}
    asked = Asked(file, name, mapping, dry_run, whole, over, columns, status, owner, sensitivity)
    with progress() as shown:
        db.ensure_database(shown)
        with _act(territory, file.name) as (session, actor, chosen):
            told = _BRING[content](session, actor, chosen, asked, shown, as_json)
            if dry_run and content is not Content.DATASET:
                session.rollback()
    emit(told, as_json)


@contextlib.contextmanager
def _act(territory: str | None, name: str) -> Iterator[tuple[Session, Actor, TerritoryInfo]]:
    actor, purpose = system_actor(label="command line"), f"load {name}"
    with db.transaction(actor, purpose=purpose) as session:
        chosen = find_territory(session, territory)
        actor = system_actor(chosen.id, label="command line")
        db.as_actor(session, actor, purpose=purpose)
        yield session, actor, chosen


def _data_set(  # noqa: PLR0917  (one form for all kinds)
    session: Session, actor: Actor, territory: TerritoryInfo, asked: Asked, shown: Progress, as_json: bool
) -> dict[str, Any]:
    done = bring_in(
        session, actor, territory, asked.file, key=asked.name or slug(_stem(asked.file)), progress=shown,
        mapping=asked.mapping, over=asked.over, dry_run=asked.dry_run, whole=asked.whole, sensitivity=asked.sensitivity,
        owner_unit_id=_unit(session, actor, asked.owner),
    )  # fmt: skip
    counts = as_counts(done)
    if as_json:
        return counts
    names = (
        "data_set",
        "read",
        "loaded",
        "changed",
        "duplicates",
        "rejected",
        "placed",
        "form",
        "crs",
        "encoding",
        "seconds",
    )
    told = {name: counts[name] for name in names} | {"batch": done.batch_id}
    told |= {
        f"taken for {number}": f"{each.what}: {each.value}: {each.reason}"
        for number, each in enumerate(done.guesses, 1)
    }
    if done.first_wrong:
        told["in quarantine"] = (
            f"row {done.first_wrong['row']}: {done.first_wrong['sentence']} See: gridkeeper quarantine list"
        )
    left = enumerate(done.not_placed[:5], 1)
    told |= {f"on no grid {number}": f"row {each['row']}: {each['why']}" for number, each in left}
    if done.known:
        told["note"] = "This very file was loaded before; nothing was added."
    return told


def _incidents(  # noqa: PLR0917  (one form for all kinds)
    session: Session, actor: Actor, territory: TerritoryInfo, asked: Asked, shown: Progress, as_json: bool
) -> dict[str, Any]:
    done = import_file(
        session, actor, territory, asked.file, named=asked.columns, status=asked.status.value, progress=shown
    )
    return _counts(done) if as_json else _told(done)


def _components(
    session: Session, actor: Actor, territory: TerritoryInfo, asked: Asked, _shown: Progress, _as_json: bool
) -> dict[str, Any]:
    return import_components(session, actor, territory, asked.file, preview=asked.dry_run).as_dict()


def _workers(
    session: Session, actor: Actor, territory: TerritoryInfo, asked: Asked, _shown: Progress, _as_json: bool
) -> dict[str, Any]:
    today = now().astimezone(territory.zone).date()
    bring = worker_import.plan_import if asked.dry_run else worker_import.apply_import
    plan = bring(session, actor, territory.id, asked.file, today=today)
    faults = [f"row {each.row}: {each.en}" for each in plan.faults]
    return {**plan.counts, "rejected": len({each.row for each in plan.faults}), "faults": faults}


def _demand(
    session: Session, actor: Actor, territory: TerritoryInfo, asked: Asked, _shown: Progress, _as_json: bool
) -> dict[str, Any]:
    name, srid = asked.name or _stem(asked.file), _srid(asked.over.crs)
    made = layering.bring(session, actor, territory, "demand", asked.file, name=name, columns=Columns(srid=srid))
    return {"layer": made.name, "revision": made.revision, **made.facts}


def _facilities(  # noqa: PLR0917  (one form for all kinds)
    session: Session, actor: Actor, territory: TerritoryInfo, asked: Asked, shown: Progress, as_json: bool
) -> dict[str, Any]:
    asked = dataclasses.replace(asked, name=asked.name or f"facilities-{slug(_stem(asked.file))}")
    told = _data_set(session, actor, territory, asked, shown, as_json)
    return told | take_over(session, actor, territory, slug(asked.name))


_BRING = {
    Content.DATASET: _data_set,
    Content.INCIDENTS: _incidents,
    Content.FACILITIES: _facilities,
    Content.COMPONENTS: _components,
    Content.DEMAND: _demand,
    Content.WORKERS: _workers,
}


def _unit(session: Session, actor: Actor, code: str | None) -> int | None:
    if code is None:
        return None
    from app.cli.user import places

    _, units = places(session, actor, actor.territory_id or 0)
    if code not in units:
        raise InvalidInput(f"There is no unit {code!r}.", hint=f"Known are {', '.join(units)}.")
    return units[code]


def _srid(crs: str) -> int:
    number = crs.upper().removeprefix("EPSG:") or "4326"
    if not number.isascii() or not number.isdigit():
        raise InvalidInput(f"{crs!r} names no coordinate system here.", hint="Write its number, e.g. EPSG:4547.")
    return int(number)


def _stem(path: Path) -> str:
    return path.name.split(".")[0] or path.name


def _counts(done: ImportResult) -> dict[str, Any]:
    names = ("read", "loaded", "rejected", "duplicates", "placed", "seconds")
    return {name: getattr(done, name) for name in names}


def _told(done: ImportResult) -> dict[str, Any]:
    told = _counts(done) | {"format": done.form, "columns": done.columns}
    if done.reasons:
        told["in quarantine"] = done.reasons
    return told | {f"note {number}": remark for number, remark in enumerate(done.remarks, start=1)}
