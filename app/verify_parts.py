"""Parts of the page Verify: the pair of photos, what is known of the case, and the keys."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from app import evidence_words, i18n, state, widgets, words
from app.i18n import t
from app.incident_acts import LIVE
from app.widgets import Cell
from core.errors import GridkeeperError
from core.identity import Actor
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents import service as incidents
from incidents.evidence_model import EvidenceInfo
from incidents.evidence_rules import AFTER, BEFORE, OTHER, PLACE
from incidents.lifecycle import REASONS
from incidents.model import IncidentDetail

LISTED = 20


def chosen(mine: Sequence[int], others: Mapping[int, str]) -> int | None:
    """Return the case to show: the one of the address, else the one at the place where the last one stood."""
    given = st.query_params.get("incident", "")
    wanted = int(given) if given.isdecimal() and len(given) < 19 else None
    if wanted in mine or wanted in others:
        return wanted
    if not mine:
        return None
    shown = mine[min(int(st.session_state.get(state.VERIFY_AT, 0)), len(mine) - 1)]
    st.query_params["incident"] = str(shown)
    return shown


def position(place: int | None, count: int, waiting: int) -> str:
    """Return where the case stands in the queue."""
    if place is None:
        return i18n.tn("{count} incident waits", "{count} incidents wait", waiting) if waiting else ""
    return t("Incident {place} of {count}", place=i18n.number(place + 1), count=i18n.number(count))


def news() -> None:
    """Say what came of the last act."""
    told = st.session_state.pop(state.VERIFY_TOLD, None)
    if told is not None:
        number, incident_id, closed = told
        said = t("{number} is closed.", number=number) if closed else t("{number} is sent back.", number=number)
        widgets.told(said, widgets.link(t("Look at it"), f"/incidents?incident={incident_id}"))
    wrong = st.session_state.pop(state.VERIFY_WRONG, None)
    if wrong is not None:
        widgets.known_error(wrong)


def head(detail: IncidentDetail, moment: dt.datetime) -> None:
    """Put what the case is, in one line."""
    row = detail.row
    left, tone = words.due(row, moment)
    name = widgets.html(row.title(i18n.locale()))
    number = widgets.link(row.number, f"/incidents?incident={row.id}").text
    place = widgets.html(row.place or i18n.either(row.community, row.community_zh))
    widgets.write(
        f'<div class="gk-title"><h2>{name}</h2></div><p>{number} · {place} · {widgets.toned(left, tone).text}</p>'
    )


def acts(actor: Actor, detail: IncidentDetail, mine: Sequence[int], place: int) -> None:
    """Put the keys: A closes, B asks why it is sent back, N and P turn the pages; C and R are Streamlit's."""
    row = detail.row
    at = f"{row.id}_{row.version}_{i18n.locale()}"
    why = st.session_state.get(state.VERIFY_WHY) == row.id
    with st.container(horizontal=True, vertical_alignment="bottom", key="gk-verify-acts"):
        if why:
            for number, reason in enumerate(REASONS["rework"], 1):
                st.button(
                    words.reason_of("rework", reason),
                    key=f"gk_verify_{reason}_{at}",
                    shortcut=str(number),
                    on_click=_do,
                    args=(actor, detail, "rework", reason),
                )
            st.button(t("Cancel"), key=f"gk_verify_stay_{at}", shortcut="Esc", on_click=_ask, args=(None,))
            return
        close = incidents.refused_act(actor, detail, "close")
        rework = incidents.refused_act(actor, detail, "rework")
        st.button(
            words.lifecycle_act("close"),
            key=f"gk_verify_close_{at}",
            type="primary",
            shortcut="a",
            disabled=close is not None,
            on_click=_do,
            args=(actor, detail, "close", ""),
        )
        st.button(
            words.lifecycle_act("rework"),
            key=f"gk_verify_rework_{at}",
            shortcut="b",
            disabled=rework is not None,
            on_click=_ask,
            args=(row.id,),
        )
        for label, key, there in (
            (t("Next incident"), "n", place + 1 < len(mine)),
            (t("Incident before"), "p", place > 0),
        ):
            target = mine[place + (1 if key == "n" else -1)] if there else row.id
            st.button(
                label, key=f"gk_verify_{key}_{at}", shortcut=key, disabled=not there, on_click=_go, args=(target,)
            )
    refused = close or rework
    if refused is not None:
        widgets.note(refused.zh if i18n.locale() == "zh" else refused.en)


def why_not(own: str) -> None:
    """Say why the case is not the actor's to decide."""
    widgets.alert(
        t("You handled this incident, so somebody else verifies it.")
        if own == "handled"
        else t("You dispatched this incident, so another supervisor closes it.")
    )


def pair(infos: Sequence[EvidenceInfo], territory: TerritoryInfo) -> None:
    """Put the newest photo before beside the newest one after; all others small below."""
    photos = [info for info in infos if info.is_photo]
    newest = {info.kind: info for info in photos}
    body = "".join(_half(kind, newest.get(kind), territory) for kind in (BEFORE, AFTER))
    widgets.write(f'<div class="gk-pair">{body}</div>')
    rest = [info for info in photos if info is not newest.get(info.kind) or info.kind == OTHER]
    if rest:
        shown = "".join(f"<figure>{_image(info, 'small')}{_caption(info, territory)}</figure>" for info in rest)
        widgets.write(f'<div class="gk-photos">{shown}</div>')


