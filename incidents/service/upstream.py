"""Use cases of another system's reports, such as those of the hotline 12345: in, answered, compared."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from core.clock import aware, now
from core.errors import InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from core.progress import Progress, Silent
from geodata.db import name_act
from geodata.files import read_table
from geodata.places import find_places
from geodata.tables import Incident, UpstreamAnswer
from geodata.territory import TerritoryInfo
from incidents.classes import find_class
from incidents.service.catalogue import read_catalogue, seed_catalogue
from incidents.service.reporting import take_in
from incidents.store import loading
from incidents.store import upstream as store
from incidents.suggest import suggest_classes
from incidents.upstream import (
    SYSTEM,
    Answer,
    Known,
    Reconciliation,
    UpstreamRow,
    choose,
    place_names,
    read_rows,
    reconcile,
)
from incidents.work import NewReport

BATCHES_SHOWN = 12
AHEAD = dt.timedelta(minutes=10)
READERS = frozenset({Role.SYSTEM, Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR})
WRITERS = frozenset({Role.SYSTEM, Role.SUPERVISOR})


@dataclass(frozen=True, slots=True)
class UpstreamImport:
    """What came of a file: ``read`` = ``loaded`` + ``known`` + ``rejected``.

    Attributes
    ----------
    known
        Numbers that were here before; what the file says of their state is kept for the comparison.
    emergencies
        Loaded ones that wait to be handed over.
    columns
        Role to the heading it was read from.
    reasons
        Why rows were rejected, with how many.
    """

    read: int
    loaded: int
    known: int
    rejected: int
    emergencies: int
    columns: Mapping[str, str]
    reasons: Mapping[str, int]

    def as_dict(self) -> dict[str, object]:
        """Return what a script is told."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class WriteBack:
    """What the other system is told; ``batch`` 0 when nothing has changed since the last time."""

    batch: int
    rows: tuple[tuple[str, Answer], ...]


def import_upstream(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    path: Path,
    *,
    name: str = "",
    named: Mapping[str, str | None] | None = None,
    system: str = SYSTEM,
    progress: Progress | None = None,
    moment: dt.datetime | None = None,
) -> UpstreamImport:
    """Bring the file of another system in: each number becomes one incident, once; persons are sealed.

    What cannot be taken in is kept by its number with the reason; in a later file it is tried anew.

    Parameters
    ----------
    name
        Of the file as the user knows it.
    named
        Role of `incidents.upstream.HEADINGS` to the heading that plays it; others are found.

    Raises
    ------
    InvalidInput
        When the file as a whole cannot be used. Nothing is written then.
    NotPermitted
        For who loads no data or takes no reports.
    """
    require(actor, May.LOAD_DATA)
    require(actor, May.REPORT_INCIDENTS)
    at = now() if moment is None else aware(moment)
    progress = progress or Silent()
    table = read_table(path)
    shown = name or path.name
    columns = choose(list(table.columns), named or {}, file=shown)
    rows = read_rows(table, columns, territory.zone)
    if not loading.has_grids(session, territory.id):
        raise InvalidInput(
            f"{territory.title_en} has no unit grids yet, so nothing can be placed.",
            hint="Make them first.",
            zh="尚未划分单元网格，无法导入。",
        )
    seed_catalogue(session, actor, territory)
    name_act(session, purpose=f"import {system}", command_id=None)
    store.lock(session, territory.id)
    known = store.here(session, territory.id, system, [row.ref for row in rows])
    taker = _Taker(session, actor, territory, system=system, at=at)
    progress.step("Taking reports in", len(rows))
    kept, reasons = [], Counter[str]()
    for row in rows:
        problem, incident_id = row.problem, known.get(row.ref)
        if not problem and incident_id is None:
            problem, incident_id = taker.take(row)
        if incident_id is None:
            reasons[problem] += 1
        if row.ref:
            kept.append(_item(territory.id, system, row, incident_id, problem) | {"file_name": shown, "seen_at": at})
        progress.advance()
    store.keep_items(session, kept)
    rejected = sum(reasons.values())
    loaded = len(rows) - rejected - sum(row.ref in known for row in rows)
    return UpstreamImport(
        len(rows), loaded, len(rows) - loaded - rejected, rejected, taker.emergencies, columns, dict(reasons)
    )


def write_back(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    *,
    batch: int | None = None,
    system: str = SYSTEM,
) -> WriteBack:
    """Return what the other system has to be told: all that differs from what it was told last, as a new batch.

    Each change is in one batch only. A batch can be asked for again by its number, and is the same then.

    Raises
    ------
    NotFound
        When there is no such batch.
    """
    _only(actor, WRITERS)
    if batch is not None:
        rows = store.batch(session, territory.id, system, batch)
        if not rows:
            raise NotFound(
                f"There is no batch {batch}.", hint="Leave it out for what is new.", zh=f"没有第 {batch} 批。"
            )
        return WriteBack(batch, tuple(rows))
    store.lock(session, territory.id)
    found = store.untold(session, territory.id, system, territory.zone)
    if not found:
        return WriteBack(0, ())
    number = store.last_batch(session, territory.id, system) + 1
    name_act(session, purpose=f"write back {system}", command_id=None)
    make = partial(UpstreamAnswer, territory_id=territory.id, system=system, batch=number, written_by=actor.user_id)
    store.add_answers(
        session,
        (
            make(incident_id=incident_id, ref=ref, digest=answer.digest(), content=asdict(answer))
            for incident_id, ref, answer in found
        ),
    )
    return WriteBack(number, tuple((ref, answer) for _, ref, answer in found))


