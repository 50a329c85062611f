"""Use cases of quarantine: what waits and why, mended rows brought in again, rows dropped, rows for a spreadsheet."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import shapely
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound
from core.identity import Actor, May, require
from core.progress import Silent
from core.settings import settings
from geodata import exchange_store as store
from geodata.db import system_rights
from geodata.exchange import Chunk, Role, Spec
from geodata.exchange_into import Coming, into_of
from geodata.exchange_load import fields_of, owned
from geodata.exchange_open import opened
from geodata.exchange_run import GEOMETRY, WGS84, Place, Run
from geodata.exchange_understand import ground_of
from geodata.tables import DataSet, QuarantinedRow
from geodata.territory import TerritoryInfo

NUMBER: Final = "_quarantine"
PROBLEM: Final = "_problem"
REPAIR: Final = "_repair"
MOST_ROWS: Final = 100_000
_DIGITS: Final = 18
SEVERAL: Final = "; "
"""Between the places that an address or a code may mean."""
CHOSEN: Final = ("address", "code")
"""Rules whose repair is a place that a person has to look at."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula; in Chinese and Japanese the wide signs too."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many rows of one batch wait."""

    data_set: str
    data_set_id: int
    batch_id: int
    file_name: str
    rows: int
    key: str
    until: dt.date
    """Then what still waits is forgotten."""


@dataclass(frozen=True, slots=True)
class QuarantinedView:
    """A row that waits: its cells as read, and everything that is wrong with it."""

    id: int
    data_set_id: int
    batch_id: int
    row_number: int
    raw: Mapping[str, str]
    violations: Sequence[Mapping[str, str]]
    state: str
    version: int


@dataclass(frozen=True, slots=True)
class Retried:
    """What came of rows that were brought again: how many are in, how many still wait."""

    tried: int
    fixed: int
    left: int
    batches: tuple[int, ...]


def waiting(session: Session, actor: Actor, territory_id: int) -> list[Waiting]:
    """Return what waits by batch, the newest first."""
    require(actor, May.BRING_DATA)
    made = []
    for set_id, batch_id, count in store.quarantine_counts(session, territory_id):
        data_set, batch = session.get(DataSet, set_id), store.find_batch(session, batch_id)
        if data_set is not None and batch is not None:
            until = (batch.started_at + dt.timedelta(days=settings().keep_quarantine_days)).date()
            title = data_set.title or data_set.key
            made.append(Waiting(title, set_id, batch_id, batch.file_name, count, data_set.key, until))
    return made


def list_rows(
    session: Session, actor: Actor, territory_id: int, *, data_set: str = "", batch_id: int | None = None,
    state: str = "open", limit: int = 1000, after: int = 0,
) -> list[QuarantinedView]:  # fmt: skip
    """Return rows in quarantine by number; of one data set or batch where said."""
    require(actor, May.BRING_DATA)
    set_id = None
    if data_set:
        found = store.find_data_set(session, territory_id, data_set)
        if found is None:
            known = ", ".join(each.key for each in store.data_sets(session, territory_id)) or "none"
            raise NotFound(
                f"There is no data set {data_set!r}.", hint=f"There is {known}.", zh=f"没有数据集 {data_set}。"
            )
        set_id = found.id
    rows = store.quarantined(
        session, territory_id, data_set_id=set_id, batch_id=batch_id, state=state, limit=limit, after=after
    )
    return [_view(each) for each in rows]


def headings_of(session: Session, rows: Sequence[QuarantinedView]) -> list[str]:
    """Return the headings of rows in the order of the file they came in."""
    order: dict[str, None] = {}
    for batch_id in dict.fromkeys(each.batch_id for each in rows):
        batch = store.find_batch(session, batch_id)
        stored = store.mapping_of(session, batch.mapping_id) if batch is not None and batch.mapping_id else None
        if stored is not None:
            order.update(dict.fromkeys(each.heading for each in Spec.of(stored.spec).fields))
    there = dict.fromkeys(heading for each in rows for heading in each.raw)
    return [each for each in order if each in there] + [each for each in there if each not in order]


def suggested(row: QuarantinedView) -> dict[str, str]:
    """Return the cells of a row that change when every suggestion for it is taken; a mended shape in WGS 84.

    Of several places that an address or a code may mean none is taken: that is for a person to say.
    """
    made: dict[str, str] = {}
    for one in row.violations:
        field, repair = str(one.get("field", "")), str(one.get("repair", ""))
        if not repair or (one.get("rule") in CHOSEN and SEVERAL in repair):
            continue
        names, cells = field.split("+"), repair.split(", ")
        if one.get("rule") == "shape":
            made[WGS84] = repair
        elif field in row.raw:
            made[field] = repair
        elif len(names) == len(cells) and all(each in row.raw for each in names):
            made |= dict(zip(names, cells, strict=True))
    return {heading: cell for heading, cell in made.items() if cell != row.raw.get(heading)}


def mendable(row: QuarantinedView) -> bool:
    """Return whether there is a suggestion for everything that is wrong with a row; a place is never one of many."""
    sure = all(one.get("repair") and one.get("rule") not in CHOSEN for one in row.violations)
    return bool(row.violations) and sure and bool(suggested(row))


def as_csv(rows: Sequence[QuarantinedView], headings: Sequence[str]) -> str:
    """Return rows in quarantine for a spreadsheet: number, what is wrong, what could stand there, and the cells.

    A cell that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([NUMBER, PROBLEM, REPAIR, *map(_harmless, headings)])
    for each in rows:
        problem = " ".join(str(one["sentence"]) for one in each.violations)
        repair = "; ".join(f"{one['field']}: {one['repair']}" for one in each.violations if one.get("repair"))
        cells = [_harmless(str(each.raw.get(heading, ""))) for heading in headings]
        writer.writerow([each.id, _harmless(problem), _harmless(repair), *cells])
    return out.getvalue()


