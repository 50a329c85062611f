"""Putting simulated incidents and their tasks into the database, in bulk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.demo.components import Register, nearest_component
from app.demo.ground import Ground
from app.demo.notes import write_notes, write_reporters
from app.demo.patterns import PUBLIC_SOURCES
from app.demo.staff import Units
from core.progress import Progress
from geodata.bulk import copy_rows, reserve_ids
from geodata.persons import phone_hash, seal_columns
from geodata.territory import TerritoryInfo
from incidents.model import ClassInfo
from incidents.service import take_numbers

Ids = NDArray[np.int64]

TASK_DAYS = 30
"""Done tasks are written for incidents reported in these last days; open incidents always have theirs."""


@dataclass(frozen=True, slots=True)
class Crew:
    """The worker of each responsibility grid and the responsibility grid of each unit grid."""

    worker_ids: Ids
    worker_grid_ids: Ids
    responsible: Mapping[int, int]

    def worker_of(self, grid_ids: Ids) -> NDArray[np.object_]:
        """Return the worker who looks after each unit grid; None where it has none."""
        home = dict(zip(self.worker_grid_ids[::-1].tolist(), self.worker_ids[::-1].tolist(), strict=True))
        return np.array([home.get(self.responsible.get(grid, 0)) for grid in grid_ids.tolist()], dtype=object)


def write_incidents(
    session: Session,
    territory: TerritoryInfo,
    frame: pd.DataFrame,
    ground: Ground,
    *,
    classes: Mapping[str, ClassInfo],
    limits: Mapping[int, int],
    units: Units,
    crew: Crew,
    register: Register,
    load_id: int,
    seed: int,
    progress: Progress,
) -> pd.DataFrame:
    """Write the incidents with their sealed notes, and return the frame with ``id``, ``unit_id``, ``worker_id``.

    Parameters
    ----------
    frame
        As `app.demo.life.live` returns it.
    limits
        Class id to the limit that its deadlines are counted by.
    """
    count = len(frame)
    progress.step("Writing notes, sealed", count)
    site = frame["site"].to_numpy(dtype=np.int64)
    keys = frame["class_key"].to_numpy(dtype=object)
    grid_ids, community_ids = ground.grid_ids[site], ground.community_ids[site]
    sources = frame["source"].to_numpy(dtype=object)
    notes = write_notes(frame, ground.sites.street[site], ground.landmark[site], seed=seed)
    names, phones = write_reporters(sources, seed=seed)
    subjects, (note_ciphers, name_ciphers, phone_ciphers) = seal_columns(
        session, list(notes), list(names), list(phones)
    )
    progress.advance(count)

    progress.step("Writing incidents", count)
    known = {key: classes[key] for key in sorted(set(keys))}
    seen = frame["filed_at"].notna().to_numpy() | ~np.isin(sources, PUBLIC_SOURCES)
    workers = crew.worker_of(grid_ids)
    workers[~seen] = None
    filed = frame["status"].isin(["void"]).to_numpy() | frame["filed_at"].notna().to_numpy()
    pairs = zip(keys, community_ids.tolist(), filed, strict=True)
    owners = np.array([units.owner(key, area) if known_ else None for key, area, known_ in pairs], dtype=object)
    local = pd.DatetimeIndex(frame["reported_at"]) + pd.to_timedelta(frame["local_us"].to_numpy(), unit="us")
    ids = reserve_ids(session, "incident", count)
    copy_rows(
        session,
        "incident",
        {
            "id": ids,
            "territory_id": np.full(count, territory.id),
            "number": take_numbers(session, territory, local.year.to_numpy()),
            "source": sources,
            "class_id": [known[key].id for key in keys],
            "class_version": [known[key].version for key in keys],
            "limit_id": [
                limits.get(known[key].id) if due else None
                for key, due in zip(keys, frame["due_at"].notna(), strict=True)
            ],
            "category": [known[key].category for key in keys],
            "status": frame["status"].to_numpy(dtype=object),
            "priority": [known[key].priority for key in keys],
            "emergency": [known[key].emergency for key in keys],
            "reported_at": frame["reported_at"].to_numpy(),
            "filed_at": frame["filed_at"].to_numpy(),
            "dispatched_at": frame["dispatched_at"].to_numpy(),
            "handled_at": frame["handled_at"].to_numpy(),
            "closed_at": frame["closed_at"].to_numpy(),
            "due_at": frame["due_at"].to_numpy(),
            "due_from": np.where(frame["due_at"].notna(), frame["filed_at"], np.datetime64("NaT")),
            "warn_half_at": frame["warn_half_at"].to_numpy(),
            "warn_most_at": frame["warn_most_at"].to_numpy(),
            "place": ground.sites.street[site],
            "grid_id": grid_ids,
            "community_id": community_ids,
            "component_id": nearest_component(
                register, keys, ground.sites.lon[site], ground.sites.lat[site], territory.metric_srid
            ),
            "unit_id": owners,
            "worker_id": workers,
            "reworks": frame["reworks"].to_numpy(),
            "simulated": np.ones(count, dtype=bool),
            "load_id": np.full(count, load_id),
            "geom": shapely.points(ground.sites.lon[site], ground.sites.lat[site]),
        },
    )
    copy_rows(
        session,
        "incident_personal",
        {
            "incident_id": ids,
            "territory_id": np.full(count, territory.id),
            "subject_id": subjects,
            "note_cipher": note_ciphers,
            "reporter_cipher": name_ciphers,
            "phone_cipher": phone_ciphers,
            "phone_hash": [None if phone is None else phone_hash(phone) for phone in phones],
        },
    )
    progress.advance(count)
    return frame.assign(id=ids, unit_id=owners, worker_id=workers, home_worker=crew.worker_of(grid_ids))


def write_tasks(session: Session, territory: TerritoryInfo, frame: pd.DataFrame, until: np.datetime64) -> int:
    """Write the tasks of open incidents and of those of the last `TASK_DAYS`, and return how many."""
    recent = frame["reported_at"] >= until - np.timedelta64(TASK_DAYS, "D")
    is_open = ~frame["status"].isin(["closed", "void"])
    chosen = frame[recent | is_open]
    tasks = pd.concat([_verify(chosen), _handle(chosen), _check(chosen)], ignore_index=True)
    tasks = tasks.sort_values(["created_at", "incident_id"], kind="stable")
    columns = {name: tasks[name].to_numpy() for name in tasks.columns}
    return copy_rows(session, "task", {"territory_id": np.full(len(tasks), territory.id), **columns})


def _verify(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what a worker looked at on site before filing: reports of the public."""
    rows = frame[frame["source"].isin(PUBLIC_SOURCES)]
    done = rows["filed_at"].notna() | (rows["status"] == "void")
    finished = rows["filed_at"].fillna(rows["reported_at"] + pd.Timedelta(hours=2)).where(done)
    return _tasks(rows, "verify", "worker", created=rows["reported_at"], finished=finished, accepted=done)


