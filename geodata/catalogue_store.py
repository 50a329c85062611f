"""All SQL of the catalogue: what is said, how much there is, who asks, who may, who used it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from geodata.catalogue_builtin import Source
from geodata.catalogue_model import Use
from geodata.features import Wanted, conditions, driver_of
from geodata.tables import (
    AppUser,
    CatalogueEntry,
    DataBatch,
    DataGrant,
    DataMapping,
    DataRequest,
    DataSet,
    DataUse,
    Load,
    Unit,
)


@dataclass(frozen=True, slots=True)
class Span:
    """How many rows a source shows the actor, where they lie and of when they are."""

    rows: int
    bounds: tuple[float, float, float, float] | None
    period: tuple[dt.datetime | None, dt.datetime | None]


def data_sets(session: Session, territory_id: int) -> list[tuple[DataSet, CatalogueEntry | None]]:
    """Return the data sets with what is said of them, by key."""
    query = (
        select(DataSet, CatalogueEntry)
        .outerjoin(CatalogueEntry, CatalogueEntry.data_set_id == DataSet.id)
        .where(DataSet.territory_id == territory_id)
        .order_by(DataSet.key)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def readable(session: Session) -> set[int]:
    """Return the data sets whose rows the actor may read."""
    return set(session.scalar(text("SELECT gk_data_sets_read()")) or [])


def is_steward(session: Session, data_set_id: int) -> bool:
    """Return whether the actor decides on requests for a data set."""
    return bool(session.scalar(select(func.gk_is_steward(data_set_id))))


def said(session: Session, territory_id: int, key: str) -> CatalogueEntry | None:
    """Return what is said of an entry, or None."""
    return session.scalar(
        select(CatalogueEntry).where(CatalogueEntry.territory_id == territory_id, CatalogueEntry.key == key)
    )


def all_said(session: Session, territory_id: int) -> dict[str, CatalogueEntry]:
    """Return what is said, by key."""
    found = session.scalars(select(CatalogueEntry).where(CatalogueEntry.territory_id == territory_id))
    return {each.key: each for each in found}


def put_said(session: Session, territory_id: int, key: str, values: Mapping[str, Any], *, version: int) -> bool:
    """Write what is said of an entry; return False when somebody was quicker."""
    if version == 0:
        if said(session, territory_id, key) is not None:
            return False
        session.add(CatalogueEntry(territory_id=territory_id, key=key, **values))
        session.flush()
        return True
    done = session.execute(
        update(CatalogueEntry)
        .where(
            CatalogueEntry.territory_id == territory_id, CatalogueEntry.key == key, CatalogueEntry.version == version
        )
        .values(**values, version=version + 1, changed_at=func.now())
        .returning(CatalogueEntry.id)
    ).one_or_none()
    return done is not None


def set_sensitivity(session: Session, data_set_id: int, sensitivity: str, owner_unit_id: int | None) -> None:
    """Write how sensitive a data set is, and whose it is."""
    session.execute(
        update(DataSet)
        .where(DataSet.id == data_set_id)
        .values(sensitivity=sensitivity, owner_unit_id=owner_unit_id, version=DataSet.version + 1)
    )


def units(session: Session, territory_id: int) -> dict[int, tuple[str, str | None]]:
    """Return names of units by id, by code."""
    rows = session.execute(
        select(Unit.id, Unit.name, Unit.name_zh).where(Unit.territory_id == territory_id).order_by(Unit.code)
    )
    return {row.id: (row.name, row.name_zh) for row in rows}


def stewards(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Return functions of accounts by id, as far as the actor may see them."""
    rows = session.execute(select(AppUser.id, AppUser.title_en, AppUser.title_zh).where(AppUser.id.in_(ids)))
    return {row.id: (row.title_en, row.title_zh) for row in rows}


def span_of(session: Session, source: Source, territory_id: int) -> Span:
    """Return how much a source shows the actor."""
    box = sql.SQL("NULL") if source.geom is None else sql.SQL("ST_Extent({})::text").format(source.geom)
    moment = source.columns.get(source.offer.moment)
    first: sql.Composable = sql.SQL("NULL::timestamptz")
    last: sql.Composable = first
    if moment is not None:
        first = sql.SQL("min({})::timestamptz").format(moment)
        last = sql.SQL("max({})::timestamptz").format(moment)
    query = sql.SQL("SELECT count(*), {}, {}, {} FROM {} WHERE {}").format(
        box, first, last, source.relation, conditions(source, territory_id, Wanted())
    )
    row = driver_of(session).execute(query).fetchone()
    if row is None:
        return Span(0, None, (None, None))
    corners = None
    if row[1]:
        numbers = [float(part) for part in row[1].removeprefix("BOX(").rstrip(")").replace(",", " ").split()]
        corners = (numbers[0], numbers[1], numbers[2], numbers[3])
    return Span(int(row[0]), corners, (row[2], row[3]))


