"""What links the rows of a file to places: the gazetteer of the territory, and the meaning of codes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from geodata.exchange import Role, Spec
from geodata.exchange_link import LINKED, Coded, Codes, Known, Linker
from geodata.exchange_run import Place
from geodata.gazetteer import Gazetteer
from geodata.gazetteer_store import gazetteer_of
from geodata.territory import TerritoryInfo


@dataclass(frozen=True, slots=True)
class Placer:
    """From longitudes and latitudes to unit grids, and from codes to places, as the gate is given it."""

    place: Place
    codes: Codes

    def __call__(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the unit grid of each place, 0 for none."""
        return self.place(lon, lat)


def codes_of(place: Place | None) -> Codes:
    """Return what tells the meaning of codes; nothing is known where nobody gave it."""
    return place.codes if isinstance(place, Placer) else _unknown


def linker_of(session: Session, territory: TerritoryInfo, spec: Spec, place: Place) -> Linker | None:
    """Return what places the rows of a file that say it in words or by a code; None where its mapping needs none."""
    if spec.places not in LINKED and not any(each.role is Role.ADDRESS for each in spec.fields):
        return None
    return Linker(spec, territory.metric_srid, known_of(session, territory, place))


def known_of(session: Session, territory: TerritoryInfo, place: Place | None) -> Known:
    """Return what a territory knows of places in words and of codes; its names are read when they are first asked."""
    return Known(_once(session, territory), codes_of(place))


def _once(session: Session, territory: TerritoryInfo) -> Callable[[], Gazetteer]:
    @functools.cache
    def made() -> Gazetteer:
        return gazetteer_of(session, territory)

    return made


def _unknown(_what: str, texts: Sequence[str]) -> Mapping[str, Coded]:
    why = "Codes are not looked up here."
    return {each: Coded(why=why, why_zh="此处不查询编码。") for each in texts}
