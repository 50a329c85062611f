"""OGC API – Features and Tiles under /ogc: reading only, by session or token, as far as the actor may see."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app import bearer, guard
from app.api import forms, ogc_html, ogc_openapi, ogc_query
from app.api import ogc_documents as documents
from app.api.busy import Busy
from app.api.tiles import actor_of
from core.errors import GridkeeperError, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, require
from geodata import catalogue, features
from geodata.catalogue_builtin import Source
from geodata.catalogue_model import Offer
from geodata.db import transaction
from geodata.territory import TerritoryInfo, list_territories
from layers.tiles import TileKey

BASE = "/ogc"
HEADERS = ogc_html.HEADERS
READERS = Busy("readers of the interface", at_work=3, inside=40, each=8)
"""Other systems read with threads of their own, so that pages and maps go on beside them."""


def base_of(request: Request) -> str:
    """Return where the interface lives, as the client reached it."""
    return f"{request.url.scheme}://{request.url.netloc}{BASE}"


async def _answer(
    request: Request, make: Callable[[Actor, Request], Any], media_type: str = documents.JSON
) -> Response:
    """Return what ``make`` gives, as JSON, made in a thread of the interface's own."""
    try:
        actor = actor_of(request)
        require(actor, May.SEE_MAP)
        with READERS.enter(actor.user_id or actor.scope_key):
            made = await READERS.work(make, actor, request)
    except GridkeeperError as error:
        if not bearer.as_page(request):
            raise
        return ogc_html.refused(request, error, guard.status_of(error))
    if isinstance(made, Response):
        return made
    return JSONResponse(made, headers=HEADERS, media_type=media_type)


def _may_take(actor: Actor) -> None:
    """Return when the role may take data along: page after page, the interface gives as much as a file does."""
    if not actor.may(May.TAKE_DATA):
        raise NotPermitted(
            f"As {actor.role.replace('_', ' ')} you see rows on your own pages; other programs may not read them.",
            hint="Ask an administrator for a role that takes data along.",
            zh="您的角色只能在本平台页面上查看数据，其他程序不可读取；如需导出，请向管理员申请相应角色。",
        )


def _in_territory(session: Any, actor: Actor) -> TerritoryInfo:
    found = next((each for each in list_territories(session) if each.id == actor.territory_id), None)
    if found is None:
        raise InvalidInput("No territory is chosen.", hint="Choose one first.", zh="尚未选择辖区，请先选择。")
    return found


async def landing(request: Request) -> Response:
    """Answer with what this is and where the rest lies."""

    def make(actor: Actor, request: Request) -> Any:
        with transaction(actor) as session:
            home = _in_territory(session, actor)
        ogc_query.check_format(request.query_params)
        if bearer.as_page(request):
            return ogc_html.landing(request, home.title(forms.language(request)))
        return documents.landing(base_of(request), home.title(actor.locale))

    return await _answer(request, make)


async def conformance(request: Request) -> Response:
    """Answer with what it keeps to."""

    def make(_actor: Actor, request: Request) -> Any:
        return ogc_html.conformance(request) if bearer.as_page(request) else documents.conformance()

    return await _answer(request, make)


async def definition(request: Request) -> Response:
    """Answer with the definition in OpenAPI."""

    def make(actor: Actor, request: Request) -> Any:
        with transaction(actor) as session:
            home = _in_territory(session, actor)
            offers = [source.offer for source in catalogue.sources(session, actor).values()]
        systems = ogc_query.systems(home.metric_srid)
        return ogc_openapi.definition(base_of(request), home.title("en"), offers, systems)

    return await _answer(request, make, documents.OPENAPI)


async def collections(request: Request) -> Response:
    """Answer with the collections of the role."""

    def make(actor: Actor, request: Request) -> Any:
        with transaction(actor) as session:
            home = _in_territory(session, actor)
            offers = [source.offer for source in catalogue.sources(session, actor).values()]
        if bearer.as_page(request):
            return ogc_html.collections(request, offers)
        systems = ogc_query.systems(home.metric_srid)
        base = base_of(request)
        told = [
            documents.collection(base, offer, bounds=home.bounds, crs=systems, locale=actor.locale) for offer in offers
        ]
        return documents.collections(base, told, systems)

    return await _answer(request, make)


async def collection(request: Request) -> Response:
    """Answer with one collection."""

    def make(actor: Actor, request: Request) -> Any:
        with transaction(actor) as session:
            home = _in_territory(session, actor)
            offer = catalogue.source_of(session, actor, request.path_params["collection"]).offer
        if bearer.as_page(request):
            return ogc_html.collection(request, base_of(request), offer, home.bounds)
        systems = ogc_query.systems(home.metric_srid)
        return documents.collection(base_of(request), offer, bounds=home.bounds, crs=systems, locale=actor.locale)

    return await _answer(request, make)


