"""Addresses of a real city matched to its streets: how many are placed, how many wrongly, and how fast.

The truth is the house numbers of OpenStreetMap (addr:street, addr:housenumber with their own place), which the
platform does not load by itself. Each is written as people write it, with and without its community, with shortened
words and with typing errors, and matched by the streets alone, and once more with half of the numbers known.
Run: GRIDKEEPER_STATE_DIR=... python tests/bench/bench_link.py EXTRACT.osm.pbf, where the state holds that city.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import shapely
from figures import FIGURES, left_out

from core.identity import system_actor
from geodata import db
from geodata.crs import project
from geodata.gazetteer import Entry, Gazetteer
from geodata.gazetteer_store import gazetteer_of
from geodata.linking import keys_of
from geodata.linking_words import LAST
from geodata.territory import find_territory
from grids.service import locate

REPORT = FIGURES / "linking.md"
MOST = 3_000
SEED = 8675
SHORT_OF = {word: short for short, word in LAST.items() if len(short) > 1 and word != short}


def truth(path: Path) -> list[tuple[str, str, float, float]]:
    """Return street, number and place of the house numbers of an extract."""
    found = []
    for thing in osmium.FileProcessor(str(path)).with_locations():
        street, number = thing.tags.get("addr:street"), thing.tags.get("addr:housenumber")
        if not street or not number or not number.isdigit():
            continue
        if thing.is_node():
            found.append((street, number, thing.location.lon, thing.location.lat))
        elif thing.is_way() and len(thing.nodes) > 2:
            places = [node.location for node in thing.nodes if node.location.valid()]
            if places:
                lon, lat = (statistics.fmean(getattr(each, name) for each in places) for name in ("lon", "lat"))
                found.append((street, number, lon, lat))
    return found


def misspelt(text: str, rng: random.Random) -> str:
    """Return a text with one letter changed, left out, doubled or swapped with its neighbour."""
    places = [
        at for at, each in enumerate(text) if each.isalpha() and 0 < at < len(text) - 1 and text[at + 1].isalpha()
    ]
    if not places:
        return text
    at = rng.choice(places)
    way = rng.randrange(4)
    if way == 0:
        return text[:at] + rng.choice("abcdefghijklmnopqrstuvwxyz") + text[at + 1 :]
    if way == 1:
        return text[:at] + text[at + 1 :]
    return text[:at] + (text[at] * 2 if way == 2 else text[at + 1] + text[at]) + text[at + (1 if way == 2 else 2) :]


def shortened(text: str) -> str:
    """Return a street with its kind shortened as people do."""
    words = text.split()
    words[-1] = SHORT_OF.get(words[-1].lower(), words[-1])
    return " ".join(words).replace("Saint ", "St ")


def measure(found: Gazetteer, asked: list[tuple[str, Any]], srid: int, cells: Any) -> dict[str, Any]:
    """Return counts of what came of addresses with their true street, community, place and grid."""
    began = time.process_time()
    matches = [found.match(text) for text, _ in asked]
    spent = time.process_time() - began
    placed = [(match.best, told) for match, (_, told) in zip(matches, asked, strict=True) if match.best is not None]
    away, wrong_road, same_grid = [], 0, 0
    if placed:
        points = project(np.asarray([shapely.Point(best.x, best.y) for best, _ in placed], dtype=object), 4326, srid)
        grids = cells(shapely.get_x(points), shapely.get_y(points))
        for (best, told), grid in zip(placed, grids, strict=True):
            far = float(np.hypot(best.x - told["x"], best.y - told["y"]))
            away.append(far)
            ours, theirs = ({(key.stem, key.kind) for key in keys_of(name)} for name in (best.name, told["street"]))
            wrong_road += not ours & theirs or far > best.within_m + 250
            same_grid += bool(grid) and grid == told["grid"]
    states = Counter(match.state for match in matches)
    return {
        "asked": len(asked), "placed": len(placed), "wrong": wrong_road, "ambiguous": states["ambiguous"],
        "coarse": states["coarse"], "unknown": states["weak"] + states["none"], "same_grid": same_grid,
        "median_m": statistics.median(away) if away else float("nan"),
        "p90_m": float(np.quantile(away, 0.9)) if away else float("nan"), "ms": 1000 * spent / max(1, len(asked)),
    }  # fmt: skip


def main() -> None:
    """Measure and write the report."""
    if len(sys.argv) < 2:
        left_out("an extract (first argument), and its city in GRIDKEEPER_STATE_DIR")
    path, rng = Path(sys.argv[1]), random.Random(SEED)
    db.ensure_database()
    with db.transaction(system_actor()) as session:
        territory = find_territory(session, None)
        began = time.process_time()
        gazetteer = gazetteer_of(session, territory)
        built = time.process_time() - began
        houses = truth(path)
        lon, lat = np.array([each[2] for each in houses]), np.array([each[3] for each in houses])
        where = locate(session, territory.id, lon, lat)
        names = dict(_communities(session, territory.id))

        def cells(lon: Any, lat: Any) -> Any:
            return locate(session, territory.id, lon, lat).grid_id

        metric = project(np.asarray(shapely.points(lon, lat), dtype=object), territory.metric_srid)
        known = {key.stem for each in gazetteer.entries if each.kind == "road" for key in keys_of(each.name)}
        told = [
            {
                "street": street, "number": number, "x": point.x, "y": point.y, "grid": int(cell),
                "community": names.get(int(area), ""),
            }
            for (street, number, _, _), point, cell, area in zip(
                houses, metric, where.grid_id, where.community_id, strict=True
            )
            if cell and any(key.stem in known for key in keys_of(street))
        ]  # fmt: skip
        some = rng.sample(told, min(MOST, len(told)))
        rows = _cases(gazetteer, some, told, rng, territory.metric_srid, cells)
    _write(territory.title("en"), path, len(houses), len(told), len(gazetteer.entries), built, rows)


def _cases(  # noqa: PLR0917
    gazetteer: Gazetteer, some: list[dict[str, Any]], told: list[dict[str, Any]], rng: random.Random, srid: int,
    cells: Any,
) -> list[tuple[str, dict[str, Any]]]:  # fmt: skip
    ways = {
        "12 High Street, Newport": lambda each: f"{each['number']} {each['street']}, {each['community']}",
        "12 High Street": lambda each: f"{each['number']} {each['street']}",
        "High St 12 Newport": lambda each: f"{shortened(each['street'])} {each['number']} {each['community']}",
        "one typing error, community": lambda each: (
            f"{each['number']} {misspelt(each['street'], rng)}, {each['community']}"
        ),
        "one typing error": lambda each: f"{each['number']} {misspelt(each['street'], rng)}",
        "two typing errors, community": lambda each: (
            f"{each['number']} {misspelt(misspelt(each['street'], rng), rng)}, {each['community']}"
        ),
    }
    rows = [(name, measure(gazetteer, [(way(each), each) for each in some], srid, cells)) for name, way in ways.items()]
    asked = {id(each) for each in some}
    half = _with_numbers(gazetteer, [each for each in told if id(each) not in asked])
    name = "12 High Street, Newport; the numbers of other houses known"
    rows.append((name, measure(half, [(ways["12 High Street, Newport"](each), each) for each in some], srid, cells)))
    kept = [each for each in gazetteer.entries if each.kind != "road" or rng.random() < 0.5]
    left = {key.stem for each in kept for key in keys_of(each.name)}
    gone = [each for each in some if not any(key.stem in left for key in keys_of(each["street"]))]
    rows.append((
        "a street that is not known here (every match is wrong)",
        measure(Gazetteer(kept), [(ways["12 High Street, Newport"](each), each) for each in gone], srid, cells),
    ))  # fmt: skip
    return rows


def _with_numbers(gazetteer: Gazetteer, houses: list[dict[str, Any]]) -> Gazetteer:
    by_key: dict[str, list[tuple[str, tuple[float, float]]]] = {}
    for each in houses:
        for key in keys_of(each["street"]):
            by_key.setdefault(f"{key.stem}|{key.kind}", []).append((each["number"], (each["x"], each["y"])))

    def known(entry: Entry) -> Entry:
        if entry.shape is None:
            return entry
        near = {
            number: at
            for key in keys_of(entry.name)
            for number, at in by_key.get(f"{key.stem}|{key.kind}", ())
            if shapely.distance(entry.shape, shapely.Point(at)) <= 125
        }
        return replace(entry, numbers=near)

    return Gazetteer([known(each) for each in gazetteer.entries])


def _communities(session: Any, territory_id: int) -> list[tuple[int, str]]:
    from geodata.territory import communities

    frame = communities(session, territory_id)
    return list(zip(frame["id"].tolist(), frame["name"].tolist(), strict=True))


def _write(  # noqa: PLR0917
    title: str, path: Path, houses: int, told: int, entries: int, built: float, rows: list[tuple[str, dict[str, Any]]]
) -> None:
    lines = [
        (
            f"{title} ({path.name}): {houses:,} house numbers in OpenStreetMap, {told:,} of them on a grid and on"
            f" a street whose name is known; gazetteer of {entries:,} entries, made in {built:.1f} CPU s. Seed {SEED}."
        ),
        "",
        (
            "| written as | asked | placed | wrong | wrong of placed | could mean several | too rough | unknown |"
            " same unit grid, of placed | median off, m | nine of ten within, m | CPU ms each |"
        ),
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, row in rows:
        placed = max(1, row["placed"])
        lines.append(
            f"| {name} | {row['asked']:,} | {row['placed']:,} | {row['wrong']:,} | {row['wrong'] / placed:.2%} |"
            f" {row['ambiguous']:,} | {row['coarse']:,} | {row['unknown']:,} | {row['same_grid'] / placed:.0%} |"
            f" {row['median_m']:.0f} | {row['p90_m']:.0f} | {row['ms']:.2f} |"
        )
    text = "\n".join(lines)
    before, mark = REPORT.read_text() if REPORT.exists() else "", "<!-- measured -->"
    head, _, rest = before.partition(mark)
    _, _, tail = rest.partition(mark)
    REPORT.write_text(f"{head}{mark}\n\n{text}\n\n{mark}{tail}" if head else f"{mark}\n\n{text}\n\n{mark}\n")
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
