"""New incident: the desk form. What happened, where, who is responsible; kept as a draft while it is typed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import folium
import streamlit as st
from sqlalchemy.orm import Session

from app import (
    component_offer,
    desk,
    desk_duplicates,
    desk_emergency,
    desk_place,
    guard,
    i18n,
    maps,
    state,
    widgets,
    words,
)
from app.desk import Form
from app.i18n import t
from app.where import territory_of
from core.clock import now
from core.errors import GridkeeperError
from core.identity import Actor
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents import service as incidents
from incidents.model import Catalogue, ClassInfo
from incidents.service.reporting import SOURCES, TEXT_MOST
from incidents.suggest import suggest_classes
from incidents.work import Preview
from layers.style import LIGHT
from layers.values import Question
from people import service as people

MAP_PX = 360
ASSETS = Path(__file__).parent.parent / "assets"
POINT_ZOOM = 17


@dataclass(frozen=True)
class Here:
    """What every part of the page needs."""

    session: Session
    actor: Actor
    territory: TerritoryInfo
    catalogue: Catalogue


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    form = desk.current(actor)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        here = Here(session, actor, territory, incidents.read_catalogue(session, territory))
        widgets.title(t("New incident"), simulated=territory.is_demo)
        st.html(_page_files(), unsafe_allow_javascript=True)
        _news()
        left, right = st.columns([1, 1], gap="medium")
        with left:
            form = _what(form)
            alarm = st.container()  # below what is being typed, which so stays where it is
            form = _class(here, form)
            form = desk_place.show(session, actor, territory, form, _key)
            desk_duplicates.show(session, actor, form)
        with alarm:
            calls = desk_emergency.calls_of(session, actor, territory, here.catalogue, form)
            desk_emergency.show(actor, territory, here.catalogue, form, calls)
        with right:
            form = _map(here, form)
            component_offer.show(here.session, here.actor, form)
            first = desk_emergency.begins_as(actor, here.catalogue, form, calls)
            form = _responsible(here, form, _becomes(here, form, first))
        with left:
            form = _reporter(form)
            _send(actor, form, desk_emergency.begins_as(actor, here.catalogue, form, calls))
    desk.keep(actor, form)
    _draft_note(actor, territory)


@lru_cache(maxsize=1)
def _page_files() -> str:
    """Return the style of this page, and the script that sends the description while it is typed."""
    style, script = ((ASSETS / f"gridkeeper-desk.{kind}").read_text() for kind in ("css", "js"))
    return f"<style>{style}</style><script>{script}</script>"


def _news() -> None:
    """Say what came of the last report, or what stood against it."""
    done = st.session_state.pop(state.NEW_TOLD, None)
    if done is not None:
        number, status, incident_id, follows, waiting = done
        said = (
            t("{number} is filed.", number=number) if status == "filed" else t("{number} is reported.", number=number)
        )
        if follows:
            said = t("{number} is kept as a duplicate of {first} and follows it.", number=number, first=follows)
        elif status == "reported":
            said = f"{said} {t('A supervisor files it next.')}"
        if waiting:
            widgets.alert(
                t("{number} is an emergency and not handed over yet: call, and write it down.", number=number)
            )
        widgets.told(said, widgets.link(t("Open it"), f"/incidents?incident={incident_id}"))
    wrong = st.session_state.pop(state.NEW_WRONG, None)
    if wrong is not None:
        widgets.known_error(wrong)


def _key(name: str) -> str:
    """Return a widget's key: another one in each language and after each report sent."""
    return f"{state.NEW_FORM}_{name}_{i18n.locale()}_{st.session_state.get(state.NEW_ROUND, 0)}"


def _what(form: Form) -> Form:
    widgets.heading(t("What happened"))
    text = st.text_area(
        t("Description"),
        form.text,
        max_chars=TEXT_MOST,
        height=96,
        key=_key("text"),
        help=t("Kept sealed: only those who work on the incident read it."),
    )
    return replace(form, text=text)


