"""The nouns of layers of planning: what is kept under a name, and people at places with the groups they are of."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from core.errors import InvalidInput

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

KINDS = ("demand", "candidates", "zones", "slope", "matrix")
BROUGHT = KINDS[:-1]
"""Kinds that a file alone says all of; a matrix is about the places of a question."""
NAME_AT_MOST = 60
GROUPS_AT_MOST = 12
PLACES_AT_MOST = 300_000
YEARS = (1900, 2200)
GROWTH_AT_MOST, AHEAD_AT_MOST = 20.0, 100


@dataclass(frozen=True)
class LayerInfo:
    """A version of a layer, without its places.

    Attributes
    ----------
    kind
        One of `KINDS`.
    revision
        1, 2 … under one name.
    groups
        Names of the groups of people, in the order of the columns.
    facts
        places, people, source, findings … as they were when it was brought.
    """

    id: int
    territory_id: int
    kind: str
    name: str
    revision: int
    year: int | None
    groups: tuple[str, ...]
    made_label: str
    made_at: dt.datetime
    retired_at: dt.datetime | None
    facts: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, eq=False)
class LayerData:
    """What a layer holds.

    Attributes
    ----------
    shapes
        Points or polygons in EPSG:4326.
    names, weight
        Of each place; the weight is people, of a candidate its score.
    groups
        People of each place and group, shape (n_places, n_groups).
    findings
        What is to be said of the file, with lines.
    facts
        Numbers kept beside it.
    grid
        Archive of a raster or a matrix; None for places.
    """

    shapes: Shapes
    names: tuple[str, ...]
    weight: Floats
    groups: Floats
    group_names: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    grid: bytes | None = None


@dataclass(frozen=True, eq=False)
class People:
    """People at places, as a question counts them.

    Attributes
    ----------
    lonlat
        Shape (n, 2).
    people
        Of each place, shape (n,); all above 0.
    groups
        Shape (n, n_groups); empty where the layer knows none.
    """

    lonlat: Floats
    people: Floats
    groups: Floats
    group_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Growth:
    """An assumption: so many per cent more people a year, for so many years, everywhere alike."""

    per_cent: float = 0.0
    years: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no useful assumption."""
        if not (math.isfinite(self.per_cent) and abs(self.per_cent) <= GROWTH_AT_MOST):
            raise InvalidInput(
                f"{self.per_cent:g} % a year is no useful assumption.",
                hint=f"Take at most {GROWTH_AT_MOST:g} % up or down.",
            )
        if not 0 <= self.years <= AHEAD_AT_MOST:
            raise InvalidInput(f"{self.years} years ahead cannot be assumed.", hint=f"0 to {AHEAD_AT_MOST}.")

    @property
    def factor(self) -> float:
        """Return by how much every number of people is multiplied."""
        return float((1 + self.per_cent / 100) ** self.years)


def checked_name(name: str) -> str:
    """Return a tidy name of a layer.

    Raises
    ------
    InvalidInput
        When it is empty or too long.
    """
    made = " ".join(name.split())
    if not 0 < len(made) <= NAME_AT_MOST or not made.isprintable():
        raise InvalidInput("A layer needs a short name.", hint=f"1 to {NAME_AT_MOST} characters, e.g. “census 2025”.")
    return made


def checked_year(year: int | None) -> int | None:
    """Return the year.

    Raises
    ------
    InvalidInput
        When it cannot be one.
    """
    if year is not None and not YEARS[0] <= year <= YEARS[1]:
        raise InvalidInput(f"{year} is no year of a count.", hint=f"From {YEARS[0]} to {YEARS[1]}.")
    return year


def spread(data: LayerData, homes: Floats, home_people: Floats) -> People:
    """Return the people of a layer at places.

    A point counts where it is. The people of an area are shared out over the homes inside it as people are thought
    to live there now; an area without homes counts at a point inside it. Nobody is lost and nobody added.

    Parameters
    ----------
    homes
        Longitude and latitude of buildings with people, shape (m, 2).
    home_people
        Shape (m,), all above 0.
    """
    counted = data.weight > 0
    shapes, weight, groups = data.shapes[counted], data.weight[counted], data.groups[counted]
    areas = shapely.get_dimensions(shapes) == 2
    tree = shapely.STRtree(np.asarray(shapely.points(homes))) if len(homes) and areas.any() else None
    where, share, owner = [], [], []
    rows = np.flatnonzero(areas)
    pairs = np.empty((2, 0), dtype=np.int64) if tree is None else tree.query(shapes[rows], predicate="intersects")
    total = np.bincount(pairs[0], weights=home_people[pairs[1]], minlength=len(rows))
    if len(pairs[0]):
        where.append(homes[pairs[1]])
        share.append(home_people[pairs[1]] / total[pairs[0]])
        owner.append(rows[pairs[0]])
    alone = np.concatenate([np.flatnonzero(~areas), rows[total <= 0]])
    where.append(shapely.get_coordinates(shapely.point_on_surface(shapes[alone])).reshape(-1, 2))
    share.append(np.ones(len(alone)))
    owner.append(alone)
    at, part = np.concatenate(owner), np.concatenate(share)
    return People(
        np.concatenate(where).astype(np.float64), weight[at] * part, groups[at] * part[:, None], data.group_names
    )
