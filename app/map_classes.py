"""How the grids are filled: classes by a chosen scheme, a ramp of colours, and the legend of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app import i18n, state, widgets
from app.i18n import t
from core.errors import InvalidInput
from layers.breaks import LEAST, MOST, RAMP_TITLES, SCHEMES, breaks, colours, own_breaks
from layers.legend import Legend, class_labels, metric_legend
from layers.style import class_edges
from layers.values import WHOLE, CellValues

OWN_LENGTH = 80


@dataclass(frozen=True)
class Scheme:
    """What the reader chose: the kind of classes, how many, own breaks as they were written, the ramp."""

    breaks: str = "auto"
    classes: int = 5
    own: str = ""
    ramp: str = "YlGnBu"


@dataclass(frozen=True)
class Painted:
    """Classes and colours of a map.

    Attributes
    ----------
    usual
        Whether they are those that come with the values, so that nothing needs to be said to the map.
    """

    edges: tuple[float, ...]
    colours: tuple[str, ...]
    usual: bool

    def push(self) -> dict[str, Any] | None:
        """Return what the map is told; None for the usual."""
        return None if self.usual else {"edges": list(self.edges), "colours": list(self.colours)}


def control(kept: Mapping[str, Any], *, disabled: bool = False) -> tuple[Scheme, str]:
    """Put what opens the choice of classes and colours; return it, and what is wrong with own breaks."""
    wrong = ""
    with st.popover(t("Colour classes"), disabled=disabled, width="content"):
        scheme = st.radio(
            t("Class breaks"), list(SCHEMES), index=list(SCHEMES).index(kept["breaks"]),
            format_func=lambda key: t(SCHEMES[key]), key=_key("breaks"),
        )  # fmt: skip
        own, classes = kept["own"], int(kept["classes"])
        if scheme == "manual":
            own = st.text_input(
                t("Lower end of each class"), own, max_chars=OWN_LENGTH, placeholder="1, 3, 8", key=_key("own")
            )
            try:
                own_breaks(own or "")
            except InvalidInput as error:
                wrong = f"{t(error.message)} {t(error.hint)}"
                if own:
                    widgets.note(wrong)
        elif scheme != "auto":
            classes = st.slider(t("Number of classes"), LEAST, MOST, classes, key=_key("classes"))
        ramp = st.radio(
            t("Colours, safe for colour-blind eyes"), list(RAMP_TITLES), index=list(RAMP_TITLES).index(kept["ramp"]),
            format_func=lambda key: t(RAMP_TITLES[key]), key=_key("ramp"),
        )  # fmt: skip
    return Scheme(scheme or "auto", classes, own or "", ramp or "YlGnBu"), wrong if own else ""


def painted(found: CellValues, metric: str, scheme: Scheme) -> Painted:
    """Return the classes of values by a scheme; what cannot be used falls back to the usual classes."""
    kind, own = scheme.breaks, tuple[float, ...]()
    if kind == "manual":
        try:
            own = own_breaks(scheme.own)
        except InvalidInput:
            kind = "auto"
    usual = kind == "auto"
    edges = found.edges if usual else breaks(found.values, kind, scheme.classes, whole=metric in WHOLE, own=own)
    return Painted(edges, colours(scheme.ramp, len(edges)), usual and scheme.ramp == "YlGnBu")


def usual_edges(values: NDArray[np.floating[Any]], *, whole: bool) -> list[float]:
    """Return the lower edges of the classes that come with values."""
    return class_edges(values, whole=whole)


def legend_of(metric: str, drawn: Painted) -> Legend:
    """Return the legend of a choropleth in its own classes and colours."""
    base = metric_legend(metric, drawn.edges)
    labels = class_labels(drawn.edges, whole=metric in WHOLE)
    shade = dict(zip(labels, drawn.colours, strict=True))
    return Legend(base.title, tuple(replace(item, colour=shade.get(item.label, item.colour)) for item in base.items))


def _key(name: str) -> str:
    return f"{state.MAP_FILTERS}_{name}_{i18n.locale()}"
