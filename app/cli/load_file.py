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

from app.cli.common import AsJson, TerritoryName, emit, progress, with_records
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


def _option(role: str, text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(OPTIONS[role], metavar="HEADING", help=text)
    return option


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read, against what would be guessed."""

    mapping: Annotated[str, typer.Option(help="Read the file by this stored mapping.")] = ""
    crs: Annotated[str, typer.Option(help="Coordinate system, e.g. EPSG:4547.")] = ""
    datum: Annotated[str, typer.Option(help="WGS-84, GCJ-02 or BD-09.")] = ""
    swap: Annotated[bool | None, typer.Option("--swap/--no-swap", help="Latitude stands first.")] = None
    encoding: Annotated[str, typer.Option(help="E.g. gb18030.")] = ""
    delimiter: Annotated[str, typer.Option(help="Between the cells of a table.")] = ""
    layer: Annotated[str, typer.Option(help="Of a file with several; also a sheet.")] = ""
    zone: Annotated[str, typer.Option(help="Time zone of times without one.")] = ""
    key: Annotated[str | None, typer.Option(help="Columns that name a row, with commas; - for the whole row.")] = None
    everywhere: Annotated[bool, typer.Option("--everywhere", help="Take rows outside the territory too.")] = False
    address: Annotated[str, typer.Option(help="Columns that say the place in words, with commas; - for none.")] = ""
    grid_column: Annotated[str, typer.Option(help="Column of codes of unit grids, of any scheme known here.")] = ""
    component_column: Annotated[str, typer.Option(help="Column of identifiers of components.")] = ""

    def over(self) -> Overrides:
        """Return what was said against what would be guessed, as the gate takes it."""
        key = None if self.key is None else () if self.key == "-" else _parts(self.key)
        return Overrides(
            self.crs, self.datum, self.swap, self.encoding, self.delimiter, self.layer, self.zone, key,
            inside=False if self.everywhere else None,
            roles=linking_roles(self.address, self.grid_column, self.component_column),
        )  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Filing:
    """Whose data they are, and what is kept of them."""

    owner: Annotated[str | None, typer.Option(help="Code of the unit whose data it is.")] = None
    sensitivity: Annotated[str, typer.Option(help="public, internal or restricted.")] = "internal"
    whole: Annotated[bool, typer.Option("--whole", help="Refuse the file when a row breaks a rule.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen and keep nothing.")] = False


@dataclasses.dataclass(frozen=True, slots=True)
class Headings:
    """Which columns of a file of incidents mean what, and their state where they say none."""

    lon_column: Annotated[str | None, _option("lon", "Longitude in degrees.")] = None
    lat_column: Annotated[str | None, _option("lat", "Latitude in degrees.")] = None
    time_column: Annotated[str | None, _option("time", "Time of report.")] = None
    class_column: Annotated[str | None, _option("class", "Class of the incident.")] = None
    id_column: Annotated[str | None, _option("id", "Identity in the source; - for none.")] = None
    status: Annotated[Status, typer.Option(help="State of incidents that do not say theirs.")] = Status.CLOSED

    def named(self) -> dict[str, str | None]:
        """Return the headings by what they mean, None where they are found by their words."""
        return {
            "lon": self.lon_column, "lat": self.lat_column, "time": self.time_column, "class": self.class_column,
            "id": self.id_column,
        }  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What the command was asked for, whatever the file becomes."""

    file: Path
    name: str
    reading: Reading
    filing: Filing
    headings: Headings


@dataclasses.dataclass(frozen=True, slots=True)
class Here:
    """Where the command works, who acts, and how it tells."""

    session: Session
    actor: Actor
    territory: TerritoryInfo
    shown: Progress
    as_json: bool


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    groups["load"].command("file")(load_file)


@with_records
def load_file(
    file: Annotated[Path, typer.Argument(help="A table, workbook, map file, timetable or extract; also packed.")],
    name: Annotated[str, typer.Argument(help="Name of the data set or layer; the file's when left out.")] = "",
    *,
    content: Annotated[Content, typer.Option("--as", help="What the rows are.")] = Content.DATASET,
    reading: Reading,
    filing: Filing,
    headings: Headings,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Bring a file into a territory; loading the same file twice adds nothing."""
    asked = Asked(file, name, reading, filing, headings)
    with progress() as shown:
        db.ensure_database(shown)
        with _act(territory, file.name) as (session, actor, chosen):
            told = _BRING[content](Here(session, actor, chosen, shown, as_json), asked)
            if filing.dry_run and content is not Content.DATASET:
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


def _data_set(here: Here, asked: Asked) -> dict[str, Any]:
    filing = asked.filing
    done = bring_in(
        here.session, here.actor, here.territory, asked.file, key=asked.name or slug(_stem(asked.file)),
        progress=here.shown, mapping=asked.reading.mapping, over=asked.reading.over(), dry_run=filing.dry_run,
        whole=filing.whole, sensitivity=filing.sensitivity, owner_unit_id=_unit(here, filing.owner),
    )  # fmt: skip
    counts = as_counts(done)
    if here.as_json:
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


def _incidents(here: Here, asked: Asked) -> dict[str, Any]:
    headings = asked.headings
    done = import_file(
        here.session, here.actor, here.territory, asked.file, named=headings.named(), status=headings.status.value,
        progress=here.shown,
    )  # fmt: skip
    return _counts(done) if here.as_json else _told(done)


def _components(here: Here, asked: Asked) -> dict[str, Any]:
    done = import_components(here.session, here.actor, here.territory, asked.file, preview=asked.filing.dry_run)
    return done.as_dict()


def _workers(here: Here, asked: Asked) -> dict[str, Any]:
    today = now().astimezone(here.territory.zone).date()
    bring = worker_import.plan_import if asked.filing.dry_run else worker_import.apply_import
    plan = bring(here.session, here.actor, here.territory.id, asked.file, today=today)
    faults = [f"row {each.row}: {each.en}" for each in plan.faults]
    return {**plan.counts, "rejected": len({each.row for each in plan.faults}), "faults": faults}


def _demand(here: Here, asked: Asked) -> dict[str, Any]:
    name, columns = asked.name or _stem(asked.file), Columns(srid=_srid(asked.reading.crs))
    made = layering.bring(here.session, here.actor, here.territory, "demand", asked.file, name=name, columns=columns)
    return {"layer": made.name, "revision": made.revision, **made.facts}


def _facilities(here: Here, asked: Asked) -> dict[str, Any]:
    asked = dataclasses.replace(asked, name=asked.name or f"facilities-{slug(_stem(asked.file))}")
    return _data_set(here, asked) | take_over(here.session, here.actor, here.territory, slug(asked.name))


_BRING = {
    Content.DATASET: _data_set,
    Content.INCIDENTS: _incidents,
    Content.FACILITIES: _facilities,
    Content.COMPONENTS: _components,
    Content.DEMAND: _demand,
    Content.WORKERS: _workers,
}


def _unit(here: Here, code: str | None) -> int | None:
    if code is None:
        return None
    from app.cli.user import places

    _, units = places(here.session, here.actor, here.actor.territory_id or 0)
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


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
