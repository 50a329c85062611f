"""Notes and reporters of simulated incidents, in English and Chinese (pure)."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.demo import phrases_en, phrases_zh
from app.demo.names import reporter_names
from app.demo.patterns import PUBLIC_SOURCES

Texts = NDArray[np.object_]
CHINESE_SHARE = 0.35
BLOCKS_PASSAGE = ("event-01-02", "event-05-05", "event-05-06", "event-05-07", "component-03-04")
SUDDEN = ("event-01-11", "event-01-12", "event-04-01", "event-04-02", "event-04-03", "event-04-04")
ENDANGERS = ("component-01-01", "component-01-02", "component-01-03", "event-03-06", "component-02-11")


def write_notes(incidents: pd.DataFrame, street: Texts, landmark: Texts, *, seed: int) -> Texts:
    """Return a note per incident: what, where, and a remark that fits its source.

    Parameters
    ----------
    incidents
        With ``class_key``, ``source``, ``storm`` and ``chronic``.
    street
        Street name per incident; empty where it has none.
    landmark
        Name of a facility near each incident; empty where there is none.
    """
    rng = np.random.default_rng([seed, 3])
    n = len(incidents)
    chinese = rng.random(n) < CHINESE_SHARE
    # One row of uniforms per note: each choice takes its own, so that notes do not depend on each other.
    dice = rng.random((n, 9))
    public = np.isin(incidents["source"].to_numpy(dtype=object), PUBLIC_SOURCES)
    rows = zip(
        incidents["class_key"],
        incidents["storm"],
        incidents["chronic"],
        public,
        chinese,
        street,
        landmark,
        dice.tolist(),
        strict=True,
    )
    notes = [
        _note(
            phrases_zh if zh else phrases_en,
            key,
            road,
            near,
            u,
            storm=bool(storm),
            chronic=bool(corner),
            public=bool(told),
        )
        for key, storm, corner, told, zh, road, near, u in rows
    ]
    return np.array(notes, dtype=object)


def write_reporters(sources: Texts, *, seed: int) -> tuple[Texts, Texts]:
    """Return a fictional name and phone per public report, None for our own; numbers no network gives out."""
    rng = np.random.default_rng([seed, 4])
    public = np.isin(sources, PUBLIC_SOURCES)
    names = reporter_names(len(sources), rng)
    # 07700 900000 … 900999 are reserved for drama by the British regulator.
    phones = np.array([f"+44 7700 900{number:03d}" for number in rng.integers(0, 1000, len(sources))], dtype=object)
    called = public & (sources != "media")
    names[~called] = None
    phones[~called] = None
    return names, phones


def _note(
    words: ModuleType,
    key: str,
    street: str,
    landmark: str,
    u: list[float],
    *,
    storm: bool,
    chronic: bool,
    public: bool,
) -> str:
    number = 1 + int(u[3] ** 2 * 140)
    fill = {
        "street": street,
        "number": number,
        "next_number": number + 2,
        "metres": 10 * (1 + int(u[4] * 18)),
        "side": _pick(words.SIDES, u[5]),
        "landmark": landmark or words.LANDMARK,
        "days": 2 + int(u[6] * 12),
        "weekday": _pick(words.WEEKDAYS, u[6]),
    }
    what = _pick(words.WHAT[key], u[0])
    nameless = words.AT_NO_STREET if landmark else words.AT_NO_STREET[:1]
    where = _pick(words.AT if street else nameless, u[1]).format(**fill)
    tails = words.TAIL_PUBLIC if public else words.TAIL_PATROL
    if key in SUDDEN:
        tails = words.TAIL_URGENT
    if key in BLOCKS_PASSAGE:
        tails += words.TAIL_PASSAGE
    elif key in ENDANGERS:
        tails += words.TAIL_DANGER
    if chronic:
        tails = words.TAIL_CHRONIC
    elif storm and u[7] < 0.6:
        tails = words.TAIL_STORM
    tail = _pick(tails, u[2]).format(**fill)
    if words is phrases_zh:
        return f"{where}{what}。{tail}".strip()
    said = f"{what} {where}" if u[8] < 0.7 else f"{where}: {what}"
    return f"{said[0].upper()}{said[1:]}. {tail}".strip()


def _pick(choices: tuple[str, ...], u: float) -> str:
    return choices[int(u * len(choices))]