def _class(here: Here, form: Form) -> Form:
    classes = list(here.catalogue.classes)
    suggested = suggest_classes(form.text, here.catalogue.classes)
    key = _key("class")
    if suggested and not form.class_key:
        with st.container(horizontal=True, vertical_alignment="center", key="gk-suggested"):
            st.html(f'<span class="gk-muted gk-small">{t("It may be:")}</span>', width="content")
            for rank, each in enumerate(suggested, start=1):
                st.button(
                    t(
                        "{name}: “{words}”",
                        name=here.catalogue.classes[each.class_key].title(i18n.locale()),
                        words=t(", ").join(each.because),
                    ),
                    key=f"{key}_{each.class_key}",
                    shortcut=f"Alt+{rank}",
                    on_click=_take_class,
                    args=(here.actor, form, each.class_key),
                )
    chosen = st.selectbox(
        t("Class"),
        classes,
        index=classes.index(form.class_key) if form.class_key in classes else None,
        format_func=lambda name: _class_name(here.catalogue.classes[name]),
        placeholder=t("Type a part of its name"),
        key=f"{key}_{form.taken}",
    )
    same = (chosen or "") == form.class_key
    why = next((each.because for each in suggested if each.class_key == chosen), ())
    if why:
        widgets.note(t("This class because of: “{words}”.", words=t(", ").join(why)))
    return replace(form, class_key=chosen or "", component_id=form.component_id if same else None)


def _take_class(actor: Actor, form: Form, class_key: str) -> None:
    """Take a suggested class over; the select box is drawn anew with it."""
    desk.keep(actor, replace(form, class_key=class_key, taken=form.taken + 1))


def _class_name(kind: ClassInfo) -> str:
    return f"{kind.title(i18n.locale())} · {i18n.either(kind.category_en, kind.category_zh)}"


def _map(here: Here, form: Form) -> Form:
    """Put the map; a click on it sets the point."""
    overlay = folium.FeatureGroup(name="point")
    if form.lon is not None and form.lat is not None:
        folium.CircleMarker(
            [form.lat, form.lon], radius=9, color=LIGHT.surface, weight=3, fill_color=LIGHT.primary, fill_opacity=1
        ).add_to(overlay)
    today = now().astimezone(here.territory.zone).date()
    nothing = Question("reported", today, today)
    hidden = dict.fromkeys(("grids", "incidents", "facilities", "traffic"), False)
    clicked = st.session_state.get(state.NEW_CLICK)
    fly = None
    if form.lon is not None and form.lat is not None and clicked != (form.lon, form.lat):
        fly = (form.lat, form.lon, POINT_ZOOM)
    key = f"{state.NEW_MAP}-{i18n.locale()}-{st.session_state.get(state.NEW_ROUND, 0)}"
    answer = maps.show(
        maps.city_map(here.territory, maps.map_settings(here.territory, here.actor, {}, island=False)),
        maps.MapState(nothing, nothing, hidden, fly=fly),
        key=key,
        height=MAP_PX,
        overlays=[overlay],
    )
    click = answer.get("last_clicked")
    point = (round(float(click["lng"]), 6), round(float(click["lat"]), 6)) if click else clicked
    if point != clicked and point is not None:
        st.session_state[state.NEW_CLICK] = point
        desk.keep(here.actor, replace(form, lon=point[0], lat=point[1], found=form.place.strip(), component_id=None))
        st.rerun()
    return form


def _becomes(here: Here, form: Form, first: str) -> Preview | None:
    """Say what the report becomes: grid, community, deadline; None until class and point are known."""
    if form.lon is None or form.lat is None:
        widgets.note(t("Choose an address, or click the place on the map."))
        return None
    if not form.class_key:
        widgets.note(t("Choose the class to see who is responsible and by when."))
        return None
    with guard.page():
        preview = incidents.preview(here.session, here.actor, form.class_key, form.lon, form.lat)
        due = i18n.moment(preview.due_at, here.territory.timezone) if preview.due_at else t("no limit")
        widgets.fields(
            {
                t("Community"): i18n.either(preview.community, preview.community_zh),
                t("Unit grid"): widgets.link(preview.grid_code, f"/map?grid={preview.grid_id}"),
                t("Due"): due,
                t("Begins as"): words.status(first),
            }
        )
        return preview
    return None


