"""The tab of calendars: a year at a glance, its days, opening hours, and the forms that propose a change."""

from __future__ import annotations

import calendar as months
import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st
from babel.dates import get_month_names

from app import i18n, rules_parts, state, widgets
from app.i18n import t, tn
from app.rules_parts import Here, say
from app.widgets import Cell, Column
from core.errors import DataQuality, InvalidInput
from core.identity import May
from incidents import rule_words
from incidents.calendars import AHEAD, FIRST_YEAR, LAST_YEAR, known_years, missing_years, working_calendar
from incidents.rule_examples import calendar_of
from incidents.rule_files import days_as_csv, wanted_from_csv
from incidents.rules import CALENDAR, DAY, Fields, Key, Row, Wanted, day_key
from incidents.service import ruling

DAYS, LIST, PASTE, HOURS = "days", "list", "paste", "hours"
SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–至]\s*(\d{1,2}):(\d{2})")


def show(here: Here) -> None:
    """Put the tab."""
    calendars = here.of(CALENDAR)
    if not calendars:
        widgets.empty(
            t("No calendar yet."),
            t("Calendars come with the first territory."),
            link_label=t("First set-up") if here.actor.may(May.SET_UP) else "",
            href="/set-up" if here.actor.may(May.SET_UP) else "",
        )
        return
    code, year = _bar(here, calendars)
    row = calendars[code]
    days = _days(here, code, year)
    name = i18n.either(row.fields["name_en"], row.fields["name_zh"])
    uses = t("counts the limits of {place}", place=here.territory.title(i18n.locale()))
    widgets.heading(f"{name}, {year}", aside=uses if code == here.own_calendar else code)
    rules_parts.waits(here, CALENDAR, code)
    _year(here, code, year, days)
    known = known_years(_holidays(here, code))
    fields: dict[str, Cell] = {
        t("Opening hours"): say(rule_words.hours_words(row.fields["hours"])),
        t("Time zone"): row.fields["timezone"],
        t("Source of the days"): row.fields["holidays_source"],
        t("Days known"): t("{first} to {last}", first=str(known[0]), last=str(known[1])) if known else t("none"),
        t("Version"): str(row.version),
    }
    if code == "always":
        fields.pop(t("Days known"))
    else:
        _warn_of_end(here, code)
    widgets.fields(fields)
    if not days and code != "always":
        widgets.note(t("No holiday and no make-up workday is entered for {year}.", year=str(year)))
    if here.actor.may(May.PROPOSE_RULES):
        with st.expander(t("Propose a change of this calendar"), expanded=False):
            _forms(here, code, year, row)
    elif days:
        widgets.table(
            [Column(t("Day"), fixed=True), Column(t("Kind")), Column(t("Name"))],
            [
                (i18n.day(day), say(rule_words.DAY_WORDS[found.fields["kind"]]), found.fields["name"])
                for day, found in sorted(days.items())
            ],
        )


def _holidays(here: Here, code: str) -> Counter[int]:
    """Return year to its number of public holidays."""
    return Counter(
        rule_words.day_of(key).year
        for key, row in here.of(DAY).items()
        if key.startswith(f"{code}|") and row.fields["kind"] == "holiday"
    )


def _warn_of_end(here: Here, code: str) -> None:
    """Say that deadlines reach into a year whose days are not known."""
    missing = missing_years(_holidays(here, code), here.today.year, (here.today + AHEAD).year)
    if missing:
        put = widgets.alert if code == here.own_calendar else widgets.note
        put(
            t(
                "The public holidays of {years} are not known: deadlines count their weekdays as worked, and no "
                "make-up workday. Add the days as soon as they are published.",
                years=", ".join(map(str, missing)),
            )
        )


def _bar(here: Here, calendars: Mapping[str, Row]) -> tuple[str, int]:
    codes = list(calendars)
    asked = st.query_params.get("calendar", "")
    first = asked if asked in calendars else here.own_calendar if here.own_calendar in calendars else codes[0]
    years = list(range(FIRST_YEAR, LAST_YEAR + 1))
    with widgets.filter_bar():
        code = st.selectbox(
            t("Calendar"),
            codes,
            index=codes.index(first),
            format_func=lambda each: i18n.either(calendars[each].fields["name_en"], calendars[each].fields["name_zh"]),
            key=f"{state.RULES_CALENDAR}_{i18n.locale()}",
            width=220,
        )
        year = st.selectbox(t("Year"), years, index=years.index(here.today.year), key=f"{state.RULES_YEAR}", width=110)
    st.query_params["calendar"] = code
    return code, year


