"""Parts that all pages share: the head, titles, facts, tables, empty states, errors."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape

import streamlit as st

from app import guard, i18n, state
from app.api.assets import asset_url
from app.i18n import t
from app.roles import role_name
from app.theme import css
from core.errors import Conflict, DataQuality, GridkeeperError, InvalidInput, NotFound, NotPermitted, SourceUnavailable
from core.identity import Actor, May, system_actor
from geodata.db import transaction
from people import accounts

DATE_FORMATS = {"en": "DD/MM/YYYY", "zh": "YYYY-MM-DD"}


@dataclass(frozen=True, slots=True)
class Html:
    """Text that is already HTML; everything else is escaped."""

    text: str


Cell = str | int | Html | None


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of the strip on top of a page; ``tone`` is late, soon or empty."""

    label: str
    value: str
    tone: str = ""
    note: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; ``wide`` ones are left out on a phone."""

    title: str
    right: bool = False
    fixed: bool = False
    wide: bool = False


def html(cell: Cell) -> str:
    """Return a cell as safe HTML; a dash for nothing."""
    if isinstance(cell, Html):
        return cell.text
    return "–" if cell is None or cell == "" else escape(str(cell))


def plain(label: str) -> str:
    """Return text that somebody typed for a label of Streamlit, which reads Markdown: every sign stands for itself."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!:$~|])", r"\\\1", label)


def link(label: str, href: str, tone: str = "") -> Html:
    """Return a link inside the platform, in the colour of a state where one is given."""
    css_class = f' class="gk-{tone}"' if tone else ""
    return Html(f'<a href="{escape(href)}" target="_self"{css_class}>{escape(label)}</a>')


def two_lines(first: str, second: str) -> Html:
    """Return a cell that says on a phone, below, what stands in a column of its own elsewhere."""
    return Html(f'{escape(first)}<span class="gk-narrow gk-muted gk-small">{escape(second)}</span>')


def toned(label: str, tone: str) -> Html:
    """Return words in the colour of a state (late, soon, good, done); the words say it as well."""
    return Html(f'<span class="gk-{tone}">{escape(label)}</span>' if tone else escape(label))


def write(body: str) -> None:
    """Put HTML of this module on the page."""
    st.html(f'<div class="gk">{body}</div>')


def title(words: str, *, simulated: bool = False, aside: str = "") -> None:
    """Put the page's title, with the label that data are simulated where they are."""
    label = f'<span class="gk-label">{escape(t("Simulated data"))}</span>' if simulated else ""
    note = f'<span class="gk-muted">{escape(aside)}</span>' if aside else ""
    write(f'<div class="gk-title"><h1>{escape(words)}</h1>{note}{label}</div>')


def heading(words: str, *, aside: str = "", anchor: str = "") -> None:
    """Put a heading over a part of the page; a number elsewhere on the page may lead to its ``anchor``."""
    note = f' <span class="gk-muted gk-small">{escape(aside)}</span>' if aside else ""
    name = f' id="{escape(anchor)}"' if anchor else ""
    write(f"<h2{name}>{escape(words)}{note}</h2>")


def note(words: str) -> None:
    """Put a small muted line."""
    write(f'<p class="gk-muted gk-small">{escape(words)}</p>')


def facts(items: Sequence[Fact]) -> None:
    """Put the strip of numbers; each with an address is a link to its rows."""
    write('<div class="gk-facts">' + "".join(_fact(item) for item in items) + "</div>")


def _fact(item: Fact) -> str:
    tone = f" gk-{item.tone}" if item.tone else ""
    extra = f'<span class="gk-muted gk-small">{escape(item.note)}</span>' if item.note else ""
    label = f'<span class="gk-muted">{escape(item.label)}</span>'
    body = f'{label}<span class="gk-value{tone}">{escape(item.value)}</span>{extra}'
    return f'<a href="{escape(item.href)}" target="_self">{body}</a>' if item.href else f"<div>{body}</div>"


def table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, bare: bool = False) -> None:
    """Put a plain table with links, ``bare`` without a frame; for more rows than a screen holds use a data frame."""
    classes = [
        " ".join(
            name
            for name, on in (("gk-right", column.right), ("gk-fixed", column.fixed), ("gk-wide", column.wide))
            if on
        )
        for column in columns
    ]
    head = "".join(
        f'<th class="{css_class}">{escape(column.title)}</th>'
        for column, css_class in zip(columns, classes, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f'<td class="{css_class}">{html(cell)}</td>' for cell, css_class in zip(row, classes, strict=True))
        + "</tr>"
        for row in rows
    )
    frame = "gk-scroll" if bare else "gk-panel gk-scroll"
    write(f'<div class="{frame}"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>')


