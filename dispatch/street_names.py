"""Which street is meant by a name: where several places have one, it is told apart by its community."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound
from dispatch import store_closures as store
from dispatch.closure_model import LONGEST_NAME, Stretch
from geodata.crs import project
from geodata.territory import TerritoryInfo

APART_M = 400.0
"""Stretches of one name that lie farther apart than this are streets of their own."""
TOLD_MOST = 5
NOWHERE = ("outside the communities", "社区之外")
Names = tuple[str, str]
"""Of a community, English first."""


def street_named(session: Session, territory: TerritoryInfo, name: str) -> tuple[str, list[Stretch]]:
    """Return what the one street that is meant is called, and its stretches.

    "High Street, Newport" is the High Street of Newport; so it is written where other places have one too.

    Raises
    ------
    NotFound
        When no street has the name.
    InvalidInput
        When several places have such a street, and none of them is named.
    """
    found, within = store.roads_named(session, territory.id, name), ""
    if not found:
        street, _, within = name.replace("，", ",").rpartition(",")
        found = store.roads_named(session, territory.id, street) if street.strip() else []
    if not found:
        raise NotFound(
            f"There is no street {name!r}.",
            hint="Write the name as on the map.",
            zh=f"没有名为“{name}”的道路，请按地图上的名称填写。",
        )
    title = found[0].name or found[0].name_zh
    streets = _apart(found, territory.metric_srid)
    if not within.strip() and len(streets) == 1:
        return title, found
    middles = [each.line.interpolate(0.5, normalized=True) for each in found]
    places = [each or NOWHERE for each in store.communities_at(session, territory.id, middles)]
    labels = [Counter(places[k] for k in rows).most_common(1)[0][0] for rows in streets]
    if not within.strip() and len(set(labels)) == 1:  # nothing tells them apart
        return title, found
    wanted = within.strip().lower()
    meant = [rows for rows in streets if any(wanted in _lower(places[k]) for k in rows)]
    if not meant:
        raise _ambiguous(found[0], list(dict.fromkeys(labels)))
    if len(streets) > 1:
        label = next(places[k] for k in meant[0] if wanted in _lower(places[k]))[0]
        title = f"{title}, {label}"[:LONGEST_NAME]
    return title, [found[k] for rows in meant for k in rows]


def _lower(place: Names) -> set[str]:
    return {each.lower() for each in place}


def _apart(found: Sequence[Stretch], srid: int) -> list[list[int]]:
    """Return the stretches of each street that lies apart from the others, the longest street first."""
    lines = project(np.array([each.line for each in found], dtype=object), srid)
    one, other = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=APART_M)
    near = csr_array((np.ones(len(one)), (one, other)), shape=(len(lines), len(lines)))
    many, street = connected_components(near, directed=False)
    streets = [np.flatnonzero(street == k).tolist() for k in range(many)]
    return sorted(streets, key=lambda rows: -float(shapely.length(lines[rows]).sum()))


def _ambiguous(street: Stretch, labels: Sequence[Names]) -> InvalidInput:
    title, title_zh = street.name or street.name_zh, street.name_zh or street.name
    told, more = labels[:TOLD_MOST], len(labels) - TOLD_MOST
    en = ", ".join(each[0] for each in told) + (f" and {more} more" if more > 0 else "")
    zh = "、".join(each[1] for each in told) + (f"等 {len(labels)} 处" if more > 0 else "")
    return InvalidInput(
        f"Which {title} is meant? There is one in {en}.",
        hint=f"Write it with its community: {title}, {labels[0][0]}.",
        zh=f"名为“{title_zh}”的道路位于：{zh}。请连同社区填写，例如“{title_zh}，{labels[0][1]}”。",
    )