def _handle(frame: pd.DataFrame) -> pd.DataFrame:
    rows = frame[frame["dispatched_at"].notna()]
    return _tasks(
        rows,
        "handle",
        "unit",
        created=rows["dispatched_at"],
        finished=rows["handled_at"],
        accepted=rows["accepted"] | rows["handled_at"].notna(),
        due=rows["due_at"],
    )


def _check(frame: pd.DataFrame) -> pd.DataFrame:
    rows = frame[frame["handled_at"].notna()]
    closed = rows["closed_at"].notna()
    return _tasks(rows, "check", "worker", created=rows["handled_at"], finished=rows["closed_at"], accepted=closed)


def _tasks(
    rows: pd.DataFrame,
    kind: str,
    owner: str,
    *,
    created: pd.Series,
    finished: pd.Series,
    accepted: pd.Series,
    due: pd.Series | None = None,
) -> pd.DataFrame:
    """Return tasks of one kind; the moment of accepting lies between making and finishing."""
    until_done = (finished - created).fillna(pd.Timedelta(hours=1))
    return pd.DataFrame(
        {
            "incident_id": rows["id"],
            "kind": kind,
            "state": np.select([finished.notna(), accepted], ["done", "started"], "waiting"),
            "unit_id": rows["unit_id"] if owner == "unit" else None,
            "worker_id": rows["home_worker"] if owner == "worker" else None,
            "created_at": created,
            "due_at": due if due is not None else created + pd.Timedelta(hours=4),
            "accepted_at": (created + until_done / 4).where(accepted),
            "finished_at": finished,
        },
    )