def batches(
    session: Session, actor: Actor, territory: TerritoryInfo, system: str = SYSTEM
) -> list[tuple[int, dt.datetime, int]]:
    """Return number, time and rows of the newest batches."""
    _only(actor, READERS)
    return store.batches(session, territory.id, system, BATCHES_SHOWN)


def waiting_to_tell(session: Session, actor: Actor, territory: TerritoryInfo, system: str = SYSTEM) -> int:
    """Return how many changes the other system was not told of yet."""
    _only(actor, READERS)
    return len(store.untold(session, territory.id, system, territory.zone))


def compare(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    path: Path | None = None,
    *,
    named: Mapping[str, str | None] | None = None,
    system: str = SYSTEM,
    moment: dt.datetime | None = None,
) -> Reconciliation:
    """Return what differs between the other system and us; nothing is written.

    Parameters
    ----------
    path
        A file of the other system that is complete for its days; without one the files brought in so far count,
        the last of them as complete for its days.
    """
    _only(actor, READERS)
    at = now() if moment is None else aware(moment)
    ours = store.ours(session, territory.id, system)
    if path is not None:
        table = read_table(path)
        rows = read_rows(table, choose(list(table.columns), named or {}, file=path.name), territory.zone)
        known = [Known(row.ref, row.state, row.reported_at, row.due_at, row.problem) for row in rows if row.ref]
        return reconcile(known, ours, at)
    told = store.items(session, territory.id, system)
    newest = max((seen for _, _, seen in told), default=None)
    last = {known.ref for known, _, seen in told if seen == newest}
    found = reconcile([known for known, _, _ in told], ours, at)
    days = [known.reported_at for known, _, seen in told if seen == newest and known.reported_at is not None]
    gone = [each for each in ours if days and min(days) <= each.reported_at <= max(days) and each.ref not in last]
    unknown = reconcile([], gone, at, period=days).unknown
    return replace(found, unknown=unknown)


def as_lines(found: Reconciliation) -> Iterator[dict[str, object]]:
    """Yield the lines of a comparison for a script: which list, and the fields."""
    for name in found.__slots__:
        for each in getattr(found, name):
            yield {"list": name, **asdict(each)}


class _Taker:
    """Takes rows in one by one; places and classes that were found once are not looked for again."""

    def __init__(
        self, session: Session, actor: Actor, territory: TerritoryInfo, *, system: str, at: dt.datetime
    ) -> None:
        self._session, self._actor, self._territory = session, actor, territory
        self._catalogue, self._system, self._at = read_catalogue(session, territory), system, at
        self._places: dict[str, tuple[float, float] | None] = {}
        self.emergencies = 0

    def take(self, row: UpstreamRow) -> tuple[str, int | None]:
        """Return why a row cannot be taken in, or the incident it became."""
        if row.reported_at is None or row.reported_at > self._at + AHEAD:
            return "future", None
        class_key = self._class(row)
        if class_key is None:
            return "unknown_class", None
        point = row.point or self._place(row.place)
        if point is None:
            return "no_position", None
        new = NewReport(
            class_key,
            *point,
            place=row.place,
            text=row.text,
            reporter=row.reporter,
            phone=row.phone,
            source="hotline",
            reported_at=min(row.reported_at, self._at),
            source_system=self._system,
            external_ref=row.ref,
        )
        try:
            with self._session.begin_nested():
                done = take_in(self._session, self._actor, new, self._at, catalogue=self._catalogue)
        except InvalidInput:
            return "outside", None
        self.emergencies += self._session.get_one(Incident, done.incident_id).emergency
        return "", done.incident_id

    def _class(self, row: UpstreamRow) -> str | None:
        """Return the class of the label, else the likeliest one of label and text; None when nothing fits."""
        spec = find_class(row.label) if row.label else None
        if spec is not None and spec.key in self._catalogue.classes:
            return spec.key
        found = suggest_classes(f"{row.label}\n{row.text}", self._catalogue.classes)
        return found[0].class_key if found else None

    def _place(self, address: str) -> tuple[float, float] | None:
        if address not in self._places:
            self._places[address] = next(filter(None, map(self._find, place_names(address))), None)
        return self._places[address]

    def _find(self, name: str) -> tuple[float, float] | None:
        found = find_places(self._session, self._territory.id, name)
        return (found[0].lon, found[0].lat) if found and not found[0].guessed else None


def _item(territory_id: int, system: str, row: UpstreamRow, incident_id: int | None, problem: str) -> dict[str, object]:
    return {
        "territory_id": territory_id,
        "system": system,
        "ref": row.ref,
        "incident_id": incident_id,
        "state": row.state,
        "reported_at": row.reported_at,
        "due_at": row.due_at,
        "reason": problem,
    }


def _only(actor: Actor, roles: frozenset[Role]) -> None:
    if actor.role not in roles:
        raise NotPermitted("What another system is told is for supervisors.", zh="与上级系统的对接属于监督员。")
