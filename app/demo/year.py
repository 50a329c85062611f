"""A year of simulated reports: which class, when, where, from whom (pure; same seed, same year)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.demo.patterns import PATTERNS, SOURCES, STORM_FACTOR, STORM_MONTHS, WEEK, Pattern, hour_cdf, season_of
from app.demo.sites import Sites, chronic_site, place_weights, rough_ground

Floats = NDArray[np.float64]

DAYS = 365
CHRONIC_CLASS = "event-01-02"
STORM_WET_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class Plan:
    """What the year is made from.

    Attributes
    ----------
    classes
        Kind and code of each class that may happen; those without a pattern are left out.
    incidents
        Exact number of reports of the year, chronic corner included.
    until
        The present: no report is later. Aware.
    """

    classes: Sequence[str]
    incidents: int
    until: dt.datetime
    timezone: str
    seed: int


def simulate_year(plan: Plan, sites: Sites) -> pd.DataFrame:
    """Return one row per report, sorted by time.

    Returns
    -------
    pandas.DataFrame
        ``class_key`` (as in `PATTERNS`), ``reported_at`` (UTC, µs), ``local_us`` (local minus UTC in
        µs), ``site`` (index into ``sites``), ``source``, ``storm`` and ``chronic`` (flags).
    """
    rng = np.random.default_rng(plan.seed)
    zone = ZoneInfo(plan.timezone)
    end = plan.until.astimezone(zone).replace(tzinfo=None)
    days = pd.date_range(end - pd.Timedelta(days=DAYS), end, freq="D").normalize()
    keys = [key for key in plan.classes if key in PATTERNS]
    patterns = [PATTERNS[key] for key in keys]
    storm = storm_days(days)
    chronic = _chronic_times(days, end, rng)[: max(0, plan.incidents // 50)]

    expected = _expected(patterns, days, storm, end, rng)
    drawn = rng.multinomial(plan.incidents - len(chronic), (expected / expected.sum()).ravel()).reshape(expected.shape)
    class_index, day_index = np.nonzero(drawn)
    times = drawn[class_index, day_index]
    class_index, day_index = np.repeat(class_index, times), np.repeat(day_index, times)
    local = _times_of_day(patterns, class_index, day_index, days, end=end, rng=rng)

    stormy = storm[day_index] & np.array([p.storm for p in patterns])[class_index]
    site = _draw_sites(patterns, class_index, stormy, sites, rng)
    source = _draw_sources(patterns, class_index, local, rng)
    frame = pd.DataFrame(
        {
            "class_key": np.array(keys, dtype=object)[class_index],
            "local": local,
            "site": site,
            "source": source,
            "storm": stormy,
            "chronic": False,
        },
    )
    if len(chronic):
        corner = pd.DataFrame(
            {
                "class_key": CHRONIC_CLASS,
                "local": chronic,
                "site": chronic_site(sites),
                "source": rng.choice(["app", "hotline", "patrol", "web"], len(chronic), p=[0.35, 0.3, 0.2, 0.15]),
                "storm": False,
                "chronic": True,
            },
        )
        frame = pd.concat([frame, corner], ignore_index=True)
    return _to_utc(frame, zone, plan.until)


def storm_days(days: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Return which days make the storm week: the latest full week of a stormy month, ten days past at least."""
    full = [m for m in range(len(days)) if days[m].weekday() == 0 and m + 7 <= len(days) - 10]
    stormy = [m for m in full if days[m].month in STORM_MONTHS] or full
    mask = np.zeros(len(days), dtype=bool)
    if stormy:
        mask[stormy[-1] : stormy[-1] + 7] = True
    return mask


def _expected(
    patterns: Sequence[Pattern],
    days: pd.DatetimeIndex,
    storm: NDArray[np.bool_],
    end: dt.datetime,
    rng: np.random.Generator,
) -> Floats:
    """Return the relative expected number per class and day, shape (classes, days)."""
    weekday = np.asarray(days.day_of_week)
    of_year = np.asarray(days.day_of_year, dtype=np.int64)
    city_mood = _wander(rng, len(days), 0.10)
    rows = []
    for pattern in patterns:
        row = pattern.share * np.asarray(WEEK[pattern.week])[weekday] * season_of(pattern.season, of_year)
        row = row * city_mood * _wander(rng, len(days), 0.18)
        if pattern.storm:
            row = np.where(storm, row * STORM_FACTOR, row)
        passed = np.interp(end.hour + end.minute / 60, np.arange(25), hour_cdf(pattern.hours))
        row[-1] *= passed
        row[0] *= 1 - passed
        rows.append(row)
    return np.array(rows)