def newest_batches(session: Session, data_set_ids: Sequence[int], most: int = 5) -> dict[int, list[dict[str, Any]]]:
    """Return the newest loads of data sets: file, mapping, rows, scores; newest first."""
    rows = session.execute(
        select(
            DataBatch.data_set_id, DataBatch.id, DataBatch.file_name, DataBatch.loaded, DataBatch.changed,
            DataBatch.rejected, DataBatch.read, DataBatch.placed, DataBatch.crs, DataBatch.encoding, DataBatch.scores,
            DataBatch.loaded_label, DataBatch.ended_at, DataBatch.sha256, DataMapping.name, DataMapping.version,
        )
        .outerjoin(DataMapping, DataMapping.id == DataBatch.mapping_id)
        .where(DataBatch.data_set_id.in_(data_set_ids), DataBatch.status == "loaded")
        .order_by(DataBatch.id.desc())
    )  # fmt: skip
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        kept = found.setdefault(row.data_set_id, [])
        if len(kept) < most:
            kept.append({
                "batch": row.id, "file": row.file_name, "read": row.read, "loaded": row.loaded,
                "changed": row.changed, "rejected": row.rejected, "placed": row.placed, "crs": row.crs,
                "encoding": row.encoding, "scores": dict(row.scores), "by": row.loaded_label, "at": row.ended_at,
                "sha256": row.sha256, "mapping": f"{row.name} v{row.version}" if row.name else "",
            })  # fmt: skip
    return found


def newest_loads(session: Session, territory_id: int) -> dict[str, list[dict[str, Any]]]:
    """Return the newest loads of the platform's own tables, by kind of load."""
    rows = session.scalars(select(Load).where(Load.territory_id == territory_id).order_by(Load.id.desc()).limit(200))
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        kept = found.setdefault(row.kind, [])
        if len(kept) < 3:
            kept.append({
                "file": row.source_name, "by": row.actor_label, "at": row.started_at, "sha256": row.content_sha256,
                "counts": dict(row.counts),
            })  # fmt: skip
    return found


def last_uses(session: Session, territory_id: int) -> dict[str, Use]:
    """Return who read what last, by key; empty for those who do not oversee it."""
    rows = session.scalars(
        select(DataUse)
        .where(DataUse.territory_id == territory_id)
        .ext(_first_of_key())
        .order_by(DataUse.key, DataUse.last_at.desc())
    )
    return {row.key: _use(row) for row in rows}


def _first_of_key() -> Any:
    from sqlalchemy.dialects.postgresql import distinct_on

    return distinct_on(DataUse.key)


def uses(session: Session, territory_id: int, key: str, most: int = 20) -> list[Use]:
    """Return who read an entry, newest first."""
    rows = session.scalars(
        select(DataUse)
        .where(DataUse.territory_id == territory_id, DataUse.key == key)
        .order_by(DataUse.last_at.desc())
        .limit(most)
    )
    return [_use(row) for row in rows]


def _use(row: DataUse) -> Use:
    return Use(row.day, row.label, row.way, row.times, row.rows, tuple(row.joined), row.last_at)


def note_use(session: Session, key: str, way: str, rows: int, joined: Sequence[str]) -> None:
    """Write that the actor read something."""
    session.execute(
        text("SELECT gk_note_use(:key, :way, :rows, CAST(:joined AS text[]))"),
        {"key": key, "way": way, "rows": rows, "joined": list(joined)},
    )


def delete_uses(session: Session, before: dt.datetime) -> int:
    """Delete uses of days before a moment; return how many."""
    return len(session.scalars(delete(DataUse).where(DataUse.last_at < before).returning(DataUse.id)).all())


# --- requests and grants


def add_request(session: Session, request: DataRequest) -> int:
    """Insert a request and return its id."""
    session.add(request)
    session.flush()
    return request.id


def waiting_of(session: Session, data_set_id: int, user_id: int) -> int | None:
    """Return the waiting request of a user for a data set, or None."""
    return session.scalar(
        select(DataRequest.id).where(
            DataRequest.data_set_id == data_set_id, DataRequest.asked_by == user_id, DataRequest.state == "waiting"
        )
    )


def lock_request(session: Session, territory_id: int, request_id: int) -> DataRequest | None:
    """Return a request for deciding on it, or None."""
    return session.scalar(
        select(DataRequest)
        .where(DataRequest.id == request_id, DataRequest.territory_id == territory_id)
        .with_for_update()
    )


def lock_grant(session: Session, territory_id: int, grant_id: int) -> DataGrant | None:
    """Return a grant for ending it, or None."""
    return session.scalar(
        select(DataGrant).where(DataGrant.id == grant_id, DataGrant.territory_id == territory_id).with_for_update()
    )


def requests(session: Session, territory_id: int) -> list[tuple[DataRequest, DataSet, DataGrant | None]]:
    """Return the requests the actor may see, waiting ones first, with what came of them."""
    query = (
        select(DataRequest, DataSet, DataGrant)
        .join(DataSet, DataSet.id == DataRequest.data_set_id)
        .outerjoin(DataGrant, DataGrant.request_id == DataRequest.id)
        .where(DataRequest.territory_id == territory_id)
        .order_by(DataRequest.state != "waiting", DataRequest.id.desc())
        .limit(200)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]