def fields(items: Mapping[str, Cell], *, beside: bool = False) -> None:
    """Put names and values below each other; two pairs beside each other where there is room and it is wanted."""
    body = "".join(f"<div><dt>{escape(name)}</dt><dd>{html(value)}</dd></div>" for name, value in items.items())
    css_class = "gk-beside" if beside else ""
    write(f'<div class="gk-panel"><dl class="{css_class}">{body}</dl></div>')


def empty(what: str, why: str, *, link_label: str = "", href: str = "") -> None:
    """Put what would stand here, why it does not, and the next step."""
    step = f"<p>{link(link_label, href).text}</p>" if href else ""
    write(f'<div class="gk-empty"><b>{escape(what)}</b>{escape(why)}{step}</div>')


@contextmanager
def filter_bar() -> Iterator[None]:
    """Put the filters of a page in one bar above it; on a phone they fold into one line that opens by a tap."""
    with st.container(key="gk-filterbar"):
        label = escape(t("Filters"))
        write(f'<label class="gk-unfold"><input type="checkbox">{label}</label>')
        with st.container(horizontal=True, vertical_alignment="bottom", key="gk-filters"):
            yield


def dates(start: tuple[dt.date, dt.date], *, key: str, label: str = "") -> tuple[dt.date, dt.date]:
    """Ask for a first and a last day, both included; while only one is chosen it stands for both."""
    given = st.date_input(
        label or t("From – to"), start, max_value=start[1], format=DATE_FORMATS[i18n.locale()], key=key, width=230
    )
    return (given[0], given[-1]) if isinstance(given, tuple) and given else start


def head(actor: Actor, territories: Mapping[int, str]) -> None:
    """Put the head that all pages share: territory, language, who acts, log out.

    ``territories`` are the titles by id. Who has a role in several may change between them here.
    """
    st.html(css(t("Gridkeeper"), t("Choose a file"), t("More")))
    with st.container(key="gk-head", horizontal=True, vertical_alignment="center"):
        if actor.may(May.SEE_MAP):
            _search(actor)
        _scope(actor, territories)
        st.segmented_control(
            t("Language"),
            options=list(i18n.LOCALES),
            format_func=i18n.NAMES.__getitem__,
            default=i18n.locale(),
            key=f"{state.LANGUAGE_SWITCH}_{i18n.locale()}",
            label_visibility="collapsed",
            required=True,
            on_change=_switch_language,
        )
        who = guard.current_title() or actor.label
        role = role_name(actor.role)
        # The account's title mostly says the role already: "Handler, Parks and Greenery", 规划师.
        words = who if _names(who, role) else f"{who} · {role}"
        st.html(
            f'<a class="gk-who" href="/my-account" target="_self" title="{escape(words)}">{escape(words)}</a>',
            width="content",
        )
        leave = f'<form class="gk-leave" method="post" action="/logout"><button>{escape(t("Log out"))}</button></form>'
        st.html(leave, width="content")


def acting(timezones: Mapping[int, str]) -> None:
    """Say below the head for whom the user acts, where he does, and until when; time zones by territory."""
    live = guard.stored_session()
    if live is None or live.acting is None:
        return
    until = i18n.last_day(live.acting.until, timezones.get(live.actor.territory_id or 0, "UTC"))
    words = t("You act for {title}, until {day}.", title=live.acting.title(i18n.locale()), day=until)
    st.html(f'<div class="gk gk-acting" role="status">{escape(words)}</div>')


def _names(title: str, role: str) -> bool:
    """Return whether a title says the role: by its last word, or by its first two characters in Chinese."""
    told = role[:2] if i18n.locale() == "zh" else role.rsplit(maxsplit=1)[-1].lower()
    return told in title.lower()


def _search(actor: Actor) -> None:
    """Put the search of the head: a plain form that works before anything has loaded; the script makes more of it."""
    what = t("Search number, place or name")
    incidents = actor.may(May.SEE_INCIDENTS)
    told = {
        "title": what,
        "hint": t("A number, a road, a place, a grid's code, a name, or coordinates."),
        "none": t("Nothing is called so."),
        "failed": t("The search does not answer. Try again."),
        "all": t("All incidents with “{text}”", text="{text}") if incidents else "",
    }
    data = " ".join(f'data-{name}="{escape(text)}"' for name, text in told.items())
    st.html(
        f'<form class="gk-search" role="search" method="get" action="/{"incidents" if incidents else "map"}" {data}>'
        f'<input type="search" name="find" maxlength="60" required aria-label="{escape(what)}"'
        f' placeholder="{escape(what)}" title="Ctrl+K"></form>'
        f'<button class="gk-find" type="button" aria-label="{escape(what)}" title="{escape(what)} (Ctrl+K)"></button>'
        f'<script src="{asset_url("gk/gridkeeper-search.js")}"></script>',
        width="content",
        unsafe_allow_javascript=True,
    )