def _half(kind: str, info: EvidenceInfo | None, territory: TerritoryInfo) -> str:
    if info is None or not info.version:
        none = t("No photo before.") if kind == BEFORE else t("No photo after.")
        gone = none if info is None else t("The photo is not kept any more.")
        title = escape(evidence_words.kind(kind))
        return f'<figure><div class="gk-none">{escape(gone)}</div><figcaption><b>{title}</b></figcaption></figure>'
    return f"<figure>{_image(info)}{_caption(info, territory)}</figure>"


def _image(info: EvidenceInfo, size: str = "") -> str:
    source = escape(info.address + (f"&size={size}" if size else ""))
    what = escape(evidence_words.kind(info.kind))
    return f'<a href="{escape(info.address)}" target="_blank"><img src="{source}" alt="{what}"></a>'


def _caption(info: EvidenceInfo, territory: TerritoryInfo) -> str:
    at = i18n.clock(info.at, territory.timezone)
    parts = [at, evidence_words.taken_as(info.taken_as), t("simulated") if info.simulated else ""]
    told = " · ".join(escape(part) for part in parts if part)
    return f"<figcaption><b>{escape(evidence_words.kind(info.kind))}</b> {told}</figcaption>"


def facts(detail: IncidentDetail, infos: Sequence[EvidenceInfo], territory: TerritoryInfo, moment: dt.datetime) -> None:
    """Put what is known of the case: place, clock, who handled it, the notes."""
    row = detail.row

    def at(when: dt.datetime | None) -> str:
        return i18n.clock(when, territory.timezone, now=moment) if when else "–"

    late = row.due_at is not None and row.handled_at is not None and row.handled_at > row.due_at
    handled = widgets.toned(f"{at(row.handled_at)}, {t('late')}", "late") if late else at(row.handled_at)
    shown: dict[str, Cell] = {
        t("Place"): row.place,
        t("Community"): i18n.either(row.community, row.community_zh),
        t("Reported at"): at(row.reported_at),
        t("Handled at"): handled,
        t("Due"): i18n.moment(row.due_at, territory.timezone, now=moment) if row.due_at else t("no limit"),
        t("Handled by"): _hands(detail),
        t("Reworks"): i18n.number(row.reworks),
    }
    shown[t("Note")] = {
        "shown": detail.note or "",
        "erased": t("erased on request"),
        "not permitted": t("not for your role"),
    }.get(detail.note_state, "")
    for info in infos:
        if info.kind == PLACE:
            shown[evidence_words.kind(PLACE)] = info.note or t("erased on request")
    looked = _looked(detail)
    if looked:
        shown[t("Checked on site")] = looked
    widgets.fields(shown, beside=True)


def _looked(detail: IncidentDetail) -> str:
    """Return what was found on site since it was last handled, and whether somebody is still to come back."""
    since = detail.row.handled_at
    checks = [task for task in detail.tasks if task.kind == "check"]
    found = [
        words.reason_of("check", task.outcome)
        for task in checks
        if task.outcome and since is not None and task.finished_at is not None and task.finished_at >= since
    ]
    away = [t("not back yet")] if any(task.state in LIVE for task in checks) else []
    return ", ".join(found[-1:] + away)


def _hands(detail: IncidentDetail) -> str:
    done = [task for task in detail.tasks if task.kind == "handle" and task.state == "done"]
    return ", ".join(
        dict.fromkeys(
            " · ".join(part for part in (i18n.either(task.unit, task.unit_zh), task.worker_code) if part)
            for task in done
        )
    )


def ahead(infos: Sequence[EvidenceInfo]) -> None:
    """Have the browser fetch the photos of the next case meanwhile."""
    newest = {info.kind: info for info in infos if info.is_photo and info.version}
    images = "".join(f'<img src="{escape(newest[kind].address)}" alt="">' for kind in (BEFORE, AFTER) if kind in newest)
    if images:
        widgets.write(f'<div class="gk-ahead" aria-hidden="true">{images}</div>')


def others(own: Mapping[int, str]) -> None:
    """Say what waits that is not the actor's to decide, with the way to look at it."""
    if not own:
        return
    widgets.note(
        i18n.tn(
            "{count} more waits that you dispatched or handled: somebody else decides it.",
            "{count} more wait that you dispatched or handled: somebody else decides them.",
            len(own),
        )
    )
    links = [widgets.link(t("look at {id}", id=each), f"/verify?incident={each}").text for each in list(own)[:LISTED]]
    widgets.write(f'<p class="gk-small">{" · ".join(links)}</p>')


def _ask(incident_id: int | None) -> None:
    st.session_state[state.VERIFY_WHY] = incident_id


def _go(incident_id: int) -> None:
    st.query_params["incident"] = str(incident_id)
    _ask(None)


def _do(actor: Actor, detail: IncidentDetail, act: str, reason: str) -> None:
    """Do the act before the page is drawn anew; the next case moves up into its place."""
    row = detail.row
    _ask(None)
    try:
        with transaction(actor) as session:
            incidents.move(
                session, actor, row.id, act, version=row.version, command_id=str(uuid.uuid4()), reason=reason
            )
    except GridkeeperError as error:
        st.session_state[state.VERIFY_WRONG] = error
        return
    st.session_state[state.VERIFY_TOLD] = (row.number, row.id, act == "close")
    st.query_params.pop("incident", None)
