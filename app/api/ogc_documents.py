"""The documents of the OGC API: what it is, what it keeps to, which collections, tiles and queries there are; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from geodata.catalogue_model import FieldInfo, Offer

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
JSON = "application/json"
GEOJSON = "application/geo+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA = "application/schema+json"
HTML = "text/html"
MVT = "application/vnd.mapbox-vector-tile"
TILE_MATRIX_SET = "WebMercatorQuad"
TILE_MATRIX_SET_URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
TILE_ZOOMS = (10, 16)
MOST_FEATURES = 10_000
DEFAULT_FEATURES = 100
MOST_IN_TILE = 20_000
_F1 = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
_F2 = "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf"
_F3 = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf"
_CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf"
_T1 = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf"
CONFORMS = (
    f"{_F1}/core",
    f"{_F1}/geojson",
    f"{_F1}/oas30",
    f"{_F2}/crs",
    f"{_F3}/queryables",
    f"{_F3}/queryables-query-parameters",
    f"{_F3}/filter",
    f"{_F3}/features-filter",
    f"{_CQL2}/cql2-text",
    f"{_CQL2}/basic-cql2",
    f"{_CQL2}/advanced-comparison-operators",
    f"{_CQL2}/basic-spatial-functions",
    f"{_T1}/core",
    f"{_T1}/tileset",
    f"{_T1}/tilesets-list",
    f"{_T1}/mvt",
)
"""What it keeps to, and no more: not every answer is a page too, filters know no functions, nothing is written."""
_KINDS: Mapping[str, dict[str, str]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "day": {"type": "string", "format": "date"},
    "moment": {"type": "string", "format": "date-time"},
}


def crs_uri(srid: int) -> str:
    """Return the address of an EPSG code."""
    return f"http://www.opengis.net/def/crs/EPSG/0/{srid}"


def link(href: str, rel: str, media_type: str, title: str = "", **more: Any) -> dict[str, Any]:
    """Return a link object."""
    return {"href": href, "rel": rel, "type": media_type, **({"title": title} if title else {}), **more}


def landing(base: str, title: str) -> dict[str, Any]:
    """Return the landing page."""
    return {
        "title": title,
        "description": "Features and tiles of this territory, as far as the role that asks may see them.",
        "links": [
            link(base, "self", JSON, "This document"),
            link(f"{base}?f=html", "alternate", HTML, "This document as a page"),
            link(f"{base}/api", "service-desc", OPENAPI, "The definition of this interface"),
            link(f"{base}/conformance", "conformance", JSON, "What it keeps to"),
            link(f"{base}/collections", "data", JSON, "Collections"),
            link(f"{base}/tileMatrixSets", "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes", JSON, "Tile grids"),
        ],
    }


def conformance() -> dict[str, Any]:
    """Return what the interface keeps to."""
    return {"conformsTo": list(CONFORMS)}


def collection(
    base: str,
    offer: Offer,
    *,
    bounds: Sequence[float],
    crs: Iterable[str],
    period: tuple[dt.datetime | None, dt.datetime | None] | None = None,
    locale: str = "en",
) -> dict[str, Any]:
    """Return the description of a collection; ``bounds`` in degrees, of the territory."""
    here = f"{base}/collections/{offer.key}"
    extent: dict[str, Any] = {"spatial": {"bbox": [list(bounds)], "crs": CRS84}}
    if offer.moment:
        start, end = period or (None, None)
        extent["temporal"] = {
            "interval": [[start.isoformat() if start else None, end.isoformat() if end else None]],
            "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
        }
    links = [
        link(here, "self", JSON, offer.title(locale)),
        link(f"{here}?f=html", "alternate", HTML, "This document as a page"),
        link(f"{here}/items", "items", GEOJSON, "Features"),
        link(f"{here}/items?f=html", "items", HTML, "Features as a page"),
        link(f"{here}/queryables", "http://www.opengis.net/def/rel/ogc/1.0/queryables", SCHEMA, "Columns"),
        link(f"{here}/queryables", "describedby", SCHEMA, "Columns with meanings and units"),
    ]
    if offer.licence:
        links.append(
            link(f"{base.rsplit('/', 1)[0]}/catalogue?entry={offer.key}", "license", "text/html", offer.licence)
        )
    if offer.geometry:
        links.append(
            link(f"{here}/tiles", "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector", JSON, "Vector tiles")
        )
    return {
        "id": offer.key,
        "title": offer.title(locale),
        "description": offer.about(locale),
        "itemType": "feature",
        "extent": extent,
        "crs": list(crs),
        "storageCrs": CRS84,
        "links": links,
    }


def collections(base: str, told: Sequence[dict[str, Any]], crs: Iterable[str]) -> dict[str, Any]:
    """Return the list of collections."""
    return {
        "links": [
            link(f"{base}/collections", "self", JSON),
            link(f"{base}/collections?f=html", "alternate", HTML),
        ],
        "collections": list(told),
        "crs": list(crs),
    }


def queryables(base: str, offer: Offer, locale: str = "en") -> dict[str, Any]:
    """Return the columns as a schema: kinds, meanings and units."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{base}/collections/{offer.key}/queryables",
        "type": "object",
        "title": offer.title(locale),
        "properties": _geometry(offer) | {each.name: _property(each, locale) for each in offer.fields},
        "additionalProperties": False,
    }


