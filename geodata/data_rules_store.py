"""All SQL of the rules of data sets and of their scores over time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geodata.tables import CatalogueEntry, DataBatch, DataRuleVersion, DataSet, DataSetRow


def find_data_set(session: Session, territory_id: int, key: str, *, lock: bool = False) -> DataSet | None:
    """Return a data set by its key; None when there is none."""
    query = select(DataSet).where(DataSet.territory_id == territory_id, DataSet.key == key)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def keys(session: Session, territory_id: int) -> list[str]:
    """Return the keys of the data sets of a territory."""
    return list(session.scalars(select(DataSet.key).where(DataSet.territory_id == territory_id).order_by(DataSet.key)))


def steward_of(session: Session, data_set_id: int) -> int | None:
    """Return the account that keeps a data set; None where the supervisors do."""
    return session.scalar(select(CatalogueEntry.steward_id).where(CatalogueEntry.data_set_id == data_set_id))


def versions(session: Session, data_set_id: int, limit: int) -> list[DataRuleVersion]:
    """Return the rules of a data set as they were set, the newest first."""
    query = select(DataRuleVersion).where(DataRuleVersion.data_set_id == data_set_id)
    return list(session.scalars(query.order_by(DataRuleVersion.version.desc()).limit(limit)))


def newest_version(session: Session, data_set_id: int) -> int:
    """Return the number of the newest rules; 0 before any were set."""
    query = select(func.max(DataRuleVersion.version)).where(DataRuleVersion.data_set_id == data_set_id)
    return int(session.scalar(query) or 0)


def sample(session: Session, data_set_id: int, limit: int) -> list[tuple[str, dict[str, Any]]]:
    """Return rows of today: their keys and what they say."""
    query = select(DataSetRow.row_key, DataSetRow.properties).where(
        DataSetRow.data_set_id == data_set_id, DataSetRow.valid_to.is_(None)
    )
    return [(row[0], dict(row[1])) for row in session.execute(query.limit(limit))]


def scored_batches(session: Session, data_set_id: int, limit: int) -> list[DataBatch]:
    """Return the files that were brought in with their scores, the newest first; rows mended later have none."""
    query = select(DataBatch).where(
        DataBatch.data_set_id == data_set_id, DataBatch.status == "loaded", DataBatch.retry_of.is_(None),
        DataBatch.read > 0,
    )  # fmt: skip
    return list(session.scalars(query.order_by(DataBatch.id.desc()).limit(limit)))
