"""Words, numbers and times in the reader's language: English or Chinese.

Texts in the code are English and are the keys; the files ``locale/zh/LC_MESSAGES/*.po``, one a subject,
hold the Chinese and are read at run time, so there is no build step.
"""

from __future__ import annotations

import datetime as dt
import gettext
import io
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from core.clock import now as clock_now

LOCALES = ("en", "zh")
NAMES = {"en": "EN", "zh": "中"}
FOLDER = Path(__file__).parent / "locale"
SESSION_KEY = "locale"
"""Key in Streamlit's session state; a fragment runs in a fresh thread and finds its language there."""

_BABEL = {"en": Locale("en", "GB"), "zh": Locale("zh", "CN", script="Hans")}
Made = TypeVar("Made")
_chosen: ContextVar[str | None] = ContextVar("gridkeeper_locale", default=None)


def use(locale: str) -> None:
    """Make ``locale`` the language of this thread or task, and of the Streamlit session if there is one."""
    _chosen.set(locale)
    state = _session_state()
    if state is not None:
        state[SESSION_KEY] = locale


def here(make: Callable[[], Made]) -> Callable[[], Made]:
    """Return what makes the same in the language in use now: a file is made on a click, where no page runs."""
    language = locale()

    def made() -> Made:
        def speaking() -> Made:
            _chosen.set(language)
            return make()

        return copy_context().run(speaking)

    return made


def locale() -> str:
    """Return the language in use: of this thread or task, else of the Streamlit session, else English."""
    chosen = _chosen.get()
    if chosen is None:
        state = _session_state()
        chosen = None if state is None else str(state.get(SESSION_KEY, LOCALES[0]))
    return chosen if chosen in LOCALES else LOCALES[0]


def _session_state() -> dict[str, object] | None:
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    import streamlit as st

    return st.session_state  # type: ignore[return-value]


@lru_cache(maxsize=len(LOCALES))
def _texts(language: str) -> gettext.NullTranslations:
    paths = sorted((FOLDER / language / "LC_MESSAGES").glob("*.po"))
    if not paths:
        return gettext.NullTranslations()
    catalogue = Catalog(locale=language)
    for path in paths:
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                catalogue[message.id] = message
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def t(text: str, /, **values: object) -> str:
    """Return ``text`` in the language in use, with ``{name}`` filled from ``values``."""
    translated = _texts(locale()).gettext(text) if text else ""
    return translated.format(**values) if values else translated


def tn(one: str, many: str, count: int, /, **values: object) -> str:
    """Return ``one`` or ``many`` by ``count`` in the language in use; ``{count}`` is filled, grouped."""
    return _texts(locale()).ngettext(one, many, count).format(count=number(count), **values)


def either(english: str | None, chinese: str | None) -> str:
    """Return the name in the language in use, or the only one there is; data, not interface text."""
    first, second = (chinese, english) if locale() == "zh" else (english, chinese)
    return first or second or ""


def number(value: float | None, digits: int = 0) -> str:
    """Return a number with group separators and at most ``digits`` decimals (no more than 2)."""
    if value is None:
        return "–"
    pattern = "#,##0" + ("." + "#" * min(digits, 2) if digits else "")
    return str(format_decimal(round(value, min(digits, 2)), format=pattern, locale=_BABEL[locale()]))


def day(value: dt.date) -> str:
    """Return a day as "3 Mar 2026" or "2026年3月3日"."""
    return str(format_date(value, format="medium", locale=_BABEL[locale()]))


def last_day(end: dt.datetime, timezone: str) -> str:
    """Return the local day on which something ends; what ends at a midnight ends with the day before."""
    return day((end - dt.timedelta(microseconds=1)).astimezone(ZoneInfo(timezone)).date())


def long_day(when: dt.datetime, timezone: str) -> str:
    """Return the local day with its weekday and time: "Friday 20 November, 14:05"."""
    pattern = "M月d日 EEEE HH:mm" if locale() == "zh" else "EEEE d MMMM, HH:mm"
    return str(format_datetime(when, pattern, tzinfo=ZoneInfo(timezone), locale=_BABEL[locale()]))


def span(length: dt.timedelta) -> str:
    """Return a length of time in words, rounded to its largest unit: "40 min", "3 h", "5 days"."""
    minutes = abs(length.total_seconds()) / 60
    if minutes < 59.5:
        return tn("{count} min", "{count} min", round(minutes))
    if minutes < 48 * 60:
        return tn("{count} h", "{count} h", round(minutes / 60))
    return tn("{count} day", "{count} days", round(minutes / 1440))


def distance(when: dt.datetime, *, now: dt.datetime | None = None) -> str:
    """Return how far a moment is from now: "in 40 min" or "3 h ago"."""
    away = when - (now or clock_now())
    if abs(away.total_seconds()) < 30:
        return t("just now")
    return t("in {span}", span=span(away)) if away > dt.timedelta() else t("{span} ago", span=span(away))


def clock(when: dt.datetime, timezone: str, *, now: dt.datetime | None = None) -> str:
    """Return the local time as "Tue 14:05" within six days, else with the date (and year if another)."""
    zone, babel = ZoneInfo(timezone), _BABEL[locale()]
    local, today = when.astimezone(zone), (now or clock_now()).astimezone(zone).date()
    hour = format_time(local, format="HH:mm", locale=babel, tzinfo=zone)
    apart = abs((local.date() - today).days)
    if apart == 0:
        return t("today {time}", time=hour)
    if apart < 6:
        return f"{format_date(local.date(), format='EEE', locale=babel)} {hour}"
    if local.year == today.year:
        pattern = "M月d日 HH:mm" if locale() == "zh" else "d MMM HH:mm"
        return str(format_datetime(local, format=pattern, locale=babel, tzinfo=zone))
    return day(local.date())


def moment(when: dt.datetime | None, timezone: str, *, now: dt.datetime | None = None) -> str:
    """Return local time and distance, "Tue 14:05, in 40 min"; a dash for no moment."""
    if when is None:
        return "–"
    return t("{clock}, {distance}", clock=clock(when, timezone, now=now), distance=distance(when, now=now))


def best_locale(accept_language: str) -> str:
    """Return the language a browser asks for in its Accept-Language header, English if neither."""
    wishes = []
    for part in accept_language.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wishes.append((-float(quality or 1), tag.lower()))
        except ValueError:
            continue
    for _, tag in sorted(wishes, key=lambda wish: wish[0]):
        if tag[:2] in LOCALES:
            return tag[:2]
    return LOCALES[0]
