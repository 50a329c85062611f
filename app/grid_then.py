"""The card of a unit grid as of a day of the past: its code, its time, what had happened in it, what became of it."""

from __future__ import annotations

import math
from html import escape

from sqlalchemy.orm import Session

from app import widgets
from app.code_parts import span
from app.i18n import either, number, t
from core.identity import Actor
from grids.coding import family
from grids.publishing import grid_file
from layers.values import Question, cell_values


def grid_then(session: Session, actor: Actor, grid_id: int, question: Question) -> None:
    """Put the card; raise `NotFound` where there never was such a grid."""
    file = grid_file(session, actor, grid_id)
    place = either(file.community, file.community_zh)
    link = widgets.link(t("Grid file"), f"/grid-file?grid={grid_id}").text
    widgets.write(
        f'<div class="gk-card-head"><h2>{escape(t("Grid {code}", code=file.code))}</h2>'
        f'<span class="gk-muted">{escape(place)}</span> · {link}</div>'
    )
    counts = {name: _value(session, actor, question, grid_id, name) for name in ("reported", "open", "closed")}
    widgets.facts(
        [
            widgets.Fact(t("Reported"), counts["reported"]),
            widgets.Fact(t("Open then"), counts["open"]),
            widgets.Fact(t("Closed"), counts["closed"]),
        ]
    )
    became = [each for each in family(session, actor, grid_id) if each.depth == 1]
    pairs = {
        t("In force"): span(file.started_on, file.ended_on),
        t("Surface"): t("{area} ha", area=number(file.area_m2 / 10_000, 2)),
        t("People"): number(file.people) if file.people is not None else "–",
    }
    lines = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in pairs.items())
    widgets.write(f'<table class="gk-pairs">{lines}</table>')
    if became:
        told = ", ".join(widgets.link(each.code, f"/grid-file?grid={each.id}").text for each in became)
        widgets.write(f"<p>{escape(t('It became'))} {told}</p>")


def _value(session: Session, actor: Actor, question: Question, grid_id: int, status: str) -> str:
    asked = Question(
        "reported", question.first, question.last, question.categories, "all" if status == "reported" else status,
        question.day,
    )  # fmt: skip
    found = cell_values(session, actor, asked)
    at = grid_id - found.first_id
    value = float(found.values[at]) if 0 <= at < len(found.values) else float("nan")
    return "–" if math.isnan(value) else number(value)
