"""Evidence of one incident: what is there, what lacks, adding a photo or a note, blurring more of a photo."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from app import evidence_words, i18n, state, widgets
from app.i18n import t
from core.errors import GridkeeperError
from core.identity import Actor, May
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents.evidence import MOST_BYTES, Box, named_squares, with_squares
from incidents.evidence_model import EvidenceInfo, Prepared
from incidents.evidence_rules import LEFT_OUT, MOST_PHOTOS, NOTE_MOST, PHOTOS
from incidents.model import IncidentDetail
from incidents.service import evidence

ENDINGS = ("jpg", "jpeg", "png", "webp")
OPEN_FOR_WORK = ("filed", "dispatched", "handling")
"""A filed one too: its finder may settle it on the spot."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person wants blurred besides what was found, and what of that not, with why."""

    by_hand: tuple[Box, ...]
    left_out: dict[int, str | None]


@lru_cache(maxsize=1)
def _style() -> str:
    return f"<style>{(Path(__file__).parent / 'evidence.css').read_text()}</style>"


def style() -> None:
    """Put how photos look."""
    st.html(_style())


def lacking(detail: IncidentDetail) -> None:
    """Say what has to be added before the incident can be finished; nothing where nothing lacks."""
    lacks = detail.side.lacking
    if lacks and detail.row.status in OPEN_FOR_WORK:
        widgets.note(t("Before it is finished, this class needs: {kinds}.", kinds=evidence_words.kinds(lacks)))


def label(infos: Sequence[EvidenceInfo]) -> str:
    """Return the title of the part, with how many pieces there are."""
    return f"{t('Evidence')} {i18n.number(len(infos))}" if infos else t("Evidence")


def show(actor: Actor, detail: IncidentDetail, territory: TerritoryInfo, infos: Sequence[EvidenceInfo]) -> None:
    """Put the evidence and, for those who may add to it, the forms."""
    style()
    _news(detail.row.id)
    photos = [info for info in infos if info.is_photo]
    if photos:
        widgets.write(f'<div class="gk-photos">{"".join(_thumbnail(info, territory) for info in photos)}</div>')
        if any(not info.original for info in photos):
            widgets.note(t("Faces and plates are blurred for everybody but who handles the incident."))
        else:
            widgets.note(t("You handle this incident and see the photos unblurred; nobody else does."))
    for info in infos:
        if not info.is_photo:
            _note(info, territory)
    if not infos:
        widgets.empty(t("No evidence yet."), t("Photos and notes on the place stand here, with who added them."))
    if not (actor.may(May.ADD_EVIDENCE) and detail.row.is_open):
        return
    if len(photos) < MOST_PHOTOS:
        with st.expander(t("Add a photo"), expanded=bool(set(detail.side.lacking) & set(PHOTOS))):
            _add_photo(actor, detail)
    with st.expander(t("Add a note on the place")):
        _add_note(actor, detail)
    kept = [info for info in photos if info.version]
    if kept:
        with st.expander(t("Blur more of a photo")):
            _blur_more(actor, detail, kept, territory)


