"""The definition of the OGC API as OpenAPI 3.0; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from app.api.ogc_documents import DEFAULT_FEATURES, GEOJSON, JSON, MOST_FEATURES, MVT, SCHEMA, TILE_MATRIX_SET
from geodata.catalogue_model import Offer

_STRING = {"type": "string"}


def _query(name: str, about: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": about, "schema": schema, **more}


def _path(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _answers(media_type: str, about: str, *others: str) -> dict[str, Any]:
    told: dict[str, Any] = {"200": {"description": about, "content": {media_type: {"schema": {"type": "object"}}}}}
    for code in ("400", "401", "403", *others):
        told[code] = {"$ref": "#/components/responses/Refused"}
    return told


def definition(base: str, title: str, offers: Sequence[Offer], crs: Iterable[str]) -> dict[str, Any]:
    """Return the definition; ``base`` is where the interface lives."""
    systems = list(crs)
    number = {"type": "number"}
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_FEATURES, "default": DEFAULT_FEATURES}
    shared = {
        "limit": _query("limit", "Features a page; more than the maximum counts as the maximum.", limit),
        "bbox": _query(
            "bbox",
            "West, south, east, north.",
            {"type": "array", "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
             "items": number},
            style="form", explode=False,
        ),
        "bbox-crs": _query("bbox-crs", "Coordinate system of bbox.", {"type": "string", "enum": systems}),
        "crs": _query("crs", "Coordinate system of the answer.", {"type": "string", "enum": systems}),
        "datetime": _query(
            "datetime", "A moment or a span, as 2026-03-01T00:00:00Z/..", _STRING, style="form", explode=False
        ),
        "filter": _query("filter", "A condition in CQL2 text, as status = 'closed' AND priority < 3.", _STRING),
        "filter-lang": _query(
            "filter-lang", "Language of the filter.",
            {"type": "string", "enum": ["cql2-text"], "default": "cql2-text"},
        ),
        "filter-crs": _query(
            "filter-crs", "Coordinate system of places in the filter.", {"type": "string", "enum": systems}
        ),
        "f": _query("f", "Form of the answer.", {"type": "string", "enum": ["json", "geojson", "html"]}),
        "after": _query("after", "Identity of the last feature of the page before; see the link next.", _STRING),
    }  # fmt: skip
    paths: dict[str, Any] = {
        "/": {"get": {"operationId": "landing", "responses": _answers(JSON, "What this is")}},
        "/conformance": {"get": {"operationId": "conformance", "responses": _answers(JSON, "What it keeps to")}},
        "/api": {"get": {"operationId": "api", "responses": _answers(JSON, "This definition")}},
        "/collections": {"get": {"operationId": "collections", "responses": _answers(JSON, "Collections")}},
        "/tileMatrixSets": {"get": {"operationId": "tileMatrixSets", "responses": _answers(JSON, "Tile grids")}},
        "/tileMatrixSets/{tileMatrixSetId}": {
            "get": {
                "operationId": "tileMatrixSet",
                "parameters": [_path("tileMatrixSetId", {"type": "string", "enum": [TILE_MATRIX_SET]})],
                "responses": _answers(JSON, "A tile grid", "404"),
            }
        },
    }
    for offer in offers:
        paths |= _paths_of(offer)
    return {
        "openapi": "3.0.3",
        "info": {
            "title": title,
            "version": "1.0.0",
            "description": "Reading only. What the role of the session or token may not see is not there.",
        },
        "servers": [{"url": base}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "parameters": shared,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "gridkeeper"},
            },
            "responses": {
                "Refused": {
                    "description": "What is wrong, and the way out",
                    "content": {JSON: {"schema": {"properties": {"error": _STRING, "hint": _STRING}}}},
                }
            },
        },
    }


def _paths_of(offer: Offer) -> dict[str, Any]:
    here = f"/collections/{offer.key}"
    names = [
        "limit",
        "bbox",
        "bbox-crs",
        "crs",
        "filter",
        "filter-lang",
        "filter-crs",
        "after",
        "f",
        *(["datetime"] if offer.moment else []),
    ]
    items: list[dict[str, Any]] = [{"$ref": f"#/components/parameters/{name}"} for name in names]
    items += [_query(each.name, each.title_en, _STRING) for each in offer.fields]
    tag = [offer.title_en]
    told: dict[str, Any] = {
        here: {
            "get": {
                "operationId": f"describe_{offer.key}", "tags": tag, "responses": _answers(JSON, "Collection", "404"),
            }
        },
        f"{here}/queryables": {
            "get": {
                "operationId": f"queryables_{offer.key}", "tags": tag, "responses": _answers(SCHEMA, "Columns", "404"),
            }
        },
        f"{here}/items": {
            "get": {
                "operationId": f"features_{offer.key}", "tags": tag, "parameters": items,
                "responses": _answers(GEOJSON, "Features", "404"),
            }
        },
        f"{here}/items/{{featureId}}": {
            "get": {
                "operationId": f"feature_{offer.key}", "tags": tag,
                "parameters": [_path("featureId", _STRING), {"$ref": "#/components/parameters/crs"}],
                "responses": _answers(GEOJSON, "A feature", "404"),
            }
        },
    }  # fmt: skip
    if offer.geometry:
        tiles = f"{here}/tiles/{TILE_MATRIX_SET}"
        whole = {"type": "integer", "minimum": 0}
        told |= {
            f"{here}/tiles": {
                "get": {"operationId": f"tilesets_{offer.key}", "tags": tag, "responses": _answers(JSON, "Tile sets")}
            },
            tiles: {
                "get": {"operationId": f"tileset_{offer.key}", "tags": tag, "responses": _answers(JSON, "A tile set")}
            },
            f"{tiles}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": {
                "get": {
                    "operationId": f"tile_{offer.key}",
                    "tags": tag,
                    "parameters": [_path(name, whole) for name in ("tileMatrix", "tileRow", "tileCol")],
                    "responses": _answers(MVT, "A tile", "404"),
                }
            },
        }
    return told
