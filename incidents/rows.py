"""The columns of new incident rows out of a draft; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from incidents.exchange import Draft
from incidents.model import Catalogue, ClassInfo

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Placed:
    """Cell and community of each row of a file, 0 where none."""

    grid_id: npt.NDArray[np.integer[Any]]
    community_id: npt.NDArray[np.integer[Any]]


def incident_columns(
    draft: Draft,
    chosen: Ints,
    *,
    placed: Placed,
    classes: Mapping[str, ClassInfo],
    catalogue: Catalogue,
    owners: Mapping[tuple[int, int], int],
) -> dict[str, Sequence[Any] | np.ndarray]:
    """Return the columns of table ``incident`` that follow from the file, for the ``chosen`` rows.

    A row that is open is due when the file says so, else by the limit of its class, counted from
    its report; a closed one keeps no deadline unless the file gives it. What is not known stays
    empty: an old report without closing time is closed without one, and so never enters a time to close.
    """
    rows = chosen.tolist()
    homes = placed.community_id[chosen].tolist()
    kinds = [classes[draft.label[row]] for row in rows]
    status = [draft.status[row] for row in rows]
    reported = [draft.reported[row] for row in rows]
    due = [
        _due(draft.due[row], word, kind, at, catalogue)
        for row, word, kind, at in zip(rows, status, kinds, reported, strict=True)
    ]
    warned = [
        (None, None) if at is None or word in {"closed", "void"} else catalogue.warnings(kind.id, at, until)
        for word, kind, at, until in zip(status, kinds, reported, due, strict=True)
    ]
    return {
        "external_ref": [draft.reference[row] for row in rows],
        "class_id": [kind.id for kind in kinds],
        "class_version": [kind.version for kind in kinds],
        "limit_id": [
            catalogue.limit_id(kind.id) if _counted(draft.due[row], word, at) else None
            for row, word, kind, at in zip(rows, status, kinds, reported, strict=True)
        ],
        "category": [kind.category for kind in kinds],
        "status": status,
        "priority": [kind.priority for kind in kinds],
        "emergency": [kind.emergency for kind in kinds],
        "reported_at": reported,
        "filed_at": [None if word == "reported" else at for word, at in zip(status, reported, strict=True)],
        "closed_at": [draft.closed[row] if word == "closed" else None for row, word in zip(rows, status, strict=True)],
        "due_at": due,
        "due_from": [None if until is None else at for at, until in zip(reported, due, strict=True)],
        "warn_half_at": [half for half, _ in warned],
        "warn_most_at": [most for _, most in warned],
        "place": [draft.place[row] for row in rows],
        "unit_id": [owners.get((kind.id, home)) for kind, home in zip(kinds, homes, strict=True)],
        "grid_id": placed.grid_id[chosen],
        "community_id": placed.community_id[chosen],
        "geom": np.asarray(shapely.points(draft.lon[chosen], draft.lat[chosen])),
    }


def _due(
    given: dt.datetime | None, status: str, kind: ClassInfo, reported: dt.datetime | None, catalogue: Catalogue
) -> dt.datetime | None:
    if reported is None or not _counted(given, status, reported):
        return given
    return catalogue.due_at(kind.id, reported)


def _counted(given: dt.datetime | None, status: str, reported: dt.datetime | None) -> bool:
    """Return whether a limit of ours sets the deadline."""
    return given is None and status not in {"closed", "void"} and reported is not None
