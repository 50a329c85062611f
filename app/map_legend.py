"""The legend below a map, and the small pictures of a side panel, as HTML of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import quote

from app.i18n import number, t
from layers.facilities import GROUPS
from layers.legend import Legend, LegendItem
from layers.style import LIGHT

_SVG = 'xmlns="http://www.w3.org/2000/svg"'
SPARK_WIDTH, SPARK_HEIGHT = 300, 48


def legend_html(legends: Sequence[Legend], notes: Sequence[str]) -> str:
    """Return the legends side by side and the notes below."""
    groups = "".join(
        f'<div class="gk-legend"><b>{escape(t(legend.title))}</b><ul>{"".join(map(_line, legend.items))}</ul></div>'
        for legend in legends
    )
    told = "".join(f"<span>{note}</span>" for note in notes)
    return f'<div class="gk-legends">{groups}</div><p class="gk-muted gk-small gk-notes">{told}</p>'


def facility_legend() -> Legend:
    """Return the legend of facilities by group."""
    return Legend(
        t("Facilities"), tuple(LegendItem(group.colour, group.title, f"sign:{group.glyph}") for group in GROUPS)
    )


def category_legend(titles: Mapping[str, str], colours: Mapping[str, str]) -> Legend:
    """Return the legend of incident points by category; the titles are data, already in the reader's language."""
    items = tuple(LegendItem(colours[key], title, "circle") for key, title in titles.items())
    return Legend(t("Incidents by category"), items)


def component_legend(titles: Mapping[str, str], colours: Mapping[str, str]) -> Legend:
    """Return the legend of components by category."""
    items = [LegendItem(colours[key], title, "square") for key, title in titles.items() if key.startswith("component-")]
    return Legend(t("Components"), (*items, LegendItem(LIGHT.muted, t("Damaged or planned"), "square-empty")))


def _line(item: LegendItem) -> str:
    label = t(item.label, **dict(item.values)) if item.values else t(item.label)
    return f"<li>{_swatch(item)}{escape(label)}</li>"


def _swatch(item: LegendItem) -> str:
    colour, white = item.colour or LIGHT.muted, LIGHT.surface
    shape, _, glyph = item.shape.partition(":")
    box = '<rect x="0.5" y="1.5" width="21" height="13"'
    bodies = {
        "box": f'{box} fill="{colour}" fill-opacity="0.85" stroke="{LIGHT.line}"/>',
        "empty": f'{box} fill="{LIGHT.land}" stroke="{LIGHT.closed}"/>',
        "hatch": f'{box} fill="{LIGHT.land}" stroke="{LIGHT.line}"/>'
        f'<path d="M3 14.5 16 1.5M-3 14.5 10 1.5M9 14.5 22 1.5" stroke="{LIGHT.closed}" stroke-width="0.8"/>',
        "square": f'<rect x="7" y="4" width="8" height="8" fill="{colour}" stroke="{white}"/>',
        "square-empty": f'<rect x="7" y="4" width="8" height="8" fill="{white}" stroke="{colour}" stroke-width="1.6"/>',
        "circle": f'<circle cx="11" cy="8" r="5" fill="{colour}" stroke="{white}"/>',
        "ring": f'<circle cx="11" cy="8" r="4" fill="{white}" stroke="{colour}" stroke-width="1.8"/>',
        "diamond": f'<path d="M11 1.5 17.5 8 11 14.5 4.5 8z" fill="{colour}" stroke="{white}"/>',
        "triangle": f'<path d="M11 2 17 13.5H5z" fill="{colour}" stroke="{white}"/>',
        "line": f'<path d="M1 8H21" stroke="{colour}" stroke-width="3.5"/>',
        "sign": f'<circle cx="11" cy="8" r="8" fill="{colour}"/>'
        f'<path transform="translate(5.4 2.4) scale(0.7)" d="{glyph}" fill="{white}" fill-rule="evenodd"/>',
    }
    return _picture(f'<svg {_SVG} width="22" height="16" viewBox="0 0 22 16">{bodies[shape]}</svg>')


def spark_html(daily: Sequence[int], label: str) -> str:
    """Return bars a day, oldest at the left, with the largest day's number."""
    top = max(daily, default=0)
    step = SPARK_WIDTH / max(len(daily), 1)
    bars = "".join(
        f'<rect x="{at * step:.1f}" y="{SPARK_HEIGHT - SPARK_HEIGHT * value / top:.1f}" width="{step * 0.72:.1f}"'
        f' height="{SPARK_HEIGHT * value / top:.1f}"/>'
        for at, value in enumerate(daily)
        if value
    )
    drawn = (
        f'<svg {_SVG} width="{SPARK_WIDTH}" height="{SPARK_HEIGHT}" viewBox="0 0 {SPARK_WIDTH} {SPARK_HEIGHT}"'
        f' preserveAspectRatio="none"><g fill="{LIGHT.primary}">{bars}</g></svg>'
    )
    return _picture(drawn, css_class="gk-spark", label=label)


def _picture(svg: str, *, css_class: str = "", label: str = "") -> str:
    """Return a drawing as an image: Streamlit takes drawings out of HTML, but leaves images in it."""
    return f'<img class="{css_class}" alt="{escape(label)}" src="data:image/svg+xml,{quote(svg)}">'


def bars_html(values: Mapping[str, int], hrefs: Mapping[str, str] | None = None) -> str:
    """Return a short table of names with a bar and a number each; a name with an address is a link to its rows."""
    top = max(values.values(), default=1) or 1
    linked = hrefs or {}
    rows = "".join(
        f"<tr><td>{_name(name, linked.get(name, ''))}</td>"
        f'<td class="gk-bar"><span style="width:{100 * value / top:.0f}%"></span></td>'
        f'<td class="gk-right">{number(value)}</td></tr>'
        for name, value in values.items()
    )
    return f'<table class="gk-bars">{rows}</table>'


def _name(name: str, href: str) -> str:
    return f'<a href="{escape(href)}" target="_self">{escape(name)}</a>' if href else escape(name)