def _thumbnail(info: EvidenceInfo, territory: TerritoryInfo) -> str:
    what = escape(evidence_words.kind(info.kind))
    caption = f"<b>{what}</b><br>{escape(_by(info, territory))}"
    if not info.version:
        gone = escape(t("not kept any more"))
        return f'<figure><div class="gk-none"></div><figcaption>{caption}<br>{gone}</figcaption></figure>'
    small = escape(f"{info.address}&size=small")
    return (
        f'<figure><a href="{escape(info.address)}" target="_blank"><img src="{small}" alt="{what}" loading="lazy"></a>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _by(info: EvidenceInfo, territory: TerritoryInfo) -> str:
    at = i18n.clock(info.at, territory.timezone)
    parts = [at, evidence_words.taken_as(info.taken_as), t("simulated") if info.simulated else ""]
    if info.is_photo and info.blurred:
        parts.append(i18n.tn("{count} part blurred", "{count} parts blurred", info.blurred))
    return " · ".join(part for part in parts if part)


def _note(info: EvidenceInfo, territory: TerritoryInfo) -> None:
    words = info.note if info.note is not None else t("not for your role, or erased")
    widgets.fields({f"{evidence_words.kind(info.kind)}, {_by(info, territory)}": words})


def _news(incident_id: int) -> None:
    told = st.session_state.pop(state.EVIDENCE_TOLD, None)
    if told is not None and told[0] == incident_id:
        widgets.told(told[1])
    wrong = st.session_state.pop(state.EVIDENCE_WRONG, None)
    if wrong is not None:
        widgets.known_error(wrong)


def _round() -> int:
    return int(st.session_state.get(state.EVIDENCE_ROUND, 0))


def _add_photo(actor: Actor, detail: IncidentDetail) -> None:
    row = detail.row
    at = f"{row.id}_{_round()}_{i18n.locale()}"
    usual = next((kind for kind in PHOTOS if kind in detail.side.lacking), None)
    usual = usual or ("after" if row.status == "handling" else "before" if row.status == "dispatched" else "other")
    kind = st.segmented_control(
        t("What it shows"),
        PHOTOS,
        default=usual,
        format_func=evidence_words.kind,
        key=f"{state.EVIDENCE_KIND}_{at}",
        required=True,
    )
    file = st.file_uploader(
        t("Photo, at most {size} MB", size=MOST_BYTES >> 20),
        type=list(ENDINGS),
        key=f"{state.EVIDENCE_FILE}_{at}",
        max_upload_size=MOST_BYTES >> 20,
    )
    if file is None or kind is None:
        widgets.note(t("Place, time and camera are taken out of it. Take no photo of people if it can be helped."))
        return
    try:
        prepared = _prepared(file.getvalue() if file.size <= MOST_BYTES else b"", file.size)
        by_hand = _preview(prepared, at)
    except GridkeeperError as error:
        widgets.known_error(error)
        return
    left_out = _left_out(prepared, at)
    st.button(
        t("Keep this photo"),
        key=f"gk_evidence_keep_{at}",
        disabled=any(reason is None for reason in left_out.values()),
        on_click=_keep,
        args=(actor, row.id, kind, prepared, Choice(by_hand, left_out)),
    )


def _prepared(data: bytes, size: int) -> Prepared:
    """Return the checked photo; it is looked through once, not with every touch of the page."""
    digest = hashlib.sha256(data).hexdigest()
    kept = st.session_state.get(state.EVIDENCE_PREPARED)
    if kept is None or kept[0] != digest:
        with st.spinner(t("Looking for faces and plates")):
            kept = (digest, evidence.prepare(data if size <= MOST_BYTES else bytes(MOST_BYTES + 1)))
        st.session_state[state.EVIDENCE_PREPARED] = kept
    return kept[1]


def _preview(prepared: Prepared, at: str) -> tuple[Box, ...]:
    """Put the photo with its squares and what was found; return what a person wants blurred besides."""
    photo = prepared.photo
    found = len(prepared.found)
    widgets.note(
        i18n.tn("{count} face or plate found.", "{count} faces and plates found.", found)
        + " "
        + t("Not every one is found: look yourself, and name the squares of what else must be blurred.")
    )
    shown = base64.b64encode(with_squares(photo.jpeg, prepared.found)).decode()
    alt = escape(t("The photo with its squares"))
    st.html(f'<div class="gk-squares"><img src="data:image/jpeg;base64,{shown}" alt="{alt}"></div>')
    given = st.text_input(t("Blur these squares too"), key=f"{state.EVIDENCE_SQUARES}_{at}", placeholder="C4, D5-E6")
    return named_squares(given, photo.width, photo.height)


def _left_out(prepared: Prepared, at: str) -> dict[int, str | None]:
    if not prepared.found:
        return {}
    numbers = list(range(1, len(prepared.found) + 1))
    chosen = st.multiselect(
        t("Do not blur"),
        numbers,
        format_func=lambda number: f"#{number}",
        key=f"{state.EVIDENCE_LEFT}_{at}",
        placeholder=t("Only what is neither face nor plate"),
    )
    return {
        number: st.selectbox(
            t("Why #{number} is not blurred", number=number),
            list(LEFT_OUT),
            index=None,
            format_func=evidence_words.left_out,
            placeholder=t("Choose"),
            key=f"{state.EVIDENCE_WHY}_{number}_{at}",
        )
        for number in chosen
    }


def _add_note(actor: Actor, detail: IncidentDetail) -> None:
    at = f"{detail.row.id}_{_round()}"
    text = st.text_area(
        t("Where exactly, and what was done"), max_chars=NOTE_MOST, height=90, key=f"{state.EVIDENCE_NOTE}_{at}"
    )
    args = (actor, detail.row.id, text)
    st.button(
        t("Keep this note"), key=f"gk_evidence_note_{at}", disabled=not text.strip(), on_click=_keep_note, args=args
    )


def _blur_more(actor: Actor, detail: IncidentDetail, kept: list[EvidenceInfo], territory: TerritoryInfo) -> None:
    at = f"{detail.row.id}_{_round()}_{i18n.locale()}"
    names = {info.id: f"{evidence_words.kind(info.kind)}, {_by(info, territory)}" for info in kept}
    known = {info.id: info for info in kept}
    chosen = st.selectbox(t("Photo"), list(names), format_func=names.__getitem__, key=f"{state.EVIDENCE_WHICH}_{at}")
    info = known[chosen]
    alt = escape(t("The photo with its squares"))
    st.html(f'<div class="gk-squares"><img src="{escape(info.address)}&amp;size=squares" alt="{alt}"></div>')
    given = st.text_input(t("Blur these squares"), key=f"gk_evidence_more_{chosen}_{at}", placeholder="C4, D5-E6")
    widgets.note(t("What is blurred stays blurred."))
    st.button(
        t("Blur for good"),
        key=f"gk_evidence_blur_{at}",
        disabled=not given.strip(),
        on_click=_blur,
        args=(actor, detail.row.id, info, given),
    )


def _keep(actor: Actor, incident_id: int, kind: str, prepared: Prepared, choice: Choice) -> None:
    def act(session: Session) -> None:
        why = {number: str(reason) for number, reason in choice.left_out.items()}
        evidence.add_photo(session, actor, incident_id, kind, prepared, by_hand=choice.by_hand, left_out=why)

    _done(actor, incident_id, act, t("The photo is kept."))


def _keep_note(actor: Actor, incident_id: int, text: str) -> None:
    _done(
        actor, incident_id, lambda session: evidence.add_note(session, actor, incident_id, text), t("The note is kept.")
    )


def _blur(actor: Actor, incident_id: int, info: EvidenceInfo, squares: str) -> None:
    def act(session: Session) -> None:
        boxes = named_squares(squares, info.width or 0, info.height or 0)
        evidence.blur_more(session, actor, info.id, boxes)

    _done(actor, incident_id, act, t("More of the photo is blurred now."))


def _done(actor: Actor, incident_id: int, act: Any, told: str) -> None:
    """Do an act before the page is drawn anew; the forms are empty after it."""
    try:
        with transaction(actor, purpose="evidence") as session:
            act(session)
    except GridkeeperError as error:
        st.session_state[state.EVIDENCE_WRONG] = error
        return
    st.session_state[state.EVIDENCE_TOLD] = (incident_id, told)
    st.session_state[state.EVIDENCE_ROUND] = _round() + 1
    st.session_state.pop(state.EVIDENCE_PREPARED, None)
