"""Evidence of a demo city: drawn pairs for what waits to be verified, and for some that ended."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from app.demo.scenes import scene
from geodata.bulk import copy_rows, reserve_ids
from geodata.persons import seal_bytes_many
from geodata.territory import TerritoryInfo
from incidents.classes import CLASSES
from incidents.evidence import Box, Photo, as_photo, blurred

PAIRS, ENDED, BEGUN = 30, 6, 12
"""At most so many pairs of what is checked and of what ended last, and photos before of what is in work."""
DEMANDING = frozenset(spec.key for spec in CLASSES if "before" in spec.evidence)


@dataclass(frozen=True, slots=True)
class _Shot:
    incident_id: int
    kind: str
    at: pd.Timestamp
    taken_as: str
    round: int
    photo: Photo
    copy: Photo
    boxes: tuple[Box, ...]


def write_evidence(session: Session, territory: TerritoryInfo, frame: pd.DataFrame, *, seed: int) -> int:
    """Write generated photos for a demo city and return how many; ``frame`` is that of `write_incidents`."""
    handled = frame[frame["status"] == "checking"].sort_values("due_at").head(PAIRS)
    ended = frame[(frame["status"] == "closed") & frame["handled_at"].notna()].nlargest(ENDED, "closed_at")
    begun = frame[frame["status"].isin(["dispatched", "handling"]) & frame["class_key"].isin(DEMANDING)].head(BEGUN)
    shots = list(chain(_pairs(handled, seed), _pairs(ended, seed), _pairs(begun, seed, after=False)))
    if not shots:
        return 0
    count = len(shots)
    ids = reserve_ids(session, "evidence", count)
    subjects, ciphers = seal_bytes_many(session, [shot.photo.jpeg for shot in shots])
    home = np.full(count, territory.id)
    copy_rows(
        session,
        "evidence",
        {
            "id": ids,
            "territory_id": home,
            "incident_id": np.array([shot.incident_id for shot in shots]),
            "kind": [shot.kind for shot in shots],
            "taken_as": [shot.taken_as for shot in shots],
            "at": [shot.at for shot in shots],
            "round": np.array([shot.round for shot in shots]),
            "sha256": [shot.photo.sha256 for shot in shots],
            "width": np.array([shot.photo.width for shot in shots]),
            "height": np.array([shot.photo.height for shot in shots]),
            "subject_id": subjects,
            "simulated": np.ones(count, dtype=bool),
        },
    )
    copy_rows(
        session,
        "evidence_blur",
        {
            "territory_id": home,
            "evidence_id": ids,
            "version": np.ones(count, dtype=np.int64),
            "sha256": [shot.copy.sha256 for shot in shots],
            "boxes": [[box.as_list() for box in shot.boxes] for shot in shots],
            "left_out": [[] for _ in shots],
            "made_at": [shot.at for shot in shots],
        },
    )
    copy_rows(
        session,
        "evidence_image",
        {
            "evidence_id": np.tile(ids, 2),
            "version": np.repeat([0, 1], count),
            "territory_id": np.tile(home, 2),
            "content": [*ciphers, *(shot.copy.jpeg for shot in shots)],
        },
    )
    return count


def _pairs(rows: pd.DataFrame, seed: int, *, after: bool = True) -> list[_Shot]:
    shots = []
    for number, row in enumerate(rows.itertuples()):
        shots.append(_shot(row, "before", seed + number))
        if after:
            shots.append(_shot(row, "after", seed + number))
    return shots


def _shot(row: object, kind: str, seed: int) -> _Shot:
    incident_id, class_key = int(row.id), str(row.class_key)  # type: ignore[attr-defined]
    drawn = scene(class_key, incident_id * 31 + seed, after=kind == "after")
    photo = as_photo(drawn.image)
    first, last = row.reported_at, row.handled_at  # type: ignore[attr-defined]
    return _Shot(
        incident_id,
        kind,
        first + pd.Timedelta(minutes=12) if kind == "before" else last,
        "grid_worker" if kind == "before" else "handler",
        int(row.reworks) if kind == "after" else 0,  # type: ignore[attr-defined]
        photo,
        blurred(photo.jpeg, drawn.boxes) if drawn.boxes else photo,
        drawn.boxes,
    )
