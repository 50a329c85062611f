"""What becomes of each simulated report: filed, dispatched, handled, closed, or not yet (pure)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.demo.patterns import PATTERNS, PUBLIC_SOURCES

Floats = NDArray[np.float64]
Moments = NDArray[np.datetime64]
DueOf = Callable[[NDArray[np.object_], Moments], Moments]

HOUR_US = 3_600_000_000
NOT_YET = np.datetime64("NaT", "us")
OPENS_H, SHUTS_H = 7.5, 19.0

VOID_SHARE = 0.03
REWORK_SHARE = 0.045
STUBBORN_SHARE = 0.008
HURRIED = 0.55
USUAL_PART, SPREAD = 0.5, 0.45
"""Median and log spread of the part of its time limit that a unit uses."""


def live(
    reports: pd.DataFrame,
    due_of: DueOf,
    *,
    until: np.datetime64,
    slow_owner: str,
    slow_factor: float,
    seed: int,
) -> pd.DataFrame:
    """Return the reports with stages, status and deadline as they stand at ``until``.

    Parameters
    ----------
    reports
        As `app.demo.year.simulate_year` returns them.
    due_of
        Class keys and filing times (UTC) to deadlines (UTC).

    Returns
    -------
    pandas.DataFrame
        The columns of ``reports`` and ``filed_at``, ``dispatched_at``, ``handled_at``,
        ``closed_at``, ``due_at`` (UTC, µs, NaT when not reached), ``status``, ``reworks`` and
        ``accepted`` (the unit has taken the task).
    """
    rng = np.random.default_rng([seed, 2])
    n = len(reports)
    keys = reports["class_key"].to_numpy(dtype=object)
    reported = reports["reported_at"].to_numpy().astype("datetime64[us]")
    offset = reports["local_us"].to_numpy().astype("timedelta64[us]")
    urgent = np.array([PATTERNS[key].urgent for key in keys], dtype=bool)
    slow = np.array([PATTERNS[key].owner == slow_owner for key in keys], dtype=bool)
    public = np.isin(reports["source"].to_numpy(dtype=object), PUBLIC_SOURCES)
    storm = reports["storm"].to_numpy(dtype=bool)

    # A worker files what he sees at once; what the public reports is looked at on site first.
    seen_h = np.where(public, rng.lognormal(np.log(0.8), 0.7, n), rng.lognormal(np.log(0.1), 0.6, n))
    filed = _by_day(_after(reported, seen_h), offset, urgent | ~public, rng)
    dispatched = _by_day(_after(filed, rng.lognormal(np.log(0.35), 0.7, n)), offset, urgent, rng)

    due = due_of(keys, filed)
    limit_h = np.maximum((due - dispatched) / np.timedelta64(1, "h"), 0.5)
    part = rng.lognormal(np.log(USUAL_PART), SPREAD, n)
    part *= np.where(slow, slow_factor, 1.0) * np.where(storm, 1.5, 1.0)
    rework = (rng.random(n) < np.where(slow, 2 * REWORK_SHARE, REWORK_SHARE)).astype(np.int16)
    part += rework * rng.uniform(0.3, 0.9, n)
    # What runs late is soon noticed and hurried; a few stubborn ones are not.
    part = np.where(part > 1, 1 + HURRIED * (part - 1), part)
    part = np.where(rng.random(n) < STUBBORN_SHARE, part + rng.uniform(0.6, 2.5, n), part)
    accepted_at = _after(dispatched, limit_h * part * rng.uniform(0.05, 0.5, n))
    handled = _by_day(_after(dispatched, limit_h * part), offset, urgent, rng)
    # Checking counts into the limit too, so nobody waits with it when time runs out.
    left_h = np.maximum((due - handled) / np.timedelta64(1, "h"), 0.0)
    check_h = np.minimum(rng.lognormal(np.log(2.5), 0.8, n), np.where(left_h > 0, 0.15 + 0.8 * left_h, 24.0))
    closed = _by_day(_after(handled, check_h), offset, urgent | (left_h > 0), rng)

    void = public & (rng.random(n) < VOID_SHARE)
    return _as_of(
        reports,
        until,
        stages={"filed_at": filed, "dispatched_at": dispatched, "handled_at": handled, "closed_at": closed},
        due=due,
        accepted_at=accepted_at,
        void=void,
        rework=rework,
    )


def leave_to_check(lived: pd.DataFrame, until: np.datetime64, least: int) -> pd.DataFrame:
    """Return the frame of `live` with at least so many incidents handled and not yet closed, where there are any.

    In the evening of a day off nothing would wait to be verified; what was closed last and is not due yet waits then.
    """
    lacking = least - int((lived["status"] == "checking").sum())
    early = lived[(lived["status"] == "closed") & (lived["due_at"] > until)].sort_values("closed_at", ascending=False)
    waiting = early.index[: max(0, lacking)]
    frame = lived.copy()
    frame.loc[waiting, "status"] = "checking"
    frame.loc[waiting, "closed_at"] = NOT_YET
    return frame


def _as_of(
    reports: pd.DataFrame,
    until: np.datetime64,
    *,
    stages: dict[str, Moments],
    due: Moments,
    accepted_at: Moments,
    void: NDArray[np.bool_],
    rework: NDArray[np.int16],
) -> pd.DataFrame:
    """Return the reports with only what has happened by ``until``."""
    frame = reports.copy()
    reached = {name: times <= until for name, times in stages.items()}
    voided = void & reached["filed_at"]
    for name, times in stages.items():
        frame[name] = np.where(reached[name] & ~void, times, NOT_YET)
    accepted = (accepted_at <= until) & reached["dispatched_at"] & ~void
    frame["due_at"] = np.where(reached["filed_at"] & ~void, due, NOT_YET)
    frame["accepted"] = accepted
    frame["status"] = np.select(
        [
            voided,
            void,
            reached["closed_at"],
            reached["handled_at"],
            accepted,
            reached["dispatched_at"],
            reached["filed_at"],
        ],
        ["void", "reported", "closed", "checking", "handling", "dispatched", "filed"],
        "reported",
    )
    frame["reworks"] = np.where(reached["handled_at"] & ~void, rework, 0).astype(np.int16)
    return frame


def _after(moments: Moments, hours: Floats) -> Moments:
    later: Moments = moments + _hours(hours)
    return later


def _hours(hours: Floats) -> NDArray[np.timedelta64]:
    return (hours * HOUR_US).astype(np.int64).astype("timedelta64[us]")


def _by_day(
    moments: Moments,
    offset: NDArray[np.timedelta64],
    any_hour: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Moments:
    """Return the moments, those outside local daytime moved to the next morning unless ``any_hour``."""
    local = moments + offset
    day = local.astype("datetime64[D]")
    hour = (local - day) / np.timedelta64(1, "h")
    day = day + (hour >= SHUTS_H).astype(np.int64)
    morning = day.astype("datetime64[us]") + _hours(OPENS_H + rng.exponential(0.9, len(moments)))
    night = (hour < OPENS_H) | (hour >= SHUTS_H)
    return np.where(night & ~any_hour, morning - offset, moments).astype("datetime64[us]")