def _scope(actor: Actor, territories: Mapping[int, str]) -> None:
    live = guard.stored_session()
    mine = {}
    if live is not None:
        with transaction(system_actor()) as session:  # whose role he may act in, an officer does not read
            mine = {account.role_id: account for account in accounts.accounts_of(session, actor.user_id or 0)}
    if live is None or len(mine) < 2:
        place = territories.get(actor.territory_id or 0, "")
        st.html(f'<span class="gk-scope">{escape(place)}</span>', width="content")
        return
    several_roles = len({account.role for account in mine.values()}) > 1 or any(each.acting for each in mine.values())

    def words(role_id: int) -> str:
        account = mine[role_id]
        place = territories.get(account.territory_id, "")
        label = f"{place} · {role_name(account.role)}" if several_roles else place
        if account.acting is None:
            return label
        return t("{label}, for {title}", label=label, title=account.acting.title(i18n.locale()))

    key = f"{state.SCOPE_SWITCH}_{live.role_id}"
    st.selectbox(
        t("Territory"),
        options=list(mine),
        index=list(mine).index(live.role_id) if live.role_id in mine else 0,
        format_func=words,
        key=key,
        label_visibility="collapsed",
        on_change=_switch_role,
        args=(key,),
        width=200,
    )


def _switch_role(key: str) -> None:
    live, chosen = guard.stored_session(), st.session_state.get(key)
    if live is None or not isinstance(chosen, int):
        return
    with transaction(system_actor(label=live.actor.label)) as session:
        accounts.switch_role(session, live, chosen)
    guard.forget_sessions()
    st.query_params.clear()


def _switch_language() -> None:
    chosen = st.session_state.get(f"{state.LANGUAGE_SWITCH}_{i18n.locale()}")
    if chosen not in i18n.LOCALES:
        return
    i18n.use(chosen)
    live = guard.stored_session()
    if live is not None:
        with transaction(system_actor(label=live.actor.label)) as session:
            accounts.set_locale(session, live, chosen)
        guard.forget_sessions()


def session_ended() -> None:
    """Say that nobody is logged in any more, with the way back in."""
    st.html(css(t("Gridkeeper"), t("Choose a file"), t("More")))
    empty(
        t("Your session has ended."),
        t("You were away for long, logged out elsewhere, or an administrator ended it."),
        link_label=t("Log in again"),
        href="/login",
    )


def told(words: str, cell: Cell = None) -> None:
    """Put what came of an act, with a link where there is one."""
    tail = f" {html(cell)}" if cell is not None else ""
    write(f'<div class="gk-told" role="status">{escape(words)}{tail}</div>')


def alert(words: str) -> None:
    """Put what must not be overlooked, in one sentence."""
    write(f'<div class="gk-wrong" role="alert"><p>{escape(words)}</p></div>')


def wrong(first: str, rest: str) -> None:
    """Put what went wrong and, below it, the exact words or the way out."""
    write(f'<div class="gk-wrong" role="alert"><b>{escape(first)}</b><p>{escape(rest)}</p></div>')


def known_error(error: GridkeeperError) -> None:
    """Say what went wrong and the way out; the exact words of the source stand below."""
    words = {
        NotPermitted: t("This is not for your role."),
        NotFound: t("This does not exist, or not in your area."),
        Conflict: t("Somebody else changed this meanwhile. Load the page again."),
        DataQuality: t("The data break rules."),
        InvalidInput: t("This cannot be used as it is."),
        SourceUnavailable: t("Something that is needed cannot be reached."),
    }
    first = next((words[kind] for kind in type(error).__mro__ if kind in words), t("This did not work."))
    # Fixed sentences are in the catalogue; one with a name of a file or a number in it stays as it was raised.
    translated = " ".join(t(part) for part in (error.message, error.hint) if part)
    wrong(first, error.zh if error.zh and i18n.locale() == "zh" else translated)


def unknown_error(error_id: str) -> None:
    """Say that something unexpected happened, under which id it was logged."""
    first = t("Something went wrong on our side.")
    rest = t("Try again; if it happens again, tell your administrator this number: {id}", id=error_id)
    wrong(first, rest)
