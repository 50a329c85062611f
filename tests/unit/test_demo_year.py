"""The simulated year: same seed, same year; patterns a city would recognise; lives without contradictions."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools

import numpy as np
import pandas as pd
import pytest

from app.demo import phrases_en, phrases_zh
from app.demo.life import live
from app.demo.notes import write_notes, write_reporters
from app.demo.office import CENTRES, DEPARTMENTS, SLOW_UNIT
from app.demo.patterns import HOURS, PATTERNS, PUBLIC_SOURCES, SEASON, SOURCES, STORM_MONTHS, WEEK, hour_cdf, season_of
from app.demo.sites import Sites, chronic_site, place_weights, points_along
from app.demo.staff import place_workers
from app.demo.year import CHRONIC_CLASS, Plan, simulate_year, storm_days
from incidents.classes import CLASSES

UNTIL = dt.datetime(2026, 11, 20, 14, 5, tzinfo=dt.UTC)
LAST = np.datetime64("2026-11-20T14:05", "us")
ZONE = "Europe/London"


def town(count: int = 3000) -> Sites:
    rng = np.random.default_rng(1)
    lon, lat = rng.normal(-1.29, 0.02, count), rng.normal(50.7, 0.012, count)
    from_centre = np.hypot((lon + 1.29) * 70_000, (lat - 50.7) * 111_000)
    return Sites(
        lon=lon,
        lat=lat,
        street=np.array(["High Street", "Mill Lane", "", "Castle Road"], dtype=object)[rng.integers(0, 4, count)],
        road_class=np.array(["residential", "primary", "footway"], dtype=object)[rng.integers(0, 3, count)],
        people_km2=6000 * np.exp(-from_centre / 800),
        shops=rng.poisson(4 * np.exp(-from_centre / 400)).astype(float),
        water_m=np.abs(lon + 1.30) * 70_000,
        green_m=rng.exponential(150, count),
        in_focus=from_centre < 1500,
    )


def year(seed: int = 20, incidents: int = 20_000) -> pd.DataFrame:
    return simulate_year(Plan(list(PATTERNS), incidents, UNTIL, ZONE, seed), town())


def half_day_limit(keys: np.ndarray, filed: np.ndarray) -> np.ndarray:
    return filed + np.timedelta64(36, "h")


@pytest.fixture(scope="module")
def reports() -> pd.DataFrame:
    return year()


@pytest.fixture(scope="module")
def lives(reports: pd.DataFrame) -> pd.DataFrame:
    return live(reports, half_day_limit, until=LAST, slow_owner=SLOW_UNIT, slow_factor=2.0, seed=20)


def local(frame: pd.DataFrame) -> pd.Series:
    return frame["reported_at"] + pd.to_timedelta(frame["local_us"], unit="us")


def digest(frame: pd.DataFrame) -> str:
    return hashlib.sha256(pd.util.hash_pandas_object(frame, index=True).to_numpy().tobytes()).hexdigest()


def test_every_shipped_class_has_a_pattern_phrases_and_an_owner_that_exists() -> None:
    keys = {spec.key for spec in CLASSES}
    assert set(PATTERNS) == set(phrases_en.WHAT) == set(phrases_zh.WHAT) == keys
    units = {unit.code for unit in (*CENTRES, *DEPARTMENTS)} | {"street"}
    assert {pattern.owner for pattern in PATTERNS.values()} <= units
    for pattern in PATTERNS.values():
        assert pattern.hours in HOURS
        assert pattern.week in WEEK
        assert pattern.season in SEASON
        assert pattern.sources in SOURCES
        assert place_weights(town(50), pattern.where).min() > 0


def test_tables_have_their_length_and_shares_add_up() -> None:
    assert {len(hours) for hours in HOURS.values()} == {24}
    assert {len(week) for week in WEEK.values()} == {7}
    assert {len(season) for season in SEASON.values()} == {12}
    assert [sum(shares.values()) for shares in SOURCES.values()] == pytest.approx([1.0] * len(SOURCES))
    assert hour_cdf("office")[[0, -1]] == pytest.approx([0, 1])


def test_season_runs_through_the_turn_of_the_year() -> None:
    first, last = season_of("winter", np.array([1])), season_of("winter", np.array([366]))
    assert first == pytest.approx(last, rel=0.05)


def test_same_seed_same_year_and_another_seed_another() -> None:
    assert digest(year(incidents=2000)) == digest(year(incidents=2000))
    assert digest(year(incidents=2000)) != digest(year(seed=21, incidents=2000))


def test_the_year_has_the_number_asked_for_and_ends_now(reports: pd.DataFrame) -> None:
    assert len(reports) == 20_000
    assert reports["reported_at"].is_monotonic_increasing
    assert reports["reported_at"].max() <= pd.Timestamp(LAST)
    assert reports["reported_at"].max() > pd.Timestamp(LAST) - pd.Timedelta(days=1)
    assert reports["reported_at"].min() >= pd.Timestamp(LAST) - pd.Timedelta(days=366)


@pytest.mark.parametrize("incidents", [1, 40, 300])
def test_a_small_city_gets_its_exact_number_too(incidents: int) -> None:
    assert len(year(incidents=incidents)) == incidents


def test_days_are_busier_than_nights_and_workdays_than_sundays(reports: pd.DataFrame) -> None:
    hours = local(reports).dt.hour.value_counts()
    assert hours.loc[8:17].sum() > 0.5 * len(reports)
    assert hours.loc[0:4].sum() < 0.06 * len(reports)
    weekdays = local(reports).dt.day_of_week.value_counts()
    assert weekdays[0] > 1.2 * weekdays[6]


def test_nobody_patrols_at_night(reports: pd.DataFrame) -> None:
    hour = local(reports).dt.hour
    assert not reports.loc[(hour < 6) | (hour >= 22), "source"].isin(["patrol", "superior"]).any()


def test_lamps_fail_in_the_dark_and_ice_comes_with_frost(reports: pd.DataFrame) -> None:
    lamps = local(reports[reports["class_key"] == "component-01-18"])
    assert lamps.dt.hour.isin(range(16, 23)).mean() > 0.5
    ice = local(reports[reports["class_key"] == "event-01-12"])
    assert ice.dt.month.isin([11, 12, 1, 2, 3]).mean() > 0.95


def test_the_storm_week_is_one_week_of_a_stormy_month_and_eight_times_as_wet(reports: pd.DataFrame) -> None:
    days = pd.date_range("2025-11-20", "2026-11-20", freq="D")
    storm = days[storm_days(days)]
    assert len(storm) == 7
    assert storm[0].weekday() == 0
    assert storm[0].month in STORM_MONTHS
    assert storm[-1] <= days[-1] - pd.Timedelta(days=10)
    wet = reports[reports["class_key"].isin(["event-01-11", "event-04-04"])]
    in_storm = local(wet).dt.normalize().isin(storm)
    usual_week = (~in_storm).sum() / 51
    assert 5 < in_storm.sum() / usual_week < 14
    assert wet.loc[in_storm, "storm"].all()


def test_storm_reports_lie_nearer_to_water(reports: pd.DataFrame) -> None:
    water_m = town().water_m[reports["site"]]
    sewers = (reports["class_key"] == "event-04-04").to_numpy()
    stormy = reports["storm"].to_numpy(dtype=bool)
    assert np.median(water_m[sewers & stormy]) < 0.7 * np.median(water_m[sewers & ~stormy])


def test_the_chronic_corner_is_dumped_on_nearly_every_week(reports: pd.DataFrame) -> None:
    corner = reports[reports["chronic"]]
    assert set(corner["site"]) == {chronic_site(town())}
    assert set(corner["class_key"]) == {CHRONIC_CLASS}
    assert 50 <= len(corner) <= 80
    assert local(corner).dt.isocalendar().week.nunique() >= 50


def test_reports_cluster_where_people_are(reports: pd.DataFrame) -> None:
    sites = town()
    busiest = reports["site"].value_counts()
    assert busiest.iloc[: len(sites) // 10].sum() > 0.3 * len(reports)
    assert sites.people_km2[reports["site"]].mean() > 1.3 * sites.people_km2.mean()


def test_stages_follow_each_other_and_status_fits(lives: pd.DataFrame) -> None:
    stages = ["reported_at", "filed_at", "dispatched_at", "handled_at", "closed_at"]
    for earlier, later in itertools.pairwise(stages):
        both = lives[later].notna()
        assert (lives.loc[both, earlier] <= lives.loc[both, later]).all()
        assert lives.loc[both, earlier].notna().all()
        assert (lives.loc[both, later] <= pd.Timestamp(LAST)).all()
    assert ((lives["status"] == "closed") == lives["closed_at"].notna()).all()
    assert lives.loc[lives["status"] == "checking", "handled_at"].notna().all()
    assert lives.loc[lives["status"].isin(["handling", "dispatched"]), "handled_at"].isna().all()
    assert lives.loc[lives["status"] == "reported", "filed_at"].isna().all()
    assert lives.loc[lives["status"] == "void", stages[1:]].isna().all(axis=None)
    assert (lives["due_at"].notna() == lives["filed_at"].notna()).all()


def test_some_run_late_some_are_reworked_some_void(lives: pd.DataFrame) -> None:
    closed = lives[lives["status"] == "closed"]
    assert 0.02 < (closed["closed_at"] > closed["due_at"]).mean() < 0.25
    assert 0.02 < (closed["reworks"] > 0).mean() < 0.1
    assert 0.005 < (lives["status"] == "void").mean() < 0.04
    assert lives.loc[lives["status"] == "void", "source"].isin(PUBLIC_SOURCES).all()


def test_the_slow_department_is_the_slowest(lives: pd.DataFrame) -> None:
    closed = lives[lives["status"] == "closed"]
    owner = closed["class_key"].map({key: pattern.owner for key, pattern in PATTERNS.items()})
    late = (closed["closed_at"] > closed["due_at"]).groupby(owner).mean()
    assert late.idxmax() == SLOW_UNIT


def test_notes_are_varied_in_two_languages_and_leave_no_blank(lives: pd.DataFrame) -> None:
    site = lives["site"].to_numpy()
    near = np.where(site % 3 == 0, "Minghella Bakery", "").astype(object)
    notes = write_notes(lives, town().street[site], near, seed=20)
    chinese = np.array([any(ord(letter) > 0x4E00 for letter in note) for note in notes])
    assert 0.25 < chinese.mean() < 0.45
    assert len(set(notes)) > 0.9 * len(notes)
    assert not any("{" in note or "  " in note for note in notes)
    assert list(write_notes(lives, town().street[site], near, seed=20)) == list(notes)


def test_only_the_public_has_reporters(lives: pd.DataFrame) -> None:
    sources = lives["source"].to_numpy(dtype=object)
    names, phones = write_reporters(sources, seed=20)
    named = np.array([name is not None for name in names])
    assert (named == np.isin(sources, ["app", "hotline", "web"])).all()
    assert all(phone.startswith("+44 7700 900") for phone in phones if phone is not None)


def test_points_along_lines_are_evenly_spread() -> None:
    import shapely

    lines = np.array([shapely.LineString([(0, 0), (100, 0)]), shapely.LineString([(0, 0), (0, 1)])], dtype=object)
    line, x, y = points_along(lines, np.array([100.0, 1.0]))
    assert line.tolist() == [0, 0, 0, 0, 1]
    assert x.tolist() == [12.5, 37.5, 62.5, 87.5, 0]
    assert y.tolist() == [0, 0, 0, 0, 0.5]


def test_workers_stand_in_every_grid_and_more_where_more_people_live() -> None:
    grids = pd.DataFrame({"id": [1, 2, 3], "community_id": [10, 10, 20], "people": [9000.0, 500.0, 3000.0]})
    placed = place_workers(grids, 7, focus=[20])
    assert placed["community_id"].iloc[0] == 20
    assert placed["responsibility_grid_id"].value_counts().to_dict() == {1: 4, 3: 2, 2: 1}
    assert place_workers(grids, 2, focus=[])["responsibility_grid_id"].tolist() == [1, 3]