def _days(here: Here, code: str, year: int) -> dict[dt.date, Row]:
    prefix = f"{code}|{year}-"
    return {rule_words.day_of(key): row for key, row in here.of(DAY).items() if key.startswith(prefix)}


def _year(here: Here, code: str, year: int, days: Mapping[dt.date, Row]) -> None:
    """Put twelve months; a marked day says its name, to the mouse and to a reader of the screen."""
    clock = working_calendar(calendar_of(here.rules, code))
    names = get_month_names("wide", locale="zh_CN" if i18n.locale() == "zh" else "en_GB")
    heads = "".join(
        f"<th>{widgets.html(say(day)[-1 if i18n.locale() == 'zh' else slice(0, 2)])}</th>"
        for day in rule_words.WEEKDAYS
    )
    parts = []
    for month in range(1, 13):
        weeks = "".join(
            "<tr>"
            + "".join(_cell(day, month, here.today, days.get(day), open_=clock.is_workday) for day in week)
            + "</tr>"
            for week in months.Calendar().monthdatescalendar(year, month)
        )
        table = f"<table><thead><tr>{heads}</tr></thead><tbody>{weeks}</tbody></table>"
        parts.append(f'<div class="gk-month"><b>{widgets.html(names[month])}</b>{table}</div>')
    counted = [row.fields["kind"] for row in days.values()]
    holidays = tn("{count} holiday", "{count} holidays", counted.count("holiday"))
    made_up = tn("{count} make-up workday", "{count} make-up workdays", counted.count("workday"))
    keys = (
        f'<p class="gk-keys gk-small gk-muted"><span><i class="gk-key gk-holiday"></i>{widgets.html(holidays)}</span>'
        f'<span><i class="gk-key gk-workday"></i>{widgets.html(made_up)}</span>'
        f"<span>{widgets.html(t('grey: closed'))}</span></p>"
    )
    widgets.write(f'<div class="gk-panel"><div class="gk-year">{"".join(parts)}</div>{keys}</div>')


def _cell(day: dt.date, month: int, today: dt.date, row: Row | None, *, open_: Callable[[dt.date], bool]) -> str:
    if day.month != month:
        return "<td></td>"
    classes = [] if open_(day) else ["gk-off"]
    told = ""
    if row is not None:
        classes = [f"gk-{row.fields['kind']}"]
        label = f"{say(rule_words.DAY_WORDS[row.fields['kind']])}: {row.fields['name']}"
        told = f' title="{widgets.html(label)}" aria-label="{day.day}, {widgets.html(label)}"'
    if day == today:
        classes.append("gk-today")
    return f'<td class="{" ".join(classes)}"{told}>{day.day}</td>'


def _forms(here: Here, code: str, year: int, row: Row) -> None:
    names = {
        DAYS: t("Days, one by one"),
        LIST: t("Published list"),
        PASTE: t("Paste a table"),
        HOURS: t("Opening hours"),
    }
    at = f"{code}_{year}_{i18n.locale()}_{st.session_state.get(state.RULES_ROUND, 0)}"
    way = st.segmented_control(
        t("What to change"),
        list(names),
        format_func=names.__getitem__,
        default=DAYS,
        required=True,
        key=f"gk_rule_way_{at}",
    )
    if way == HOURS:
        given = _hours(row.fields, at)
        if given is not None:
            rules_parts.ask(here, {(CALENDAR, code): {"hours": given}}, f"hours_{at}")
        return
    wanted: Wanted | None
    if way == LIST:
        wanted, source = ruling.published_days(here.session, here.actor, code, year)
        if not wanted:
            widgets.note(t("No published list is known for this calendar and year; enter the days, or paste them."))
            return
        widgets.note(t("From {source}.", source=source))
    elif way == PASTE:
        wanted = _pasted(code, at)
    else:
        wanted = _edited(here, code, year, at)
    if wanted is not None:
        rules_parts.ask(here, wanted, f"{way}_{at}")


