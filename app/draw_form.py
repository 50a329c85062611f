"""Draw & balance: cells coloured by the form of their streets, and what a community has of it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from urllib.parse import quote

import numpy as np
import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, widgets
from app.draw_desk import Desk
from app.i18n import t
from app.widgets import Cell
from grids import drafting, forming
from layers.style import YLGNBU

CLASSES = 5


@dataclass(frozen=True)
class Tint:
    """What cells are coloured by: the first number, a digit for each number from it on (9: nothing), and the classes.

    Attributes
    ----------
    limits
        Lowest value of each class, and the highest of the last.
    """

    first: int
    digits: str
    colours: tuple[str, ...]
    limits: tuple[float, ...]
    title: str


def names() -> dict[str, str]:
    """Return what cells may be coloured by."""
    return {
        "": t("Responsibility grid"),
        "density_km_km2": t("Street density, km/km²"),
        "circuity": t("Circuity of streets (1: straight)"),
        "entropy": t("Disorder of street directions"),
    }


@st.cache_data(ttl=900, show_spinner=False, max_entries=12)
def _form(_session: Session, _desk: Desk, change_id: int, key: tuple[int, int], scope: str, place: int) -> pd.DataFrame:
    del key, scope
    return forming.form_of_draft(_session, _desk.actor, _desk.territory, change_id, place)


def form(session: Session, desk: Desk, community: int) -> pd.DataFrame:
    """Return the form of the streets by cell of a community, kept until a cell gets another ground."""
    key = drafting.ground_key(session, desk.actor, desk.change.id)
    return _form(session, desk, desk.change.id, key, desk.actor.scope_key, community)


def chosen(desk: Desk) -> str:
    """Ask what cells are coloured by and return it; empty for the responsibility grids."""
    every = names()
    key = f"gk_draw_tint_{desk.change.id}_{i18n.locale()}"
    return str(st.selectbox(t("Colour cells by"), list(every), format_func=every.__getitem__, key=key, width=300) or "")


def tint(session: Session, desk: Desk, community: int, measure: str) -> Tint | None:
    """Return the colours of the cells of a community by a measure of their streets; None for none."""
    if measure not in forming.MEASURES:
        return None
    found = form(session, desk, community)
    values, ids = found[measure].to_numpy(dtype=np.float64), found["id"].to_numpy(dtype=np.int64)
    return classed(ids, values, names()[measure])


def classed(ids: np.ndarray, values: np.ndarray, title: str) -> Tint | None:
    """Return values in classes of about equal size."""
    real = np.isfinite(values)
    if not real.any():
        return None
    limits = np.unique(np.quantile(values[real], np.linspace(0, 1, CLASSES + 1)))
    count = max(len(limits) - 1, 1)
    which = np.clip(np.searchsorted(limits, values, side="right") - 1, 0, count - 1)
    digits = np.full(int(ids.max() - ids.min()) + 1, "9")
    digits[ids[real] - ids.min()] = which[real].astype(str)
    colours = tuple(YLGNBU[CLASSES][:: 1 if count == CLASSES else max(CLASSES // count, 1)][:count])
    return Tint(int(ids.min()), "".join(digits.tolist()), colours, tuple(float(each) for each in limits), title)


def legend(shown: Tint) -> str:
    """Return the classes as HTML: a swatch and from where to where each goes."""
    parts = []
    ends = shown.limits if len(shown.limits) > 1 else (*shown.limits, *shown.limits)
    for colour, low, high in zip(shown.colours, ends, ends[1:], strict=False):
        path = f'<path d="M0 0h14v10H0z" fill="{colour}"/>'
        square = f'<svg xmlns="http://www.w3.org/2000/svg" width="14" height="10">{path}</svg>'
        words = f"{i18n.number(low, 2)}–{i18n.number(high, 2)}"
        parts.append(f'<img alt="" width="14" height="10" src="data:image/svg+xml,{quote(square)}"> {words}')
    return f'<p class="gk-muted">{escape(shown.title)}: {" &emsp; ".join(parts)}</p>'


def card(session: Session, desk: Desk, community: int) -> dict[str, Cell]:
    """Return what is typical of the streets of a community: the middle cell of each measure."""
    found = form(session, desk, community)
    if len(found) == 0 or not found["street_m"].sum():
        return {}
    middle = {each: float(np.nanmedian(found[each])) for each in forming.MEASURES if found[each].notna().any()}
    return {names()[each]: i18n.number(value, 2) for each, value in middle.items()}


def of_cell(values: dict[str, float]) -> dict[str, Cell]:
    """Return the form of the streets of one cell in words."""
    told = {each: i18n.number(values[each], 2) if np.isfinite(values[each]) else "–" for each in forming.MEASURES}
    return {
        t("Street density"): f"{told['density_km_km2']} km/km²",
        t("Circuity"): told["circuity"],
        t("Directions"): told["entropy"],
    }


def show_legend(shown: Tint | None) -> None:
    """Put the legend where cells are coloured by a measure."""
    if shown is not None:
        widgets.write(legend(shown))