async def queryables(request: Request) -> Response:
    """Answer with the columns of a collection."""

    def make(actor: Actor, request: Request) -> Any:
        with transaction(actor) as session:
            offer = catalogue.source_of(session, actor, request.path_params["collection"]).offer
        return documents.queryables(base_of(request), offer, actor.locale)

    return await _answer(request, make, documents.SCHEMA)


async def items(request: Request) -> Response:
    """Answer with a page of features."""
    return await _answer(request, _items)


def _items(actor: Actor, request: Request) -> Response:
    _may_take(actor)
    pairs = request.query_params.multi_items()
    query = dict(pairs)
    if len(query) != len(pairs):
        raise InvalidInput("A parameter stands twice.", hint="Give each once.", zh="参数重复，每个只写一次。")
    as_page = bearer.as_page(request)
    if as_page:
        query.setdefault("limit", str(ogc_html.ROWS))
    with transaction(actor) as session:
        home = _in_territory(session, actor)
        source = catalogue.source_of(session, actor, request.path_params["collection"])
        asked = ogc_query.wanted(query, source.offer, home.metric_srid)
        page = features.page(session, source, home.id, asked)
        catalogue.note_use(session, actor, source.offer.key, "api", rows=len(page.features), joined=source.beside)
    if as_page:
        return ogc_html.items(request, source.offer, page, query)
    here = f"{base_of(request)}/collections/{source.offer.key}"
    links = [
        documents.link(f"{here}/items?{urlencode(query)}", "self", documents.GEOJSON),
        documents.link(f"{here}/items?{urlencode(query | {'f': 'html'})}", "alternate", documents.HTML),
        documents.link(here, "collection", documents.JSON),
    ]
    if page.last is not None:
        following = urlencode(query | {"after": page.last})
        links.append(documents.link(f"{here}/items?{following}", "next", documents.GEOJSON))
    told = {"links": links, "numberReturned": len(page.features)}
    if page.matched is not None:
        told["numberMatched"] = page.matched
    # The features are JSON already: they are put in place as they come from the database.
    body = (
        '{"type":"FeatureCollection",' + json.dumps(told, separators=(",", ":"))[1:-1]
        + ',"features":[' + ",".join(page.features) + "]}"
    )  # fmt: skip
    return Response(body, media_type=documents.GEOJSON, headers=HEADERS | _crs_header(query))


def _crs_header(query: dict[str, str]) -> dict[str, str]:
    return {"content-crs": f"<{query.get('crs', documents.CRS84)}>"}


async def item(request: Request) -> Response:
    """Answer with one feature."""
    return await _answer(request, _item)


def _item(actor: Actor, request: Request) -> Response:
    _may_take(actor)
    query = dict(request.query_params)
    if set(query) - {"crs", "f", "lang"}:
        raise InvalidInput(
            "A feature takes the parameters crs, f and lang.", hint="Leave the others away.",
            zh="单个要素只接受参数 crs、f 和 lang，请去掉其他参数。",
        )  # fmt: skip
    with transaction(actor) as session:
        home = _in_territory(session, actor)
        source = catalogue.source_of(session, actor, request.path_params["collection"])
        asked = ogc_query.wanted(query, source.offer, home.metric_srid)
        found = features.one(session, source, home.id, request.path_params["feature"], asked)
        catalogue.note_use(session, actor, source.offer.key, "api", rows=1, joined=source.beside)
    if bearer.as_page(request):
        return ogc_html.item(request, source.offer, found)
    here = f"{base_of(request)}/collections/{source.offer.key}"
    links = [
        documents.link(f"{here}/items/{quote(request.path_params['feature'], safe='')}", "self", documents.GEOJSON),
        documents.link(
            f"{here}/items/{quote(request.path_params['feature'], safe='')}?f=html", "alternate", documents.HTML
        ),
        documents.link(here, "collection", documents.JSON),
    ]
    body = found[:-1] + ',"links":' + json.dumps(links) + "}"
    return Response(body, media_type=documents.GEOJSON, headers=HEADERS | _crs_header(query))


async def tile_sets(request: Request) -> Response:
    """Answer with the tile sets of a collection."""
    return await _answer(
        request, lambda actor, request: documents.tile_sets(base_of(request), _with_places(actor, request)[0])
    )