def _wander(rng: np.random.Generator, n_days: int, spread: float) -> Floats:
    """Return a factor per day around 1 that drifts over about a week."""
    steps = rng.normal(0.0, 1.0, n_days + 20)
    drift = np.convolve(steps, np.ones(7) / np.sqrt(7), mode="same")[10 : n_days + 10]
    return np.exp(spread * drift - spread**2 / 2)


def _times_of_day(
    patterns: Sequence[Pattern],
    class_index: NDArray[np.int64],
    day_index: NDArray[np.int64],
    days: pd.DatetimeIndex,
    *,
    end: dt.datetime,
    rng: np.random.Generator,
) -> NDArray[np.datetime64]:
    """Return local times, inside the year also on its first and last day."""
    hours = np.arange(25, dtype=np.float64)
    passed_h = end.hour + end.minute / 60 + end.second / 3600
    share = rng.random(len(class_index))
    hour = np.empty(len(class_index))
    for index, pattern in enumerate(patterns):
        cdf = hour_cdf(pattern.hours)
        rows = class_index == index
        passed = np.interp(passed_h, hours, cdf)
        u = share[rows]
        u = np.where(day_index[rows] == len(days) - 1, u * passed, u)
        u = np.where(day_index[rows] == 0, passed + u * (1 - passed), u)
        hour[rows] = np.interp(u, cdf, hours)
    midnight = days.to_numpy().astype("datetime64[us]")[day_index]
    local: NDArray[np.datetime64] = midnight + (hour * 3600e6).astype("timedelta64[us]")
    return local


def _draw_sites(
    patterns: Sequence[Pattern],
    class_index: NDArray[np.int64],
    stormy: NDArray[np.bool_],
    sites: Sites,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return the site of each report: by the class's kind of place, in the storm mostly near water."""
    worse = rough_ground(sites, rng)
    where = np.array([p.where for p in patterns], dtype=object)[class_index]
    where = np.where(stormy & (rng.random(len(where)) < STORM_WET_SHARE), "water", where)
    site = np.zeros(len(where), dtype=np.int64)
    for kind in sorted(set(where)):
        rows = where == kind
        cdf = np.cumsum(place_weights(sites, kind) * worse)
        site[rows] = np.searchsorted(cdf, rng.random(int(rows.sum())) * cdf[-1], side="right")
    return np.minimum(site, len(sites) - 1)


def _draw_sources(
    patterns: Sequence[Pattern],
    class_index: NDArray[np.int64],
    local: NDArray[np.datetime64],
    rng: np.random.Generator,
) -> NDArray[np.object_]:
    """Return the source of each report; at night nobody patrols, so the hotline rings."""
    mix = np.array([p.sources for p in patterns], dtype=object)[class_index]
    source = np.empty(len(mix), dtype=object)
    for name in sorted(set(mix)):
        rows = mix == name
        source[rows] = rng.choice(list(SOURCES[name]), int(rows.sum()), p=list(SOURCES[name].values()))
    hour = (local - local.astype("datetime64[D]")) / np.timedelta64(1, "h")
    night = (hour < 6) | (hour >= 22)
    phoned = np.where(rng.random(len(source)) < 0.6, "hotline", "app")
    chosen: NDArray[np.object_] = np.where(night & np.isin(source, ("patrol", "superior")), phoned, source)
    return chosen


def _chronic_times(days: pd.DatetimeIndex, end: dt.datetime, rng: np.random.Generator) -> NDArray[np.datetime64]:
    """Return the local times at the chronic corner: every week after collection day, sometimes twice."""
    times = []
    for day in days[days.day_of_week == 1]:
        for after_days in (0, 3)[: 1 + int(rng.random() < 0.35)]:
            hour = float(np.clip(rng.normal(8.2, 1.3), 6.1, 12))
            times.append(day + pd.Timedelta(days=after_days, hours=hour))
    begin = pd.Timestamp(end) - pd.Timedelta(days=DAYS)
    kept = [moment for moment in times if begin < moment < pd.Timestamp(end)]
    return np.array(kept[::-1], dtype="datetime64[us]")


def _to_utc(frame: pd.DataFrame, zone: ZoneInfo, until: dt.datetime) -> pd.DataFrame:
    local = pd.DatetimeIndex(frame.pop("local"))
    utc = local.tz_localize(zone, ambiguous=np.ones(len(local), dtype=bool), nonexistent="shift_forward").tz_convert(
        "UTC"
    )
    last = pd.Timestamp(until).tz_convert("UTC")
    reported = utc.tz_localize(None).to_numpy().astype("datetime64[us]")
    reported = np.minimum(reported, last.tz_localize(None).to_datetime64().astype("datetime64[us]"))
    shown = pd.DatetimeIndex(reported).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    frame["reported_at"] = reported
    frame["local_us"] = (shown.to_numpy().astype("datetime64[us]") - reported).astype(np.int64)
    return frame.sort_values(["reported_at", "site", "class_key"], kind="stable").reset_index(drop=True)
