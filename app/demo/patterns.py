"""When, where and how often each class of incident happens in a simulated year, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Relative frequency by local hour 0 … 23.
HOURS: dict[str, tuple[float, ...]] = {
    "office": (1, 1, 1, 1, 1, 2, 8, 22, 40, 46, 44, 38, 30, 36, 42, 38, 30, 20, 11, 7, 5, 3, 2, 1),
    "morning": (1, 1, 1, 1, 2, 8, 26, 46, 52, 42, 30, 22, 17, 16, 17, 18, 17, 14, 11, 9, 7, 4, 3, 2),
    "commute": (1, 1, 1, 1, 1, 3, 14, 36, 48, 30, 20, 20, 26, 22, 20, 28, 40, 46, 30, 16, 10, 6, 4, 2),
    "evening": (10, 6, 3, 2, 1, 1, 2, 4, 6, 8, 11, 14, 18, 16, 14, 15, 19, 26, 34, 40, 44, 42, 34, 20),
    "dark": (4, 2, 2, 1, 2, 4, 10, 12, 10, 10, 8, 8, 8, 8, 9, 14, 26, 38, 44, 46, 42, 32, 20, 9),
    "anytime": (12, 10, 9, 8, 9, 12, 18, 26, 30, 30, 28, 27, 26, 26, 26, 27, 28, 28, 26, 24, 22, 20, 17, 14),
}
# Relative frequency by ISO weekday, Monday first.
WEEK: dict[str, tuple[float, ...]] = {
    "even": (1.05, 1.0, 1.0, 1.0, 1.02, 0.97, 0.96),
    "workdays": (1.2, 1.2, 1.15, 1.15, 1.1, 0.5, 0.3),
    "weekend": (0.8, 0.75, 0.8, 0.85, 1.1, 1.45, 1.3),
    "monday": (1.7, 1.15, 0.95, 0.9, 0.9, 0.7, 0.65),
}
# Relative frequency by month, January first; days between the middles of months are interpolated.
SEASON: dict[str, tuple[float, ...]] = {
    "flat": (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
    "summer": (0.6, 0.6, 0.75, 0.95, 1.15, 1.4, 1.75, 1.85, 1.2, 0.9, 0.65, 0.6),
    "winter": (1.5, 1.45, 1.3, 1.0, 0.8, 0.65, 0.6, 0.6, 0.8, 1.0, 1.25, 1.4),
    "autumn": (1.1, 1.0, 0.8, 0.7, 0.7, 0.7, 0.7, 0.8, 1.1, 1.6, 1.8, 1.3),
    "growth": (0.5, 0.5, 0.8, 1.2, 1.6, 1.7, 1.5, 1.3, 1.1, 0.9, 0.6, 0.5),
    "frost": (3.6, 3.0, 0.8, 0.1, 0, 0, 0, 0, 0, 0.1, 1.0, 3.2),
}
# Share of each source; the first entry decides how many come from our own patrol.
SOURCES: dict[str, dict[str, float]] = {
    "patrol": {"patrol": 0.62, "app": 0.15, "hotline": 0.12, "web": 0.07, "media": 0.01, "superior": 0.03},
    "mixed": {"patrol": 0.38, "app": 0.24, "hotline": 0.22, "web": 0.12, "media": 0.02, "superior": 0.02},
    "public": {"patrol": 0.12, "app": 0.27, "hotline": 0.41, "web": 0.16, "media": 0.03, "superior": 0.01},
}
PUBLIC_SOURCES = ("app", "hotline", "web", "media")
STORM_FACTOR = 8.0
STORM_MONTHS = (10, 11, 12, 1, 2)


@dataclass(frozen=True, slots=True)
class Pattern:
    """How a class of incident behaves.

    Attributes
    ----------
    share
        Relative number in a year.
    where
        Kind of place, see `app.demo.sites.place_weights`.
    owner
        Code of the unit in the duty list (`app.demo.office.DEPARTMENTS`); ``street`` for the
        street office of the place.
    urgent
        Handled by night and on holidays too.
    storm
        Comes `STORM_FACTOR` times as often in the storm week.
    """

    share: float
    hours: str
    week: str
    season: str
    where: str
    sources: str
    owner: str
    urgent: bool = False
    storm: bool = False


_P = Pattern
PATTERNS: dict[str, Pattern] = {
    "component-01-01": _P(0.9, "office", "workdays", "flat", "roads", "patrol", "WA"),
    "component-01-02": _P(1.3, "office", "workdays", "flat", "roads", "patrol", "WA"),
    "component-01-03": _P(0.9, "office", "workdays", "autumn", "roads", "patrol", "HW"),
    "component-01-04": _P(2.6, "office", "workdays", "autumn", "water", "patrol", "HW", storm=True),
    "component-01-05": _P(0.5, "office", "workdays", "flat", "roads", "patrol", "EL"),
    "component-01-13": _P(0.6, "office", "workdays", "flat", "shops", "patrol", "FS"),
    "component-01-17": _P(0.7, "office", "even", "winter", "homes", "mixed", "EL", storm=True),
    "component-01-18": _P(5.2, "dark", "even", "winter", "homes", "public", "EL"),
    "component-02-01": _P(0.8, "office", "weekend", "summer", "shops", "mixed", "TP"),
    "component-02-03": _P(1.1, "commute", "even", "flat", "main", "mixed", "TP"),
    "component-02-09": _P(2.0, "office", "even", "winter", "main", "patrol", "TP", storm=True),
    "component-02-11": _P(0.9, "commute", "even", "winter", "main", "patrol", "HW"),
    "component-02-14": _P(0.9, "commute", "even", "flat", "main", "public", "TP", urgent=True),
    "component-03-01": _P(1.2, "office", "weekend", "summer", "shops", "mixed", "WM"),
    "component-03-04": _P(0.9, "morning", "monday", "flat", "homes", "patrol", "WM"),
    "component-03-05": _P(4.4, "morning", "monday", "summer", "shops", "patrol", "WM"),
    "component-04-01": _P(0.3, "office", "workdays", "growth", "green", "patrol", "PG"),
    "component-04-02": _P(3.0, "office", "even", "growth", "homes", "mixed", "PG", storm=True),
    "component-04-05": _P(2.6, "office", "even", "growth", "green", "mixed", "PG"),
    "component-04-07": _P(1.0, "office", "even", "summer", "green", "patrol", "PG"),
    "event-01-01": _P(0.8, "office", "workdays", "flat", "homes", "public", "HB"),
    "event-01-02": _P(11.5, "morning", "monday", "summer", "centre", "mixed", "WM"),
    "event-01-03": _P(3.2, "office", "workdays", "flat", "lanes", "mixed", "WM"),
    "event-01-04": _P(7.0, "morning", "monday", "autumn", "centre", "patrol", "WM"),
    "event-01-05": _P(1.4, "office", "even", "summer", "water", "mixed", "EN"),
    "event-01-07": _P(2.4, "office", "even", "flat", "homes", "public", "TP"),
    "event-01-11": _P(2.4, "anytime", "even", "autumn", "water", "public", "HW", urgent=True, storm=True),
    "event-01-12": _P(1.6, "morning", "even", "frost", "roads", "mixed", "HW", urgent=True),
    "event-02-01": _P(3.6, "office", "workdays", "flat", "shops", "patrol", "street"),
    "event-03-01": _P(2.4, "evening", "workdays", "summer", "homes", "public", "EN"),
    "event-03-02": _P(1.1, "office", "workdays", "summer", "homes", "public", "EN"),
    "event-03-06": _P(8.4, "commute", "even", "winter", "roads", "mixed", "HW"),
    "event-04-01": _P(0.25, "anytime", "even", "winter", "roads", "public", "HW", urgent=True, storm=True),
    "event-04-02": _P(0.8, "anytime", "even", "winter", "homes", "public", "WA", urgent=True),
    "event-04-03": _P(0.35, "anytime", "even", "winter", "homes", "public", "GS", urgent=True),
    "event-04-04": _P(3.0, "anytime", "even", "autumn", "homes", "public", "WA", urgent=True, storm=True),
    "event-05-01": _P(3.0, "evening", "weekend", "summer", "shops", "patrol", "SO"),
    "event-05-05": _P(9.0, "commute", "even", "summer", "centre", "mixed", "SO", urgent=True),
    "event-05-06": _P(2.4, "commute", "even", "summer", "shops", "patrol", "street"),
    "event-05-07": _P(4.2, "morning", "even", "flat", "centre", "patrol", "street"),
    "event-05-08": _P(2.6, "evening", "weekend", "summer", "shops", "public", "EN"),
}
"""Kind and code of the shipped catalogue to its pattern; a class without one is not simulated."""


def hour_cdf(name: str) -> Floats:
    """Return the cumulative share of reports before hours 0 … 24, shape (25,)."""
    return np.concatenate([[0.0], np.cumsum(HOURS[name]) / np.sum(HOURS[name])])


def season_of(name: str, day_of_year: NDArray[np.int64]) -> Floats:
    """Return the seasonal factor of each day of the year (1 … 366)."""
    middles = 15.2 + 30.4 * np.arange(-1, 13)
    months = np.asarray(SEASON[name], dtype=np.float64)
    factor: Floats = np.interp(day_of_year, middles, np.concatenate([months[-1:], months, months[:1]]))
    return factor
