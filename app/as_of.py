"""The day a page is asked about: a control whose answer stands in the address, and how it is told."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from app import i18n
from app.i18n import t
from app.widgets import DATE_FORMATS
from core.clock import EARLIEST, now, past_day
from core.errors import InvalidInput
from geodata.territory import TerritoryInfo

PARAMETER = "on"


def from_address(today: dt.date) -> dt.date | None:
    """Return the day ``?on=`` says; None for today, for nonsense and for days to come."""
    try:
        day = past_day(st.query_params.get(PARAMETER, ""), today)
    except InvalidInput:
        return None
    return day if day < today else None


def control(territory: TerritoryInfo, *, key: str) -> dt.date | None:
    """Ask for a day, put it into the address and return it; None is now."""
    today = now().astimezone(territory.zone).date()
    given = from_address(today)
    chosen = st.date_input(
        t("As of"),
        given or today,
        min_value=EARLIEST,
        max_value=today,
        format=DATE_FORMATS[i18n.locale()],
        key=key,
        width=150,
    )
    day = chosen if isinstance(chosen, dt.date) and chosen < today else None
    if day is None:
        st.query_params.pop(PARAMETER, None)
    elif day != given:
        st.query_params[PARAMETER] = day.isoformat()
    return day


def told(day: dt.date | None) -> list[str]:
    """Return what is said of a day of the past, and what is of today even so; nothing of today."""
    if day is None:
        return []
    return [
        t("As it stood at the end of {day}, in the grids of that day", day=i18n.day(day)),
        t("People, facilities and roads are those of today"),
    ]