def retry(
    session: Session, actor: Actor, territory: TerritoryInfo, mended: Mapping[int, Mapping[str, str]], *, place: Place
) -> Retried:
    """Bring rows out of quarantine in again, as they stand or as they were mended.

    Parameters
    ----------
    mended
        Number in quarantine to the cells that were changed (heading to text); empty for a row as it stands.
    """
    require(actor, May.BRING_DATA)
    rows = [each for each in _rows(session, territory.id, list(mended)) if each.state == "open"]
    fixed, batches = 0, []
    for batch_id in sorted({each.batch_id for each in rows}):
        some = [each for each in rows if each.batch_id == batch_id]
        for plain_rows in (True, False):
            part = [each for each in some if (WGS84 not in {**each.raw, **mended[each.id]}) is plain_rows]
            if part:
                done, made = _again(session, actor, territory, _Piece(batch_id, part, mended, place))
                fixed += done
                batches += [made] if made else []
    return Retried(len(rows), fixed, len(rows) - fixed, tuple(batches))


def retry_file(session: Session, actor: Actor, territory: TerritoryInfo, path: Path, *, place: Place) -> Retried:
    """Bring rows in again from a file that `as_csv` wrote and somebody mended.

    Raises
    ------
    InvalidInput
        When the file has no column of numbers in quarantine.
    """
    require(actor, May.BRING_DATA)
    mended: dict[int, dict[str, str]] = {}
    with opened(path) as source:
        if NUMBER not in source.layout.headings:
            raise InvalidInput(
                f"{path.name} has no column {NUMBER}, which says which rows are mended.",
                hint="Export the rows from quarantine, mend them in that file, and bring the file back.",
                zh=f"{path.name} 缺少 {NUMBER} 列。请先从隔离区导出，在该文件中修改后再上传。",
            )
        for chunk in source.chunks():
            columns = {name: cells.to_pylist() for name, cells in chunk.columns.items()}
            for place_, number in enumerate(columns[NUMBER]):
                if number and number.strip().isdecimal() and len(number.strip()) <= _DIGITS:
                    mended[int(number)] = {
                        _as_typed(name): _as_typed(cells[place_] or "")
                        for name, cells in columns.items()
                        if name not in {NUMBER, PROBLEM, REPAIR}
                    }
    if len(mended) > MOST_ROWS:
        raise InvalidInput(f"{path.name} brings {len(mended):,} rows; at most {MOST_ROWS:,} at once.")
    return retry(session, actor, territory, mended, place=place)


def drop(
    session: Session, actor: Actor, territory_id: int, ids: Sequence[int], *, versions: Mapping[int, int] | None = None
) -> int:
    """Decide that rows are not brought in; return how many.

    Raises
    ------
    Conflict
        When somebody settled one of them meanwhile.
    """
    require(actor, May.BRING_DATA)
    rows = _rows(session, territory_id, ids)
    for each in rows:
        if each.state != "open" or (versions is not None and versions.get(each.id, each.version) != each.version):
            raise Conflict(f"Row {each.row_number} was settled meanwhile.", zh=f"第 {each.row_number} 行已被他人处理。")
    return store.settle(
        session, [each.id for each in rows], {"state": "dropped", "changed_by": actor.user_id, "changed_at": now()}
    )


