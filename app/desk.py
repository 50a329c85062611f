"""The desk form between two runs of the page: in the session, and as a draft in the database."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from app import state
from core.identity import Actor
from geodata.db import transaction
from incidents.work import NewReport
from people.drafts import discard_draft, load_draft, save_draft

KIND = "incident"


@dataclass(frozen=True, slots=True)
class Form:
    """What stands in the form.

    Attributes
    ----------
    unit_id
        Only a unit that is not the proposed one.
    component_id
        The component it is about, while class and place are still those it was chosen for.
    found
        The place as it stood when its point was set; a place typed anew is looked for again.
    taken, placed
        How often a class or a place was taken over by a click; part of the fields' keys.
    duplicate_of, duplicate_number
        The open incident it will follow, and its number.
    called
        Service, moment (ISO) and reference of each emergency call made at the desk.
    quiet
        Words and classes of danger that were said to be a false alarm.
    """

    text: str = ""
    class_key: str = ""
    place: str = ""
    found: str = ""
    lon: float | None = None
    lat: float | None = None
    unit_id: int | None = None
    source: str = "hotline"
    reporter: str = ""
    phone: str = ""
    component_id: int | None = None
    taken: int = 0
    placed: int = 0
    duplicate_of: int | None = None
    duplicate_number: str = ""
    called: tuple[tuple[str, str, str], ...] = ()
    quiet: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Return whether nothing was entered yet."""
        return dataclasses.replace(self, taken=0, placed=0, source="hotline") == Form()

    def report(self) -> NewReport:
        """Return what is sent; only once class and point are there."""
        return NewReport(
            class_key=self.class_key,
            lon=self.lon or 0.0,
            lat=self.lat or 0.0,
            place=self.place.strip(),
            text=self.text,
            reporter=self.reporter,
            phone=self.phone,
            source=self.source,
            unit_id=self.unit_id,
            component_id=self.component_id,
            duplicate_of=self.duplicate_of,
        )


def current(actor: Actor) -> Form:
    """Return the form of this session; at its first look the draft that was kept."""
    known = st.session_state.get(state.NEW_FORM)
    if isinstance(known, Form):
        return known
    form, saved = Form(), None
    if actor.user_id is not None:
        with transaction(actor) as session:
            draft = load_draft(session, actor, KIND)
        if draft is not None:
            form, saved = _form_of(dict(draft.content)), draft.updated_at
    st.session_state[state.NEW_FORM] = form
    st.session_state[state.NEW_SAVED] = (form, saved)
    return form


def keep(actor: Actor, form: Form) -> None:
    """Hold the form, and save it as a draft when it changed."""
    st.session_state[state.NEW_FORM] = form
    last, _ = st.session_state.get(state.NEW_SAVED, (Form(), None))
    if form == last or actor.user_id is None:
        return
    with transaction(actor) as session:
        if form.is_empty:
            discard_draft(session, actor, KIND)
            saved = None
        else:
            saved = save_draft(session, actor, KIND, dataclasses.asdict(form))
    st.session_state[state.NEW_SAVED] = (form, saved)


def discard(session: Session, actor: Actor) -> None:
    """Remove the draft."""
    if actor.user_id is not None:
        discard_draft(session, actor, KIND)


def saved_at() -> dt.datetime | None:
    """Return when the draft was kept last; None when there is none."""
    _, saved = st.session_state.get(state.NEW_SAVED, (None, None))
    return saved if isinstance(saved, dt.datetime) else None


def _form_of(content: dict[str, Any]) -> Form:
    """Return the form of a draft; what a later version of the form no longer has is left out."""
    names = {each.name for each in dataclasses.fields(Form)}
    known = {name: value for name, value in content.items() if name in names}
    known["called"] = tuple((str(service), str(at), str(said)) for service, at, said in known.get("called", ()))
    known["quiet"] = tuple(known.get("quiet", ()))
    return Form(**known)
