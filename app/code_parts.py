"""Parts of the page of codes: a code's meaning and family, schemes, official codes, old and new codes."""

from __future__ import annotations

import datetime as dt
from urllib.parse import quote

import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, state, widgets
from app.i18n import t, tn
from app.official_codes import FOLDER
from app.widgets import Cell, Column
from core.errors import InvalidInput
from core.identity import Actor, May
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from grids import code_lists, coding, drafting, recoding
from grids.coding_model import Meaning, Named, PrefixOffer

SHOWN = 200
MOST_BYTES = 8 * 1024 * 1024


def meaning(session: Session, actor: Actor, told: Meaning) -> None:
    """Put which cells a code means on its day, and the family of the first."""
    day = i18n.day(told.day)
    if told.how == "in force":
        words = t("On {day} it was the code of this grid.", day=day)
    elif told.how == "list":
        words = t("The older list “{name}” wrote it; on {day} its ground was:", name=told.list_name, day=day)
    elif told.how == "later":
        words = t("The grid of this code had ended; on {day} its ground was:", day=day)
    else:
        words = t("The grid of this code had not begun; on {day} its ground was:", day=day)
    widgets.write(f"<p>{widgets.html(words)}</p>")
    if told.cells:
        widgets.table(_cell_columns(), [_cell_row(each) for each in told.cells], bare=True)
    else:
        widgets.note(t("No grid that is known lay there on that day."))
    one = told.borne_by or (told.cells[0] if told.cells else None)
    kin = coding.family(session, actor, one.id) if one else []
    if len(kin) > 1:
        widgets.heading(t("Its family"), aside=t("all it came of and all that came of it"))
        widgets.table(
            [
                Column(t("Generation")),
                Column(t("Code"), fixed=True),
                Column(t("In force")),
                Column(t("Common ground"), right=True, wide=True),
                Column(t("By the change"), wide=True),
            ],
            [
                (
                    _generation(each.depth),
                    widgets.link(each.code, f"/grid-file?grid={each.id}"),
                    span(each.started_on, each.ended_on),
                    t("{area} m²", area=i18n.number(each.shared_m2)),
                    each.made_by,
                )
                for each in kin
            ],
            bare=True,
        )