async def tile_set(request: Request) -> Response:
    """Answer with the description of the one tile set."""

    def make(actor: Actor, request: Request) -> Any:
        _check_grid(request)
        offer, home, first = _with_places(actor, request)
        return documents.tile_set(base_of(request), offer, home.bounds, first)

    return await _answer(request, make)


def _with_places(actor: Actor, request: Request) -> tuple[Offer, TerritoryInfo, int]:
    """Return what has tiles, where, and their first zoom: the whole world where all of it fits into one tile."""
    with transaction(actor) as session:
        home = _in_territory(session, actor)
        source = catalogue.source_of(session, actor, request.path_params["collection"])
        if not source.offer.geometry:
            raise NotFound(f"{source.offer.key} has no places, so no tiles.")
        return source.offer, home, _first_zoom(session, actor, source)


def _first_zoom(session: Session, actor: Actor, source: Source) -> int:
    few = features.at_most(session, source, actor.territory_id or 0, documents.MOST_IN_TILE)
    return 0 if few else documents.TILE_ZOOMS[0]


def _check_grid(request: Request) -> None:
    if request.path_params.get("grid", documents.TILE_MATRIX_SET) != documents.TILE_MATRIX_SET:
        raise NotFound("There is no such grid of tiles.", hint=f"Tiles come in {documents.TILE_MATRIX_SET}.")


async def tile_matrix_sets(request: Request) -> Response:
    """Answer with the grids of tiles there are."""
    return await _answer(request, lambda _actor, request: documents.tile_matrix_sets(base_of(request)))


async def tile_matrix_set(request: Request) -> Response:
    """Answer with the one grid of tiles."""

    def make(_actor: Actor, request: Request) -> Any:
        _check_grid(request)
        return documents.tile_matrix_set()

    return await _answer(request, make)


async def tile(request: Request) -> Response:
    """Answer with a vector tile."""
    return await _answer(request, _tile)


def _tile(actor: Actor, request: Request) -> Response:
    _may_take(actor)
    _check_grid(request)
    asked = request.path_params
    try:
        key = TileKey(asked["z"], asked["column"], asked["row"])
    except GridkeeperError as error:
        raise NotFound(error.message, hint=error.hint) from error
    first, last = documents.TILE_ZOOMS
    with transaction(actor) as session:
        source = catalogue.source_of(session, actor, asked["collection"])
        if key.z > last or (key.z < first and _first_zoom(session, actor, source) > key.z):
            raise NotFound(
                f"There are no tiles at zoom {key.z}.",
                hint=f"Zooms run from {first} to {last}, of up to {documents.MOST_IN_TILE:,} rows from 0.",
            )
        made = features.tile(session, source, actor.territory_id or 0, (key.z, key.x, key.y), documents.MOST_IN_TILE)
        catalogue.note_use(session, actor, source.offer.key, "tiles", joined=source.beside)
    return Response(made, media_type=documents.MVT, headers=HEADERS, status_code=200 if made else 204)


async def nothing(request: Request) -> Response:
    """Answer that there is nothing: below us are the platform's pages, which a program would take for an answer."""

    def make(_actor: Actor, request: Request) -> Any:
        raise NotFound(
            f"There is nothing at {request.url.path[:120]}.", hint=f"{BASE} says what there is.",
            zh=f"{request.url.path[:120]} 没有内容，{BASE} 列出了全部入口。",
        )  # fmt: skip

    return await _answer(request, make)


async def style(_request: Request) -> Response:
    """Answer with the style of the pages for people."""
    return Response(ogc_html.stylesheet(), media_type="text/css", headers={"cache-control": "public, max-age=600"})


_HERE = BASE + "/collections/{collection}"
routes = [
    Route(BASE, landing),
    Route(BASE + "/", landing),
    Route(BASE + "/style.css", style),
    Route(BASE + "/conformance", conformance),
    Route(BASE + "/api", definition),
    Route(BASE + "/collections", collections),
    Route(BASE + "/tileMatrixSets", tile_matrix_sets),
    Route(BASE + "/tileMatrixSets/{grid}", tile_matrix_set),
    Route(_HERE, collection),
    Route(_HERE + "/queryables", queryables),
    Route(_HERE + "/items", items),
    Route(_HERE + "/items/{feature:path}", item),
    Route(_HERE + "/tiles", tile_sets),
    Route(_HERE + "/tiles/{grid}", tile_set),
    Route(_HERE + "/tiles/{grid}/{z:int}/{row:int}/{column:int}", tile),
    Route(BASE + "/{rest:path}", nothing),
]
