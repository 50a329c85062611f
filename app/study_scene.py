"""What every page of a study needs of its territory: names of communities, what is there, whether it is an island."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app import i18n
from core.errors import NotFound
from core.identity import Actor
from geodata.territory import TerritoryInfo, communities
from layers.basemap import surrounded_by_water
from planning import service
from planning.model import Study
from planning.service import StudyDetail


def community_names(session: Session, territory_id: int) -> dict[int, str]:
    """Return the names of the communities of a territory by id."""
    areas = communities(session, territory_id)
    rows = zip(areas["id"].tolist(), areas["name"].tolist(), areas["name_zh"].tolist(), strict=True)
    return {int(key): i18n.either(name, name_zh or None) for key, name, name_zh in rows}


@st.cache_data(ttl=3600, show_spinner=False)
def island(_session: Session, territory_id: int) -> bool:
    """Return whether a territory lies in the sea."""
    return surrounded_by_water(_session, territory_id)


def existing(session: Session, actor: Actor, territory: TerritoryInfo, study: Study) -> NDArray[np.float64]:
    """Return the facilities that a study counts on, longitude and latitude."""
    kind = study.question.existing_kind
    return service.existing_facilities(session, actor, territory, kind) if kind else np.empty((0, 2))


def detail_of(session: Session, actor: Actor, given: str) -> StudyDetail | None:
    """Return the study of an address; None when there is none."""
    if not (given.isdecimal() and len(given) < 10):
        return None
    try:
        return service.study_detail(session, actor, int(given))
    except NotFound:
        return None
