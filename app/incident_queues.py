"""The queues above the list: one press opens one, its address can be passed on; the filter may be kept under a name."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, incident_filters, state, widgets
from app.i18n import t
from core.errors import GridkeeperError
from core.identity import Actor
from geodata.db import transaction
from incidents.model import IncidentFilter
from incidents.queues import NAME_MOST, SHIPPED, Queue
from incidents.service import queues as service


@dataclass(frozen=True)
class Queues:
    """The queues of the actor and the one that the address names, None when it names none of them."""

    known: tuple[Queue, ...]
    chosen: Queue | None

    @property
    def base(self) -> Queue | None:
        """Return the shipped queue that the chosen one is, or that it was kept from."""
        if self.chosen is None:
            return None
        key = self.chosen.ask.get("queue", "") if self.chosen.own else self.chosen.key
        return next((queue for queue, _ in SHIPPED if queue.key == key), None)

    def within(self, wanted: IncidentFilter) -> IncidentFilter:
        """Return the filter of the bar inside the chosen queue."""
        return wanted if self.base is None else replace(wanted, mark=self.base.mark, mine=self.base.mine)


def take(session: Session, actor: Actor) -> Queues:
    """Return the queues, and set the bar when another queue is opened than the last run showed."""
    known = tuple(service.list_queues(session, actor))
    key = st.query_params.get("queue", "")
    chosen = next((queue for queue in known if queue.key == key), None)
    if chosen is None and key:
        st.query_params.pop("queue")
    last = st.session_state.get(state.LIST_QUEUE, "")
    key = "" if chosen is None else chosen.key
    if key != last:
        st.session_state[state.LIST_QUEUE] = key
        if chosen is not None and not any(name in st.query_params for name in incident_filters.BAR_NAMES):
            incident_filters.set_bar(chosen.ask)
            for name in (*incident_filters.PLACE_NAMES, "moved"):
                if name in chosen.ask:
                    st.query_params[name] = chosen.ask[name]
    return Queues(known, chosen)


def show(session: Session, actor: Actor, queues: Queues) -> None:
    """Put the queues with their counts, one chosen at most."""
    counts = service.count_queues(session, actor, queues.known)
    names = {queue.key: _label(queue, counts.get(queue.key)) for queue in queues.known}
    key = "" if queues.chosen is None else queues.chosen.key
    widget = f"gk_queues_{key}_{i18n.locale()}"
    with st.container(key="gk-queues"):
        st.pills(
            t("Queues"),
            list(names),
            format_func=names.__getitem__,
            default=key or None,
            key=widget,
            on_change=_open,
            args=(widget,),
            label_visibility="collapsed",
        )


def keep_or_drop(actor: Actor, queues: Queues) -> None:
    """Put the way to keep the present filter as a queue, and to drop the own one that is open."""
    asked = incident_filters.bar_address() | incident_filters.narrowed().address()
    if queues.base is not None:
        asked["queue"] = queues.base.key
    wrong = st.session_state.pop(state.QUEUE_WRONG, None)
    own = queues.chosen if queues.chosen is not None and queues.chosen.own else None
    if own is not None:
        st.button(t("Drop this queue"), type="tertiary", key="gk_queue_drop", on_click=_drop, args=(actor, own.key))
    if set(asked) - {"queue"} and (own is None or dict(own.ask) != asked):
        with st.popover(t("Keep as a queue"), type="tertiary", key="gk_queue_keep"):
            st.text_input(t("Name of the queue"), own.en if own else "", max_chars=NAME_MOST, key=state.QUEUE_NAME)
            st.button(t("Keep"), key="gk_queue_keep_go", on_click=_keep, args=(actor, asked))
            widgets.note(t("Only you see it; an own queue of that name is replaced."))
    if wrong is not None:
        widgets.known_error(wrong)


def _label(queue: Queue, count: int | None) -> str:
    name = i18n.either(queue.en, queue.zh)
    name = widgets.plain(name) if queue.own else name
    return name if count is None else f"{name} {i18n.number(count)}"


def _open(widget: str) -> None:
    chosen = st.session_state.get(widget)
    incident_filters.widen()
    st.query_params.pop("incident", None)
    if chosen:
        st.query_params["queue"] = chosen
    else:
        st.query_params.pop("queue", None)
        incident_filters.set_bar({})
    st.session_state[state.LIST_ROUND] = st.session_state.get(state.LIST_ROUND, 0) + 1


def _keep(actor: Actor, asked: dict[str, str]) -> None:
    try:
        with transaction(actor) as session:
            key = service.keep_queue(session, actor, st.session_state.get(state.QUEUE_NAME) or "", asked)
    except GridkeeperError as error:
        st.session_state[state.QUEUE_WRONG] = error
        return
    st.query_params["queue"] = key


def _drop(actor: Actor, key: str) -> None:
    try:
        with transaction(actor) as session:
            service.drop_queue(session, actor, key)
    except GridkeeperError as error:
        st.session_state[state.QUEUE_WRONG] = error
    st.query_params.pop("queue", None)
