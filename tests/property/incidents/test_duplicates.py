"""What holds of every pair of reports that may be one thing."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from incidents.duplicates import (
    RADIUS_M,
    SHOWN_MOST,
    WINDOW,
    Asked,
    Nearby,
    alike,
    box_degrees,
    distance_m,
    likeness,
    words_of,
)

NOW = dt.datetime(2026, 7, 1, 11, 0, tzinfo=dt.UTC)
CLASSES = ("event-01-02", "event-01-03", "component-04-07")
texts = st.text(alphabet="ab 垃圾长椅 bench,。broken\n", max_size=40)
latitudes = st.floats(-70, 70)
longitudes = st.floats(-179, 179)
classes = st.sampled_from(CLASSES)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Asked, Nearby]:
    lon, lat = draw(longitudes), draw(latitudes)
    mine, theirs = draw(classes | st.just("")), draw(classes)
    asked = Asked(mine, mine[:8], lon, lat, draw(texts), NOW)
    away, status = st.floats(-0.004, 0.004), draw(st.sampled_from(("filed", "handling", "closed")))
    other = Nearby(
        draw(st.integers(1, 50)), "N", theirs, "x", "x", theirs[:8], status,
        NOW - dt.timedelta(hours=draw(st.integers(0, 2000))), "", lon + draw(away), lat + draw(away), draw(texts),
    )  # fmt: skip
    return asked, other


def score(asked: Asked, other: Nearby) -> float:
    found = likeness(asked, other)
    return 0.0 if found is None else found.score


@given(pairs())
def test_a_score_is_a_share_and_says_what_it_counted(pair: tuple[Asked, Nearby]) -> None:
    asked, other = pair
    found = likeness(asked, other)
    if found is None:
        return
    assert 0.0 < found.score <= 1.0
    assert found.distance_m <= RADIUS_M
    assert found.age <= WINDOW
    assert other.status != "closed"
    assert set(found.shared) <= set(words_of(asked.text).values())
    assert found.matter == ("unknown" if not asked.class_key else found.matter)


@given(pairs(), st.floats(0, 1))
def test_nearer_in_place_or_time_never_scores_less(pair: tuple[Asked, Nearby], share: float) -> None:
    asked, other = pair
    nearer = replace(
        other, lon=asked.lon + (other.lon - asked.lon) * share, lat=asked.lat + (other.lat - asked.lat) * share
    )
    sooner = replace(other, reported_at=NOW - (NOW - other.reported_at) * share)
    assert score(asked, nearer) >= score(asked, other) - 1e-6
    assert score(asked, sooner) >= score(asked, other) - 1e-6


@given(pairs())
def test_the_same_class_and_the_same_words_never_score_less(pair: tuple[Asked, Nearby]) -> None:
    asked, other = pair
    same = replace(other, class_key=asked.class_key or other.class_key, category=asked.category or other.category)
    assert score(asked, same) >= score(asked, other) - 1e-9
    assert score(asked, replace(other, text=asked.text)) >= score(asked, other) - 1e-9


@given(pairs())
def test_it_looks_the_same_from_both_sides(pair: tuple[Asked, Nearby]) -> None:
    asked, other = pair
    if not asked.class_key:
        return
    turned = Asked(other.class_key, other.category, other.lon, other.lat, other.text, other.reported_at)
    back = replace(
        other, class_key=asked.class_key, category=asked.category, lon=asked.lon, lat=asked.lat, text=asked.text,
        reported_at=asked.at,
    )  # fmt: skip
    assert abs(score(asked, other) - score(turned, back)) < 1e-9


@given(pairs(), st.lists(pairs(), max_size=6))
def test_the_very_same_report_comes_first_whatever_stands_around(
    pair: tuple[Asked, Nearby], others: list[tuple[Asked, Nearby]]
) -> None:
    asked = replace(pair[0], class_key=CLASSES[0], category=CLASSES[0][:8])
    twin = replace(
        pair[1], id=0, class_key=CLASSES[0], category=CLASSES[0][:8], status="filed", reported_at=NOW, lon=asked.lon,
        lat=asked.lat, text=asked.text,
    )  # fmt: skip
    crowd = [twin, *(replace(each, lon=asked.lon, lat=asked.lat) for _, each in others)]
    found = alike(asked, crowd)
    assert found[0].incident == twin
    assert len(found) <= SHOWN_MOST
    assert found == alike(asked, reversed(crowd)) or len({each.id for each in crowd}) < len(crowd)


@given(longitudes, latitudes, st.floats(0, 360), st.floats(0, RADIUS_M))
def test_the_box_that_is_searched_holds_all_within_the_radius(
    lon: float, lat: float, bearing: float, far: float
) -> None:
    import math

    wide, high = box_degrees(lat)
    north = math.degrees(far / 6_371_008.8) * math.cos(math.radians(bearing))
    east = math.degrees(far / 6_371_008.8) * math.sin(math.radians(bearing)) / math.cos(math.radians(lat))
    if distance_m(lon, lat, lon + east, lat + north) <= RADIUS_M:
        assert abs(east) <= wide * 1.001
        assert abs(north) <= high * 1.001


@given(texts)
def test_words_are_the_same_for_capitals_and_full_width_signs(text: str) -> None:
    wide = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)
    assert set(words_of(text)) == set(words_of(text.upper())) == set(words_of(wide))