def schemes(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Put the registry of schemes, and for who may the form that enters one."""
    widgets.table(
        [
            Column(t("Scheme"), fixed=True),
            Column(t("Written as")),
            Column(t("Since"), wide=True),
            Column(t("Grids in force"), right=True),
            Column(t("Where from"), wide=True),
        ],
        [
            (
                widgets.toned(t("{name} (in use)", name=each.key), "good") if each.in_use else each.key,
                pattern_html(each.pattern),
                i18n.day(each.valid_from) if each.valid_from else t("built in"),
                i18n.number(each.cells),
                each.note,
            )
            for each in coding.registry(session, actor, territory)
        ],
    )
    widgets.note(
        t(
            "A changed pattern of the same name is its next version; none is ever altered. Another scheme comes into "
            "force with a change of grids that writes all codes anew: each new code is linked to the old one."
        )
    )
    if not actor.may(May.EDIT_GRIDS):
        return
    with st.form("gk_scheme", border=True):
        widgets.heading(t("A scheme of our own"))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input(t("Name"), placeholder="harbour", width=180)
            pattern = st.text_input(t("Written as"), placeholder="HB{district:6}{community:3}{sequence:4}", width=380)
            note = st.text_input(t("Where from"), width=240)
        if st.form_submit_button(t("Enter the scheme")):
            with transaction(actor, purpose="code scheme") as own:
                made = coding.add_scheme(own, actor, territory, name.strip(), pattern.strip(), note=note)
            _done(t("The scheme {name} is entered.", name=str(made)))


def official(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Put the official codes in force, and for who may the way to take them from the official list."""
    rows = coding.official_codes(session, actor, territory)
    if rows:
        widgets.table(
            [
                Column(t("Community")),
                Column(t("Official code"), fixed=True),
                Column(t("In force")),
                Column(t("In the list"), wide=True),
                Column(t("Where from"), wide=True),
            ],
            [
                (i18n.either(*names), each.code, span(each.valid_from, each.valid_to), each.name, each.source)
                for names, each in rows
            ],
        )
    else:
        widgets.empty(
            t("No community has an official code yet."),
            t("In China each has twelve digits; they come from the official list, found by the names."),
        )
    if actor.may(May.PROPOSE_GRIDS):
        _take(session, actor, territory)


def _take(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    widgets.heading(t("Take official codes"), aside=recoding.source_of(FOLDER))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        districts = st.text_input(t("Districts (six digits each)"), placeholder="110101", key="gk_districts", width=260)
        choice = [key for key, each in coding.known_schemes(session, territory.id).items() if each.official]
        usual = choice.index("cn15")
        wanted = st.selectbox(t("Write the codes by"), choice, index=usual, key="gk_codes_scheme", width=160)
    given = tuple(districts.replace(",", " ").split())
    if not given:
        return
    offers = recoding.offer_prefixes(session, actor, territory, FOLDER, given)
    found = [each for each in offers if each.code]
    widgets.note(t("{found} of {all} communities were found by their names.", found=len(found), all=len(offers)))
    widgets.table([Column(t("Community")), Column(t("Official code"), fixed=True), Column(t("In the list"))], [
        (i18n.either(each.community, each.community_zh), each.code or widgets.toned(t("none"), "late"),
         each.name or _reason(each)) for each in offers[:SHOWN]
    ])  # fmt: skip
    if found and st.button(t("Draft the new codes"), type="primary", key="gk_take"):
        with transaction(actor, purpose="official codes") as own:
            change = drafting.start_draft(own, actor, territory, t("Official codes"))
            recoding.take_prefixes(
                own, actor, territory, change.id, offers, scheme=wanted, source=recoding.source_of(FOLDER)
            )
        _done(t("The draft is made. Look at it under Draw & balance and submit it; a supervisor publishes it."))


def links(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Put which code became which, as a table and a file, and for who may the import of an older list."""
    rows = coding.crosswalk(session, actor, territory)
    if rows:
        widgets.note(tn("{count} link", "{count} links", len(rows)))
        st.download_button(
            t("Download as CSV"),
            code_lists.crosswalk_csv(rows).encode("utf-8-sig"),
            f"crosswalk-{territory.name}.csv",
            "text/csv",
            key="gk_links",
        )
        widgets.table(
            [
                Column(t("Old code"), fixed=True),
                Column(t("New code"), fixed=True),
                Column(t("Since")),
                Column(t("Share of the old"), right=True, wide=True),
                Column(t("By"), wide=True),
            ],
            [
                (
                    f"{row['old_code']} ({row['old_scheme']})",
                    widgets.link(row["new_code"], f"/codes?code={quote(row['new_code'])}"),
                    i18n.day(row["since"]),
                    "–" if row["share_of_old"] is None else f"{row['share_of_old']:.1%}",
                    row["source"],
                )
                for row in rows[:SHOWN]
            ],
        )
    else:
        widgets.empty(
            t("No code has become another one yet."),
            t("Splits, merges and new numbers write it down here; an older list can be brought in as a file."),
        )
    if actor.may(May.EDIT_GRIDS):
        _bring(actor, territory)


def _bring(actor: Actor, territory: TerritoryInfo) -> None:
    with st.form("gk_links_form", border=True):
        widgets.heading(t("Bring in an older list"), aside=t("CSV with the columns old_code and new_code"))
        called = st.text_input(t("What it is called"), placeholder="2019", width=180)
        file = st.file_uploader(t("File"), ["csv"], max_upload_size=MOST_BYTES // 2**20)
        if st.form_submit_button(t("Bring in")) and file is not None:
            content = _utf8(file.getvalue())
            with transaction(actor, purpose="crosswalk") as own:
                added = coding.bring_crosswalk(own, actor, territory, content, name=file.name, old_scheme=called)
            _done(tn("{count} link was new.", "{count} links were new.", added))


def _utf8(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(
            "The file is not UTF-8.", hint="Save it as CSV UTF-8.", zh="文件不是 UTF-8 编码，请另存为 CSV UTF-8。"
        ) from None


def span(first: dt.date, end: dt.date | None) -> str:
    """Return from when to when something was in force; ``end`` is the first day it was not."""
    if end is None:
        return t("since {day}", day=i18n.day(first))
    return t("{first} to {last}", first=i18n.day(first), last=i18n.day(max(first, end - dt.timedelta(days=1))))


def _reason(offer: PrefixOffer) -> str:
    if offer.reason.startswith("several"):
        return t("several have this name: {which}", which=offer.reason.split(": ", 1)[-1])
    if offer.reason.startswith("another"):
        return t("another community claims the same code")
    return t("no community of the list has this name")


def pattern_html(pattern: str) -> widgets.Html:
    """Return a pattern that may go on in the next line after each of its parts."""
    return widgets.Html(widgets.html(pattern).replace("}{", "}<wbr>{"))


def _generation(depth: int) -> str:
    if depth == 0:
        return t("itself")
    if depth < 0:
        return tn("{count} before", "{count} before", -depth)
    return tn("{count} after", "{count} after", depth)


def _cell_columns() -> list[Column]:
    return [
        Column(t("Code"), fixed=True),
        Column(t("Community")),
        Column(t("In force")),
        Column(t("Scheme"), wide=True),
    ]


def _cell_row(each: Named) -> tuple[Cell, ...]:
    return (
        widgets.link(each.code, f"/grid-file?grid={each.id}"),
        i18n.either(each.community, each.community_zh),
        span(each.started_on, each.ended_on),
        each.scheme,
    )


def _done(words: str) -> None:
    st.session_state[state.CODES_DONE] = words
    st.rerun()