def _rows(session: Session, territory_id: int, ids: Sequence[int]) -> list[QuarantinedRow]:
    found = store.quarantined_by_id(session, territory_id, ids)
    missing = sorted(set(ids) - {each.id for each in found})
    if missing:
        raise NotFound(
            f"Row {missing[0]} is not in quarantine, or not yours to mend.",
            zh=f"隔离区中没有第 {missing[0]} 号，或无权处理。",
        )
    return found


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows of one batch that are brought in again, the cells that were changed of each, and what places them."""

    batch_id: int
    rows: Sequence[QuarantinedRow]
    mended: Mapping[int, Mapping[str, str]]
    place: Place


def _again(session: Session, actor: Actor, territory: TerritoryInfo, piece: _Piece) -> tuple[int, int | None]:
    """Bring rows of one batch in; return how many went, and the batch they made."""
    batch_id, rows = piece.batch_id, piece.rows
    batch = store.find_batch(session, batch_id)
    data_set = session.get(DataSet, rows[0].data_set_id, with_for_update=True)
    if batch is None or data_set is None or batch.mapping_id is None:
        raise NotFound(f"There is no batch {batch_id}.")
    owned(actor, data_set)
    stored = store.mapping_of(session, batch.mapping_id)
    if stored is None:
        raise NotFound(f"The mapping of batch {batch_id} is gone.")
    spec = replace(Spec.of(stored.spec), rules=tuple(data_set.rules))
    cells = {each.id: dict(each.raw) | dict(piece.mended.get(each.id, {})) for each in rows}
    spec, chunk = _chunk(spec, rows, cells)
    moment, made_id = now(), store.next_batch_id(session)
    into = into_of(session, Coming(territory, data_set, spec, made_id, moment, piece.place))
    run = Run(session, spec, ground_of(session, territory), batch.file_name, into)
    try:
        with system_rights(session, actor):
            run.write([chunk], Silent())
            bad = {number: wrong for number, _, wrong in run.bad()}
            good = [each.id for each in rows if each.row_number not in bad]
            for each in rows:
                wrong = bad.get(each.row_number)
                if wrong is not None and (cells[each.id] != each.raw or wrong != each.violations):
                    values = {"raw": cells[each.id], "violations": wrong}
                    store.settle(session, [each.id], values | {"changed_by": actor.user_id, "changed_at": moment})
            if not good:
                return 0, None
            gates = replace(spec, fields=tuple(each for each in spec.fields if each.role is Role.MADE))
            fields = fields_of(gates, tuple(data_set.fields), linked=bool(into.linker and into.linker.placed))
            if fields != data_set.fields:
                data_set.fields, data_set.version = fields, data_set.version + 1
            counts = run.counts
            store.add_batch(session, {
                "id": made_id, "territory_id": territory.id, "data_set_id": data_set.id, "file_name": batch.file_name,
                "sha256": batch.sha256, "mapping_id": batch.mapping_id, "retry_of": batch.id, "read": counts.read,
                "loaded": counts.loaded, "changed": counts.changed, "duplicates": counts.duplicates, "rejected": 0,
                "placed": counts.placed, "rows_sha256": counts.hashes.digest(), "format": batch.format,
                "crs": batch.crs, "encoding": batch.encoding, "guesses": [], "scores": {}, "status": "loaded",
                "loaded_by": actor.user_id, "loaded_label": actor.label, "started_at": moment, "ended_at": now(),
            })  # fmt: skip
            store.settle(
                session, good,
                {"state": "fixed", "fixed_batch_id": made_id, "changed_by": actor.user_id, "changed_at": moment},
            )  # fmt: skip
        return len(good), made_id
    finally:
        run.close()


def _chunk(spec: Spec, rows: Sequence[QuarantinedRow], cells: Mapping[int, Mapping[str, str]]) -> tuple[Spec, Chunk]:
    """Return rows of quarantine as a chunk of a file, numbered as in the file they came in."""
    numbers = np.array([each.row_number for each in rows], dtype=np.int64)
    headings = [each.heading for each in spec.fields]
    columns = {
        heading: pa.array([cells[each.id].get(heading) or None for each in rows], pa.string()) for heading in headings
    }
    shape_cell = WGS84 if any(WGS84 in cells[each.id] for each in rows) else GEOMETRY
    shapes = None
    if shape_cell == WGS84:
        spec = replace(spec, places="own", crs="EPSG:4326", datum="WGS-84", swapped=False)
    if spec.places == "own":
        texts = [cells[each.id].get(shape_cell) or None for each in rows]
        shapes = shapely.from_wkt(np.array(texts, dtype=object), on_invalid="ignore")
    return spec, Chunk(1, columns, shapes, numbers)


def _view(row: QuarantinedRow) -> QuarantinedView:
    return QuarantinedView(
        row.id,
        row.data_set_id,
        row.batch_id,
        row.row_number,
        dict(row.raw),
        list(row.violations),
        row.state,
        row.version,
    )


def _harmless(cell: str) -> str:
    """Return a cell that no spreadsheet runs; `_as_typed` gives the cell back as it was, apostrophes of its own too."""
    runs = cell.lstrip("'").startswith(_FORMULA)
    return f"'{cell}" if runs and not _is_number(cell) else cell


def _as_typed(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