def _hours(fields: Fields, at: str) -> dict[str, list[list[str]]] | None:
    widgets.note(t("Spans as 09:00-12:00, 13:00-17:00; empty is closed, 00:00-00:00 day and night."))
    given: dict[str, list[list[str]]] = {}
    wrong = []
    columns = st.columns(2)
    for number, pair in enumerate(rule_words.WEEKDAYS, 1):
        spans = fields["hours"].get(str(number), [])
        text = columns[number > 4].text_input(
            say(pair), ", ".join("-".join(span) for span in spans), key=f"gk_rule_hours_{number}_{at}"
        )
        found = [[f"{int(a):02d}:{b}", f"{int(c):02d}:{d}"] for a, b, c, d in SPAN.findall(text)]
        if SPAN.sub("", text).strip(" ,;，；、"):
            wrong.append(say(pair))
        if found:
            given[str(number)] = found
    if wrong:
        widgets.alert(t("These hours cannot be read: {days}.", days=", ".join(wrong)))
        return None
    return given


def _pasted(code: str, at: str) -> Wanted | None:
    text = st.text_area(
        t("Days as CSV: day, kind, name"),
        key=f"gk_rule_csv_{at}",
        height=140,
        placeholder="day,kind,name\n2026-10-01,holiday,国庆节\n2026-10-10,workday,国庆节\n2026-12-28,remove,",
    )
    if not text.strip():
        return None
    try:
        return wanted_from_csv(text if text.lstrip().startswith("day") else f"day,kind,name\n{text}", calendar=code)
    except DataQuality as error:
        told = error.zh if i18n.locale() == "zh" else "; ".join(error.violations[: rules_parts.EDITS_SHOWN])
        widgets.wrong(t("The data break rules."), told)
        return None
    except InvalidInput as error:
        widgets.known_error(error)
        return None


def _edited(here: Here, code: str, year: int, at: str) -> Wanted | None:
    """Ask for the days of the year in a table; return what to want, None when a row cannot be read."""
    days = _days(here, code, year)
    kinds = {key: say(pair) for key, pair in rule_words.DAY_WORDS.items()}
    frame = pd.DataFrame(
        {
            "day": pd.Series(sorted(days), dtype="object"),
            "kind": pd.Series([kinds[days[day].fields["kind"]] for day in sorted(days)], dtype="object"),
            "name": pd.Series([days[day].fields["name"] for day in sorted(days)], dtype="object"),
        }
    )
    edited = st.data_editor(
        frame,
        num_rows="dynamic",
        hide_index=True,
        key=f"gk_rule_days_{at}",
        height=320,
        column_config={
            "day": st.column_config.DateColumn(
                t("Day"), required=True, min_value=dt.date(year, 1, 1), max_value=dt.date(year, 12, 31)
            ),
            "kind": st.column_config.SelectboxColumn(t("Kind"), options=list(kinds.values()), required=True),
            "name": st.column_config.TextColumn(t("Name"), required=True, max_chars=60),
        },
    )
    st.download_button(
        t("These days as CSV"),
        days_as_csv(here.rules, code, year),
        f"{code}-{year}.csv",
        "text/csv",
        key=f"gk_rule_dl_{at}",
    )
    back = {word: key for key, word in kinds.items()}
    wanted: dict[Key, Fields | None] = {}
    for day, kind, name in edited[["day", "kind", "name"]].itertuples(index=False):
        if pd.isna(day) or pd.isna(kind):
            continue
        when = day.date() if isinstance(day, (dt.datetime, pd.Timestamp)) else day
        key = (DAY, day_key(code, when))
        if key in wanted:
            widgets.alert(t("{day} stands twice.", day=i18n.day(when)))
            return None
        wanted[key] = {"kind": back.get(kind, kind), "name": "" if pd.isna(name) else str(name).strip()}
    gone = [(DAY, day_key(code, day)) for day in days]
    return wanted | {key: None for key in gone if key not in wanted}
