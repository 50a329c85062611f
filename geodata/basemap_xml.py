"""What a WMTS or WMS service says of itself: layers, levels, systems and where its tiles are (pure)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit
from xml.etree import ElementTree as ET  # nosec B405  (documents with a DTD are refused before)

from core.errors import InvalidInput
from geodata.basemap_grid import DEGREE_M, PIXELS_MOST, Level, System

PIXEL_M = 0.00028
"""Of the standard: what a pixel measures on the paper of a scale."""
MERCATOR = frozenset({"3857", "900913", "102100", "102113", "3785"})
DEGREES = frozenset({"4326", "4490", "CRS84", "84"})
LEVELS_MOST = 40
LAYERS_MOST, DEEP_MOST, SYSTEMS_MOST = 2_000, 20, 40
"""Of a WMS; some servers name every system there is, and those we draw from come first."""
MARKS = ("{TileMatrix}", "{TileCol}", "{TileRow}")
Element = ET.Element


def parsed(body: bytes) -> Element:
    """Return the root of a document without a DTD.

    Raises
    ------
    InvalidInput
        When it is none.
    """
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body or b"\x00" in body[:200]:
        raise _unread("it declares entities of its own")
    try:
        return ET.fromstring(body)  # noqa: S314  # nosec B314  (no DTD, and of bounded size)
    except ET.ParseError as error:
        raise _unread("it is no XML") from error


def system_of(words: str) -> System | None:
    """Return the system of a code such as ``urn:ogc:def:crs:EPSG::4490``; None for one we do not draw from."""
    code = re.split(r"[:/#]", words.strip())[-1]
    return "mercator" if code in MERCATOR else "degrees" if code in DEGREES else None


def wmts_plan(root: Element, address: str, layer: str = "", grid: str = "") -> dict[str, Any]:
    """Return the plan of a WMTS layer, the first that we can draw where none is named.

    A tile matrix set in the web's Mercator is taken before one in degrees (EPSG:4326, EPSG:4490).

    Raises
    ------
    InvalidInput
        Naming what there is, when the layer is not there or none of its systems can be drawn from.
    """
    grids = {_text(each, "Identifier"): each for each in _children(_one(root, "Contents"), "TileMatrixSet")}
    layers = list(_children(_one(root, "Contents"), "Layer"))
    names = [_text(each, "Identifier") for each in layers]
    if not layers:
        raise _unread("it names no layer")
    if layer and layer not in names:
        raise _not_there(layer, names)
    chosen = layers[names.index(layer)] if layer else layers[0]
    offered = [_text(each, "TileMatrixSet") for each in _children(chosen, "TileMatrixSetLink")]
    known = [(each, system_of(_text(grids[each], "SupportedCRS"))) for each in offered if each in grids]
    usable = [(each, system) for each, system in known if system is not None and grid in {"", each}]
    if not usable:
        told = ", ".join(_text(grids[each], "SupportedCRS") for each in offered if each in grids) or "none"
        raise InvalidInput(
            f"This service draws in {told[:200]}, which cannot be shown here.",
            hint="Ask for EPSG:3857, EPSG:4326 or CGCS2000 in degrees (EPSG:4490).",
            zh=f"该服务的坐标系为 {told[:200]}，无法显示；请用 EPSG:3857、4326 或 4490 的服务。",
        )
    name, system = min(usable, key=lambda each: each[1] != "mercator")
    levels = sorted(_levels(grids[name], system), key=lambda each: -each.pixel)
    style = next((_text(each, "Identifier") for each in _children(chosen, "Style")), "default")
    form = _form([each.text or "" for each in _children(chosen, "Format")])
    return {
        "kind": "wmts",
        "layer": _text(chosen, "Identifier"),
        "grid": name,
        "crs": _text(grids[name], "SupportedCRS"),
        "system": system,
        "levels": [each.stored() for each in levels],
        "template": _template(root, chosen, address, {"style": style, "grid": name, "form": form}),
    }


def wms_plan(root: Element, address: str, layer: str = "") -> dict[str, Any]:
    """Return the plan of a WMS layer, the first that has a name where none is given.

    Raises
    ------
    InvalidInput
        As `wmts_plan`.
    """
    version = "1.1.1" if root.get("version", "").startswith("1.1") else "1.3.0"
    named: list[tuple[str, set[str]]] = []

    def walk(element: Element, above: set[str], deep: int = 0) -> None:
        said = (*_children(element, "CRS"), *_children(element, "SRS"))
        words = {word for each in said for word in (each.text or "").split()}
        here = above | set(sorted(words, key=lambda word: system_of(word) is None)[:SYSTEMS_MOST]) if words else above
        if deep > DEEP_MOST or len(named) > LAYERS_MOST:
            raise _unread("it has too many layers")
        name = _text(element, "Name")
        if name:
            named.append((name, here))
        for inner in _children(element, "Layer"):
            walk(inner, here, deep + 1)

    for top in _children(_one(root, "Capability"), "Layer"):
        walk(top, set())
    names = [name for name, _ in named]
    if not named:
        raise _unread("it names no layer")
    if layer and layer not in names:
        raise _not_there(layer, names)
    name, systems = named[names.index(layer)] if layer else named[0]
    usable = [(each, system_of(each)) for each in sorted(systems) if system_of(each) is not None]
    if not usable:
        raise InvalidInput(
            f"This layer is drawn in {', '.join(sorted(systems))[:200] or 'no system that is named'}.",
            hint="Ask for EPSG:3857, EPSG:4326 or EPSG:4490.",
            zh="该图层的坐标系无法叠加显示；请提供 EPSG:3857、EPSG:4326 或 EPSG:4490。",
        )
    crs, system = min(usable, key=lambda each: (each[1] != "mercator", "84" in each[0]))
    key = "CRS" if version == "1.3.0" else "SRS"
    maps = [each for each in root.iter() if _tag(each) == "GetMap"]
    forms = [each.text or "" for request in maps for each in _children(request, "Format")]
    asked = {
        "SERVICE": "WMS", "VERSION": version, "REQUEST": "GetMap", "LAYERS": name, "STYLES": "", key: crs,
        "FORMAT": _form(forms), "TRANSPARENT": "TRUE",
    }  # fmt: skip
    turned = version == "1.3.0" and system == "degrees" and not crs.upper().startswith("CRS:")
    return {
        "kind": "wms",
        "layer": name,
        "crs": crs,
        "system": system,
        "turned": turned,
        "template": with_query(address, asked) + "&BBOX={box}&WIDTH={width}&HEIGHT={height}",
    }


def with_query(address: str, more: dict[str, str]) -> str:
    """Return an address with more in its query, in place of what stands there under the same names."""
    parts = urlsplit(address)
    names = {each.upper() for each in more} | {"SERVICE", "REQUEST", "VERSION"}
    kept = [(key, value) for key, value in parse_qsl(parts.query) if key.upper() not in names]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode([*kept, *more.items()], safe=":/,{}"), ""))


def _template(root: Element, layer: Element, address: str, said: dict[str, str]) -> str:
    for each in _children(layer, "ResourceURL"):
        if each.get("resourceType") == "tile":
            form = each.get("template", "")
            marks = {"{Style}": "style", "{style}": "style", "{TileMatrixSet}": "grid"}
            for mark, name in marks.items():
                form = form.replace(mark, said[name])
            if all(mark in form for mark in MARKS) and form.count("{") == len(MARKS):
                return urljoin(address, form)
    base = next((href for href in _get_tile(root)), address)
    asked = {
        "SERVICE": "WMTS", "REQUEST": "GetTile", "VERSION": "1.0.0", "LAYER": _text(layer, "Identifier"),
        "STYLE": said["style"], "TILEMATRIXSET": said["grid"], "FORMAT": said["form"],
    }  # fmt: skip
    url = with_query(urljoin(address, base), asked)
    return url + "&TILEMATRIX={TileMatrix}&TILECOL={TileCol}&TILEROW={TileRow}"


def _get_tile(root: Element) -> Iterator[str]:
    for operation in root.iter():
        if _tag(operation) == "Operation" and operation.get("name") == "GetTile":
            for get in operation.iter():
                if _tag(get) == "Get":
                    href = next((value for key, value in get.attrib.items() if key.endswith("href")), "")
                    if href:
                        yield href


def _levels(grid: Element, system: System) -> Iterator[Level]:
    matrices = list(_children(grid, "TileMatrix"))
    if not 0 < len(matrices) <= LEVELS_MOST:
        raise _unread("its levels cannot be counted")
    turned = system == "degrees" and "CRS84" not in _text(grid, "SupportedCRS")
    for each in matrices:
        try:
            metres = float(_text(each, "ScaleDenominator")) * PIXEL_M
            first, second = (float(word) for word in _text(each, "TopLeftCorner").split())
            size, high = int(_text(each, "TileWidth")), int(_text(each, "TileHeight"))
            columns, rows = int(_text(each, "MatrixWidth")), int(_text(each, "MatrixHeight"))
        except ValueError as error:
            raise _unread("a level lacks its numbers") from error
        finite = all(math.isfinite(each) for each in (metres, first, second)) and max(columns, rows) < 2**31
        if size != high or size < 64 or size * size > PIXELS_MOST or not (finite and metres > 0 and columns > 0 < rows):
            raise _unread("its tiles are no squares of 64 to 2,048 pixels")
        if turned and first > 90:  # some servers write longitude first all the same
            first, second = second, first
        if turned and -180 <= second < -90:
            left, top = second, first
        elif turned:
            left, top = (first, second) if first < -90 else (second, first)
        else:
            left, top = first, second
        pixel = metres if system == "mercator" else metres / DEGREE_M
        yield Level(_text(each, "Identifier"), pixel, left, top, columns, rows, size)


def _form(forms: list[str]) -> str:
    for wanted in ("image/png", "image/jpeg", "image/jpg", "image/webp", "tiles"):
        if wanted in forms:
            return wanted
    return "image/png"


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: Element | None, name: str) -> Iterator[Element]:
    if element is not None:
        yield from (each for each in element if _tag(each) == name)


def _one(element: Element, name: str) -> Element | None:
    return next(_children(element, name), None)


def _text(element: Element, name: str) -> str:
    found = _one(element, name)
    return "" if found is None else (found.text or "").strip()


def _not_there(layer: str, names: list[str]) -> InvalidInput:
    some = ", ".join(names[:12])
    return InvalidInput(
        f"The service has no layer {layer[:80]!r}.",
        hint=f"It has {some[:300]}.",
        zh=f"该服务没有图层“{layer[:80]}”，现有：{some[:300]}。",
    )


def _unread(why: str) -> InvalidInput:
    return InvalidInput(
        f"What the service says of itself cannot be read: {why}.",
        hint="Give the address of its capabilities (GetCapabilities).",
        zh="无法读取该服务的能力文档（GetCapabilities），请检查地址。",
    )
