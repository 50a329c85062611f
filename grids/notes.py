"""Use cases: notes on a grid, by those who work there; they are never changed, only struck out."""

from __future__ import annotations

import re
import unicodedata

from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from grids import store_notes, store_versions
from grids.change_model import Note

LONGEST = 500
_NUMBERS = re.compile(r"(?<!\d)(?:\+\d[\d -]{7,15}\d|1[3-9]\d(?:[ .-]?\d{4}){2}|\d{17}[\dXx])(?!\d)")
"""As mobile phones, phones abroad and identity cards are written; codes of grids have 14, 15 or 20 digits."""


def notes_of(session: Session, actor: Actor, cell_id: int) -> list[Note]:
    """Return the notes of a cell and of all that it came of, the newest first."""
    require(actor, May.SEE_MAP)
    return store_notes.of_cell(session, cell_id)


def add_note(session: Session, actor: Actor, cell_id: int, body: str) -> int:
    """Write a note on a cell and return its number.

    Raises
    ------
    InvalidInput
        Nothing is said, too much, or a number as persons have them.
    NotPermitted
        A cell outside the communities of a grid manager or worker.
    """
    require(actor, May.NOTE_GRIDS)
    cell = store_versions.cell_file(session, actor.territory_id, cell_id)
    if cell is None:
        raise NotFound("There is no such grid.", hint="Choose one on the map.", zh="没有这个单元网格，请在地图上选择。")
    if actor.role in {Role.GRID_MANAGER, Role.GRID_WORKER} and cell["community_id"] not in actor.area_ids:
        raise NotPermitted(
            "This grid lies outside your area.",
            hint="Tell its grid manager.",
            zh="该网格不在您的管辖范围内，请告知其网格长。",
        )
    said = " ".join("".join(sign if sign.isprintable() else " " for sign in body).split())
    if not said:
        raise InvalidInput("Nothing is written.", hint="Write what others should know.", zh="请填写备注内容。")
    if len(said) > LONGEST:
        raise InvalidInput(
            f"The note has {len(said):,} characters; {LONGEST} are kept.",
            hint="Say it shorter.",
            zh=f"备注共 {len(said):,} 个字符，最多 {LONGEST} 个，请精简。",
        )
    if _NUMBERS.search(unicodedata.normalize("NFKC", said)):
        raise InvalidInput(
            "The note holds a number as phones and identity cards have.",
            hint="Write about the place, never about a person; who reported stands with the incident.",
            zh="备注中含有类似电话或身份证的号码。备注只写地点情况，不得涉及个人，报告人信息保存在案件中。",
        )
    territory = actor.territory_id if actor.territory_id is not None else store_versions.territory_of(session, cell_id)
    return store_notes.add(session, territory, cell_id, said, (actor.user_id, actor.label))


def strike_note(session: Session, actor: Actor, note_id: int) -> None:
    """Strike out a note: one's own, or as a supervisor any."""
    require(actor, May.NOTE_GRIDS)
    found = store_notes.find(session, actor.territory_id, note_id)
    if found is None:
        raise NotFound("There is no such note.", hint="Load the page again.", zh="没有这条备注，请重新载入页面。")
    if actor.role not in {Role.SUPERVISOR, Role.SYSTEM} and found.author_id != actor.user_id:
        raise NotPermitted(
            "This note is somebody else's.", hint="Ask a supervisor.", zh="该备注由他人填写，请联系主管。"
        )
    if not store_notes.strike(session, note_id, actor.user_id):
        raise Conflict(
            "The note is struck out already.", hint="Load the page again.", zh="该备注已被划去，请重新载入。"
        )
