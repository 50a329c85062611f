"""Colours can be read, classes hold every value, legends say what the classes are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.map_legend import bars_html, facility_legend, legend_html, spark_html
from geodata.osm_facilities import FACILITY_KINDS
from layers.facilities import GROUPS
from layers.legend import class_labels, incident_legend, limit_legend, metric_legend
from layers.style import CATEGORY_COLOURS, LIGHT, NIGHT, Theme, class_edges, contrast, ramp, round_nicely
from layers.values import METRICS

WORDS = ("text", "muted", "primary", "overdue", "due_soon", "on_time")


@pytest.mark.parametrize("theme", [LIGHT, NIGHT], ids=["light", "night"])
@pytest.mark.parametrize("word", WORDS)
def test_words_can_be_read(theme: Theme, word: str) -> None:
    colour = theme.tokens()[word]
    for ground in (theme.surface, theme.ground):
        assert contrast(colour, ground) >= 4.5, (word, colour, ground, contrast(colour, ground))


def test_labels_of_the_map_can_be_read_on_land() -> None:
    assert contrast(LIGHT.label, LIGHT.halo) >= 4.5
    assert contrast(LIGHT.text, LIGHT.land) >= 4.5


@pytest.mark.parametrize("colour", [*CATEGORY_COLOURS, *(group.colour for group in GROUPS)])
def test_signs_stand_out_from_white(colour: str) -> None:
    assert contrast(colour, "#FFFFFF") >= 3


def test_contrast_of_known_pairs() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


counts = st.lists(st.integers(0, 10**6), min_size=0, max_size=200).map(lambda xs: np.array(xs, dtype=np.float32))
reals = st.lists(
    st.one_of(st.floats(2**-13, 2**17, width=32), st.just(0.0), st.just(-1.0), st.just(math.nan)), max_size=200
).map(lambda xs: np.array(xs, dtype=np.float32))


@given(counts)
def test_every_count_has_a_class(values: np.ndarray) -> None:
    edges = class_edges(values, whole=True)
    check(values, edges)
    assert all(edge == int(edge) for edge in edges)
    assert class_labels(tuple(edges), whole=True)[-1:] != ["nan"]


@given(reals)
@example(np.array([61000.0, 61001.0], dtype=np.float32))
def test_every_real_has_a_class(values: np.ndarray) -> None:
    check(values, class_edges(values, whole=False))


def check(values: np.ndarray, edges: list[float]) -> None:
    positive = values[np.isfinite(values) & (values > 0)]
    assert len(edges) <= 7
    assert edges == sorted(set(edges))
    assert len(ramp(len(edges))) == len(edges)
    if len(positive):
        assert edges
        # The map compares float32 values with a tolerance of a millionth.
        assert positive.min() * (1 + 1e-6) >= edges[0]
    else:
        assert not edges


def test_skewed_counts_keep_their_top_apart() -> None:
    values = np.array([1] * 800 + [2] * 100 + [3] * 50 + [8] * 30 + [40] * 20, dtype=np.float32)
    edges = class_edges(values, whole=True)
    assert edges[0] == 1
    assert edges[-1] >= 8


@pytest.mark.parametrize(
    ("edges", "whole", "labels"),
    [
        ((1, 2, 4, 8), True, ["1", "2–3", "4–7", "8+"]),
        ((3,), True, ["3"]),
        ((0.5, 2), False, ["0.5–2", "2+"]),
        ((1000, 2000), True, ["1,000–1,999", "2,000+"]),
        ((), True, []),
    ],
)
def test_class_labels(edges: tuple[float, ...], whole: bool, labels: list[str]) -> None:
    assert class_labels(edges, whole=whole) == labels


@pytest.mark.parametrize(("value", "rounded"), [(0.01234, 0.012), (123.4, 120), (0, 0), (9.96, 10)])
def test_round_nicely(value: float, rounded: float) -> None:
    assert round_nicely(value) == pytest.approx(rounded)


@pytest.mark.parametrize("metric", METRICS)
def test_legends_become_pictures(metric: str) -> None:
    legends = [metric_legend(metric, (1, 2, 4)), incident_legend(), limit_legend(), facility_legend()]
    page = legend_html(legends, ["a note"])
    assert page.count("<li>") == sum(len(legend.items) for legend in legends)
    assert "<svg" not in page  # Streamlit would take it out


def test_status_is_never_colour_alone() -> None:
    shapes = [item.shape for item in incident_legend().items]
    assert len(set(shapes)) == len(shapes)


def test_every_kind_of_facility_has_one_group() -> None:
    kinds = [kind for group in GROUPS for kind in group.kinds]
    assert sorted(kinds) == sorted(FACILITY_KINDS)


def test_small_pictures() -> None:
    assert 'alt="3 reports"' in spark_html([0, 1, 2], "3 reports")
    assert spark_html([], "none")
    assert "&lt;b&gt;" in bars_html({"<b>": 3})
