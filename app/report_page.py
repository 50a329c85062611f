"""A study's report as one HTML page that needs nothing else: words, tables, maps and charts put into its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import shapely
from markupsafe import Markup

from app import i18n, report_charts, report_words, study_words, words
from app.i18n import t
from app.report_map import SHADES, Frame, base, frame_around, gathered, minute_classes, picture
from app.study_map import colour
from geodata.crs import project
from layers.style import LIGHT
from planning.posing import metric
from planning.report import most_gaining, most_left_out, ways
from planning.report_model import AreaRow, Numbers
from planning.reporting import Made

TEMPLATES = Path(__file__).parent / "templates"
COMMUNITIES_AT_MOST = 30
GRIDS_AT_MOST = 10
CLOSE_AT_MOST = 6
SMALL = 1.7
"""Words of maps that stand side by side are so much larger."""
COARSE = 55
"""Squares across such maps, at most."""
CLOSE_M = 700.0
"""Width of the map around one site."""


def page(made: Made, *, island: bool) -> str:
    """Return the report in the language in use.

    Parameters
    ----------
    island
        What lies outside the boundary is drawn as water.
    """
    return _environment().get_template("study_report.html").render(_said(made, island))


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.globals["t"] = t
    return environment


def _said(made: Made, island: bool) -> Mapping[str, Any]:
    report, material = made.report, made.material
    study, numbers, territory = report.study, report.numbers, made.material.territory
    names = {key: i18n.either(name, name_zh) for key, (_, name, name_zh) in material.areas.items()}
    there = numbers.now is not None
    limit = i18n.number(study.question.limit_min, 1)
    people = max(numbers.then.people, 1e-9)
    now, then = numbers.now, numbers.then
    figures = [
        (t("within {minutes} min", minutes=limit), study_words.per_cent(then.within / people),
         "" if now is None else t("now {value}", value=study_words.per_cent(now.within / people))),
        (t("mean way"), study_words.minutes(then.mean_s),
         "" if now is None else t("now {value}", value=study_words.minutes(now.mean_s))),
        (t("people left out"), t("{count} people", count=i18n.number(then.people - then.within)),
         "" if now is None else t("now {value}", value=i18n.number(now.people - now.within))),
        (t("gap to the best"), study_words.gap(study.gap), t("certified")),
    ]  # fmt: skip
    note = territory.people_note if i18n.locale() == "en" else ""
    return {
        "language": {"zh": "zh-Hans", "en": "en"}[i18n.locale()],
        "tokens": LIGHT.tokens(),
        "title": study_words.title(study),
        "place": territory.title(i18n.locale()),
        "demo": territory.is_demo,
        "number": study.id,
        "made_on": i18n.day(report.made_at.astimezone(territory.zone).date()),
        "question": study_words.sentence(study.question),
        "existing": study_words.existing(study.question, int(study.facts.get("existing", 0)) if
                                         study.question.keep_existing else 1),
        "headline": study_words.headline(study),
        "recommended": report_words.recommended(report, names),
        "figures": figures,
        "sure": report_words.sure(study),
        "drifted": report.drifted,
        "sites": _sites(made, names),
        "there": there,
        "limit": limit,
        "maps": _maps(made, island),
        "legend": _legend(made, limit_min=study.question.limit_min),
        "gains": report_words.gains(report),
        "left_out": report_words.left_out(report, names),
        "communities": _communities(numbers, names, there=there),
        "communities_left": max(0, len(numbers.communities) - COMMUNITIES_AT_MOST),
        "grids_gain": _grids(made, most_gaining(numbers.grids, GRIDS_AT_MOST), names, there=there),
        "grids_left": _grids(made, most_left_out(numbers.grids, GRIDS_AT_MOST), names, there=there),
        "bars": _svg(report_charts.bars(numbers, study.question.limit_min, t("People by the length of their way"))),
        "curve": _svg(report_charts.curve(numbers, t("How evenly the ways are spread"))),
        "evenness": report_words.evenness(report),
        "trials": None if report.trials is None else report_words.trials(report.trials),
        "trial_rows": [] if report.trials is None else report_words.trial_rows(report.trials),
        "near": report_words.near(),
        "norms": _norms(made),
        "others": _others(made),
        "assumptions": study_words.assumptions(study, note),
        "sources": [
            (report_words.source(each.kind), each.name, i18n.day(each.loaded_at.astimezone(territory.zone).date()),
             each.sha256[:12], each.later)
            for each in report.sources
        ],
        "attribution": territory.attribution or t("© OpenStreetMap contributors, ODbL 1.0"),
        "identity": report_words.identity(report, territory, version("gridkeeper")),
        "signatures": [
            (words.doer(each.label), report_words.signature(each.decision), each.note,
             report_words.signed_at(each.at, territory.zone))
            for each in report.signatures
        ],
    }  # fmt: skip


def _sites(made: Made, names: dict[int, str]) -> list[dict[str, str]]:
    codes = made.material.grids
    return [
        {
            "number": str(site.number),
            "ink": colour(site.number),
            "where": study_words.place(site, names),
            "grid": codes[site.grid_id or 0][0] if site.grid_id in codes else "–",
            "degrees": f"{site.lat:.5f}, {site.lon:.5f}",
            "people": i18n.number(site.people),
            "within": study_words.per_cent(site.within / site.people, 0) if site.people else "–",
            "mean": report_words.tabled(site.mean_s),
            "farthest": study_words.minutes(site.farthest_s, 0),
        }
        for site in made.report.sites
    ]


def _maps(made: Made, island: bool) -> Mapping[str, Any]:
    """Return the large map, the two of before and after, and one around each site, as SVG."""
    material, report = made.material, made.report
    homes, srid = made.counted.homes, material.ground.srid
    homes_m = metric(homes.lonlat, srid)
    existing_m = metric(material.city.existing, srid) if len(material.city.existing) else np.empty((0, 2))
    lived = homes.people > 0
    extent = [shapely.MultiPoint(homes_m[lived])]
    limit_min = report.study.question.limit_min

    def drawn(frame: Frame, key: str, alt: str, *, then: bool, fine: bool) -> Markup:
        shade = gathered(homes_m, homes.people, homes.then_s if then else homes.now_s, frame)
        return _svg(
            picture(
                base(material.ground, frame, island=island, fine=fine), material.ground, frame, shade,
                report.sites if then else (), existing_m, report.grounds if fine else (), limit_min=limit_min,
                key=key, alt=alt, names=16 if fine else 0, sign=1.0 if fine else SMALL,
            )
        )  # fmt: skip

    large = frame_around(extent, tallest=1.05, flattest=0.5)
    small = replace(frame_around(extent, tallest=0.8, flattest=0.5), most=COARSE)
    close = []
    for site in report.sites[:CLOSE_AT_MOST]:
        point = project(np.array([shapely.Point(site.lon, site.lat)], dtype=object), srid)[0]
        around = frame_around([point.buffer(CLOSE_M / 2)], tallest=0.62, flattest=0.62, spare=0.0)
        svg = picture(
            base(material.ground, around, island=island), material.ground, around, None, [site], existing_m, (),
            limit_min=limit_min, key=f"site{site.number}",
            alt=t("Map around site {number}", number=site.number), names=7, sign=SMALL,
        )  # fmt: skip
        close.append((site.number, _svg(svg)))
    return {
        "large": drawn(large, "large", t("Map of the recommended sites"), then=True, fine=True),
        "now": drawn(small, "now", t("Map of the ways now"), then=False, fine=False)
        if report.numbers.now is not None else None,
        "then": drawn(small, "then", t("Map of the ways with the new sites"), then=True, fine=False),
        "close": close,
    }  # fmt: skip


def _svg(text: str) -> Markup:
    """Return a picture of ours, in which every word is escaped, as it stands."""
    # nothing in it came from a person unescaped: report_map and report_charts escape each word
    return Markup(text)  # noqa: S704  # nosec B704


def _legend(made: Made, *, limit_min: float) -> list[dict[str, str]]:
    ends = minute_classes(limit_min)
    rows = []
    low = "0"
    for at, ink in enumerate(SHADES):
        end = i18n.number(ends[at], 1) if at < len(ends) else ""
        told = t("{low}–{high} min", low=low, high=end) if end else t("more than {low} min", low=low)
        rows.append({"ink": ink, "words": told, "hatched": "yes" if at > 2 else ""})
        low = end
    if made.report.numbers.then.unreached >= 1:
        rows.append({"ink": LIGHT.overdue, "words": t("no way"), "hatched": ""})
    return rows


def _communities(numbers: Numbers, names: Mapping[int, str], *, there: bool) -> list[tuple[str, list[str]]]:
    rows = sorted(numbers.communities, key=lambda row: (-row.gained, -row.then.people))
    return [
        (names.get(row.key, t("in no community")), report_words.area_cells(row, there=there))
        for row in rows[:COMMUNITIES_AT_MOST]
    ]


def _grids(
    made: Made, rows: Sequence[AreaRow], names: Mapping[int, str], *, there: bool
) -> list[tuple[str, str, list[str]]]:
    codes = made.material.grids
    return [
        (codes[row.key][0], names.get(codes[row.key][1], ""), report_words.area_cells(row, there=there))
        for row in rows
        if row.key in codes
    ]


def _norms(made: Made) -> list[tuple[str, str, str, str, str]]:
    """Return level, what it asks, people within it now and then, and its source."""
    homes, asked = made.counted.homes, made.report.study.question
    rows = []
    for each in made.report.norms:
        asks, source = report_words.norm(each)
        now = then = "–"
        if each.limit_min is not None and each.mode == asked.mode:
            shares = [
                found.within / max(found.people, 1e-9)
                for found in (ways(times, homes.people, each.limit_min * 60) for times in (homes.now_s, homes.then_s))
            ]
            now, then = (study_words.per_cent(share) for share in shares)
        rows.append((i18n.either(each.level, each.level_zh), asks, now, then, source))
    return rows


def _others(made: Made) -> list[tuple[str, str, list[str], bool]]:
    """Return what else was looked at: name, number of sites, its ways; the recommended one is marked."""
    numbers, study = made.report.numbers, made.report.study
    rows = []
    if numbers.now is not None:
        rows.append((t("Everything stays as it is"), "0", report_words.ways_row(numbers.now), False))
    mine = report_words.other(study)[0]
    rows.append((mine, i18n.number(len(made.report.sites)), report_words.ways_row(numbers.then), True))
    for each in made.report.others:
        name, count = report_words.other(each)
        people, within = float(each.facts.get("people") or 0), float(each.facts.get("within_then") or 0)
        cells = [i18n.number(within), study_words.per_cent(within / max(people, 1e-9)),
                 report_words.tabled(each.facts.get("mean_s_then"))]  # fmt: skip
        rows.append((name, count, cells, False))
    return rows
