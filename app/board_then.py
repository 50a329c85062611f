"""The Board asked about a day of the past: it is about now, and what stood then is in the list of that day."""

from __future__ import annotations

import datetime as dt

from app import i18n, widgets
from app.as_of import PARAMETER
from app.i18n import t


def show(day: dt.date) -> None:
    """Say that the Board shows now alone, and where the incidents of a day stand."""
    told = i18n.day(day)
    widgets.empty(
        t("The Board is about now; it cannot be shown as of {day}.", day=told),
        t("Which incidents were open then, and in which grids, stands in the list as of that day."),
    )
    listed = widgets.link(t("Incidents as of {day}", day=told), f"/incidents?{PARAMETER}={day}&status=open")
    widgets.write(f"<p>{listed.text} · {widgets.link(t('Board of now'), '/board').text}</p>")