def _geometry(offer: Offer) -> dict[str, Any]:
    kind = offer.geometry.lower()
    if not kind:
        return {}
    shape = "any" if kind == "geometry" else kind
    return {"geometry": {"title": "geometry", "x-ogc-role": "primary-geometry", "format": f"geometry-{shape}"}}


def _property(column: FieldInfo, locale: str) -> dict[str, Any]:
    told: dict[str, Any] = {"title": column.title(locale), **_KINDS[column.kind]}
    if column.unit:
        told["x-ogc-unit"] = column.unit
    if column.values:
        told["enum"] = list(column.values)
    return told


def tile_sets(base: str, offer: Offer) -> dict[str, Any]:
    """Return the list of tile sets of a collection: one."""
    return {"tilesets": [tile_set(base, offer)], "links": [link(f"{_of(base, offer)}/tiles", "self", JSON)]}


def _of(base: str, offer: Offer) -> str:
    return f"{base}/collections/{offer.key}"


def tile_set(
    base: str, offer: Offer, bounds: Sequence[float] | None = None, first: int = TILE_ZOOMS[0]
) -> dict[str, Any]:
    """Return the description of the tile set of a collection."""
    here = f"{_of(base, offer)}/tiles/{TILE_MATRIX_SET}"
    told: dict[str, Any] = {
        "title": offer.title_en,
        "dataType": "vector",
        "crs": crs_uri(3857),
        "tileMatrixSetURI": TILE_MATRIX_SET_URI,
        "links": [
            link(here, "self", JSON),
            link(here + "/{tileMatrix}/{tileRow}/{tileCol}", "item", MVT, "Tiles", templated=True),
            link(TILE_MATRIX_SET_URI, "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme", JSON),
        ],
    }
    if bounds is not None:
        told["boundingBox"] = {"lowerLeft": list(bounds[:2]), "upperRight": list(bounds[2:]), "crs": CRS84}
        last = TILE_ZOOMS[1]
        told["centerPoint"] = {"coordinates": [(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2]}
        told["layers"] = [
            {
                "id": offer.key,
                "dataType": "vector",
                "minTileMatrix": str(first),
                "maxTileMatrix": str(last),
                "propertiesSchema": {"type": "object", "properties": {f.name: _KINDS[f.kind] for f in offer.fields}},
            }
        ]
    return told


def tile_matrix_sets(base: str) -> dict[str, Any]:
    """Return the list of tile grids: one."""
    here = f"{base}/tileMatrixSets/{TILE_MATRIX_SET}"
    return {
        "tileMatrixSets": [
            {"id": TILE_MATRIX_SET, "uri": TILE_MATRIX_SET_URI, "links": [link(here, "self", JSON)]},
        ]
    }


def tile_matrix_set() -> dict[str, Any]:
    """Return the grid of tiles, as far as there are tiles."""
    half = 20037508.3427892
    return {
        "id": TILE_MATRIX_SET,
        "uri": TILE_MATRIX_SET_URI,
        "crs": crs_uri(3857),
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": [
            {
                "id": str(z),
                "scaleDenominator": 559082264.028717 / 2**z,
                "cellSize": 156543.033928041 / 2**z,
                "pointOfOrigin": [-half, half],
                "tileWidth": 256,
                "tileHeight": 256,
                "matrixWidth": 2**z,
                "matrixHeight": 2**z,
            }
            for z in range(TILE_ZOOMS[1] + 1)
        ],
    }
