"""Catalogue: what data there are, whose, how fresh, who uses them; asking for them and taking them along."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import catalogue_asks, catalogue_parts, catalogue_words, guard, i18n, state, widgets
from app.catalogue_parts import Around
from app.i18n import t
from app.where import territory_of
from app.widgets import Column, Fact
from core.clock import now
from core.errors import GridkeeperError
from core.identity import May, require
from geodata import asking, catalogue
from geodata.catalogue_model import Entry
from geodata.db import transaction

SHOW = ("all", "stale", "unused", "restricted")


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_CATALOGUE)
    with transaction(actor) as session:
        around = Around(actor, territory_of(session, actor), now())
        known = catalogue.entries(session, actor)
        widgets.title(t("Catalogue"))
        catalogue_parts.news()
        chosen = _chosen(session, around)
        if chosen is None:
            _facts(session, around, known)
        wanted = _bar(around, known)
        if chosen is None:
            _list(around, wanted, chosen=None)
        else:
            with st.container(key="gk-beside"):
                left, right = st.columns([1, 1.4], gap="medium")
            with left:
                _list(around, wanted, chosen=chosen)
            with right, st.container(key="gk-detail"):
                if st.button(t("Close"), key="gk_close_detail"):
                    st.query_params.pop("entry", None)
                    st.rerun()
                with guard.page():
                    catalogue_parts.show(session, around, chosen)
        catalogue_asks.show(session, around)
        _others()


def _facts(session: Session, around: Around, known: list[Entry]) -> None:
    waiting = sum(each.state == "waiting" for each in asking.listed(session, around.actor))
    stale = sum(each.stale(around.now) for each in known)
    unused = sum(each.unused(around.now) for each in known)
    facts = [
        Fact(t("Data sets"), i18n.number(len(known)), href="/catalogue"),
        Fact(t("Stale"), i18n.number(stale), tone="soon" if stale else "empty", href="/catalogue?show=stale"),
        Fact(t("Requests that wait"), i18n.number(waiting), tone="soon" if waiting else "", href="#requests"),
    ]
    if catalogue.oversees_uses(around.actor):
        facts.insert(2, Fact(t("Unused for 90 days"), i18n.number(unused), href="/catalogue?show=unused"))
    widgets.facts(facts)


def _bar(around: Around, known: list[Entry]) -> list[Entry]:
    names = {"all": t("All"), "stale": t("Stale"), "unused": t("Unused"), "restricted": t("Restricted")}
    given = st.query_params.get("show", "all")
    with widgets.filter_bar():
        text = st.text_input(t("Title, column or owner"), max_chars=60, key=state.CATALOGUE_TEXT, width=260)
        shown = st.selectbox(
            t("Show"),
            SHOW,
            SHOW.index(given) if given in SHOW else 0,
            format_func=names.__getitem__,
            key=f"{state.CATALOGUE_SHOW}_{given}_{i18n.locale()}",
            width=170,
        )
    return [each for each in known if _fits(around, each, shown) and _says(each, text.strip().casefold())]


def _fits(around: Around, one: Entry, shown: str) -> bool:
    match shown:
        case "stale":
            return one.stale(around.now)
        case "unused":
            return one.unused(around.now)
        case "restricted":
            return one.offer.sensitivity == "restricted"
        case _:
            return True


def _says(one: Entry, text: str) -> bool:
    offer = one.offer
    words = [offer.key, offer.title_en, offer.title_zh, offer.about_en, offer.about_zh, one.owner, one.owner_zh or ""]
    words += [part for each in offer.fields for part in (each.name, each.title_en, each.title_zh)]
    return not text or any(text in word.casefold() for word in words)


def _chosen(session: Session, around: Around) -> Entry | None:
    """Return the entry of the address; an unknown one is said."""
    key = st.query_params.get("entry", "").strip()
    if not key:
        return None
    try:
        return catalogue.entry(session, around.actor, key)
    except GridkeeperError as error:
        widgets.known_error(error)
        return None


def _list(around: Around, rows: list[Entry], *, chosen: Entry | None) -> None:
    if not rows:
        widgets.empty(
            t("Nothing in the catalogue fits."), t("Take a filter away."), link_label=t("All data"), href="/catalogue"
        )
        return
    narrow = chosen is not None
    columns = [Column(t("Data"))]
    if not narrow:
        columns += [Column(t("Owner unit"), wide=True), Column(t("Sensitivity"), wide=True)]
    columns += [Column(t("Brought up to date"), right=True)]
    if not narrow:
        columns += [Column(t("Last read"), right=True, wide=True), Column("", wide=True)]
    widgets.table(columns, [_row(around, each, narrow=narrow, here=chosen) for each in rows])


def _row(around: Around, one: Entry, *, narrow: bool, here: Entry | None) -> list[widgets.Cell]:
    zone = around.territory.timezone
    title = one.offer.title(i18n.locale())
    marked = here is not None and here.key == one.key
    link = widgets.link(title, f"/catalogue?entry={one.key}")
    cells: list[widgets.Cell] = [widgets.Html(f"<b>{link.text}</b>") if marked else link]
    if not narrow:
        word = catalogue_words.sensitivity(one.offer.sensitivity)
        cells += [
            catalogue_words.owner(one),
            word if one.readable else widgets.toned(t("{word}, to be asked for", word=word), "soon"),
        ]
    lasting = catalogue_words.rhythm(one.rhythm) if one.rhythm == "continuous" else None
    cells.append(i18n.clock(one.updated_at, zone, now=around.now) if one.updated_at else lasting)
    if not narrow:
        use = one.last_use
        cells.append(i18n.clock(use.last_at, zone, now=around.now) if use is not None and use.last_at else None)
        cells.append(widgets.toned(*catalogue_words.marks(one, around.now)))
    return cells


def _others() -> None:
    widgets.heading(t("For other systems"))
    widgets.note(
        t(
            "OGC API – Features and Tiles lives at /ogc of this address: QGIS, GDAL and others read it with a token,"
            " which you make under My account. What your role may not see is not there."
        )
    )
    links = (("/ogc", t("Interface")), ("/ogc/api", "OpenAPI"), ("/api/catalogue.jsonld", "DCAT-AP (JSON-LD)"))
    told = " · ".join(f'<a href="{href}" target="_blank">{widgets.html(label)}</a>' for href, label in links)
    widgets.write(f"<p>{told} · {widgets.link(t('Tokens'), '/my-account').text}</p>")


show()