def _responsible(here: Here, form: Form, preview: Preview | None) -> Form:
    if preview is None:
        return form
    units = people.list_units(here.session, here.actor, here.territory.id)
    names = {unit.id: i18n.either(unit.name, unit.name_zh) for unit in units if unit.kind != "centre"}
    ids = list(names)
    proposed = None if preview.unit is None else preview.unit.id
    unit = form.unit_id if form.unit_id in names else proposed
    chosen = st.selectbox(
        t("Who is responsible"),
        ids,
        index=ids.index(unit) if unit in names else None,
        format_func=names.__getitem__,
        placeholder=t("Choose a unit"),
        key=f"{_key('unit')}_{proposed}",
    )
    form = replace(form, unit_id=None if chosen == proposed else chosen)
    if preview.unit is None:
        widgets.alert(
            t(
                "The duty list names no unit for this class in {community}. Choose one, or file it without:"
                " the dispatcher then decides.",
                community=i18n.either(preview.community, preview.community_zh),
            )
        )
    elif chosen == proposed:
        where = (
            t("the whole territory")
            if preview.whole_territory
            else i18n.either(preview.community, preview.community_zh)
        )
        widgets.note(
            t(
                "Proposed: the duty list names it for this class in {where} ({basis}).",
                where=where,
                basis=preview.legal_basis,
            )
        )
    return form


def _reporter(form: Form) -> Form:
    widgets.heading(t("Who reported it"))
    first, second, third = st.columns([1, 1, 1])
    source = first.selectbox(
        t("Source"), SOURCES, index=SOURCES.index(form.source), format_func=words.source, key=_key("source")
    )
    name = second.text_input(t("Reporter's name"), form.reporter, max_chars=100, key=_key("name"), autocomplete="off")
    phone = third.text_input(t("Phone"), form.phone, max_chars=30, key=_key("phone"), autocomplete="off")
    widgets.note(t("Name, phone and description are kept sealed; the record never shows them."))
    return replace(form, source=source, reporter=name, phone=phone)


def _send(actor: Actor, form: Form, first: str) -> None:
    filed = first == "filed"
    missing = [
        name for name, lacks in ((t("the class"), not form.class_key), (t("the place"), form.lon is None)) if lacks
    ]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            t("File the incident") if filed else t("Report the incident"),
            type="primary",
            key=_key("send"),
            shortcut="Ctrl+Enter",
            disabled=bool(missing),
            on_click=_report,
            args=(actor, form),
        )
        st.button(t("Discard the draft"), key=_key("discard"), on_click=_discard, args=(actor,), disabled=form.is_empty)
        if missing:
            widgets.note(t("Still missing: {things}", things=t(", ").join(missing)))


def _report(actor: Actor, form: Form) -> None:
    """Send the report; runs before the page is drawn anew."""
    command = st.session_state.setdefault(state.NEW_COMMAND, str(uuid.uuid4()))
    form = _typed(form)
    try:
        with transaction(actor) as session:
            territory = territory_of(session, actor)
            calls = desk_emergency.calls_of(
                session, actor, territory, incidents.read_catalogue(session, territory), form
            )
            handed = desk_emergency.answers(form, calls)
            done = incidents.report(session, actor, replace(form.report(), handed_over=handed), command_id=command)
            desk.discard(session, actor)
    except GridkeeperError as error:
        st.session_state[state.NEW_WRONG] = error
        # Nothing of it was kept; a mended report is another command.
        st.session_state.pop(state.NEW_COMMAND, None)
        return
    waiting = len(calls) - len(handed)
    st.session_state[state.NEW_TOLD] = (done.number, done.status, done.incident_id, form.duplicate_number, waiting)
    _fresh()


def _typed(form: Form) -> Form:
    """Return the form with what was typed last: a shortcut may send a field and press the button at once."""
    fields = {"text": "text", "reporter": "name", "phone": "phone", "source": "source"}
    typed = {name: st.session_state.get(_key(key)) for name, key in fields.items()}
    return replace(form, **{name: value for name, value in typed.items() if value is not None})


def _discard(actor: Actor) -> None:
    with transaction(actor) as session:
        desk.discard(session, actor)
    _fresh()


def _fresh() -> None:
    for name in (state.NEW_FORM, state.NEW_SAVED, state.NEW_COMMAND, state.NEW_CLICK):
        st.session_state.pop(name, None)
    st.session_state[state.NEW_ROUND] = st.session_state.get(state.NEW_ROUND, 0) + 1


def _draft_note(actor: Actor, territory: TerritoryInfo) -> None:
    saved = desk.saved_at()
    if saved is not None and actor.user_id is not None:
        widgets.note(t("Draft kept {when}; nobody else sees it.", when=i18n.clock(saved, territory.timezone)))


show()
