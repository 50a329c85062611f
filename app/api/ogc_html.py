"""The interface for people: its landing, collections and rows as small pages, for who opens an address in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from app import bearer, catalogue_words, i18n
from app.api import forms
from app.api.ogc_documents import CONFORMS
from app.i18n import t
from core.errors import GridkeeperError
from geodata.catalogue_model import Offer
from geodata.features import Page
from layers.style import LIGHT

BASE = "/ogc"
ROWS = 25
HEADERS = {"cache-control": "private, no-store", "vary": "Cookie, Authorization, Accept", "x-robots-tag": "noindex"}


def stylesheet() -> str:
    """Return what the pages add to the style of the login page."""
    tokens = "".join(f"--{name.replace('_', '-')}:{value};" for name, value in LIGHT.tokens().items())
    return f":root{{{tokens}}}\n" + (forms.TEMPLATES / "ogc.css").read_text()


def _page(request: Request, language: str, title: str, **more: Any) -> Response:
    here = bearer.path_of(request)
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in {"f", "lang"}]
    told = {
        "language": language, "title": title, "lead": "", "hint": "", "facts": (), "links": (), "rows": None,
        "columns": (), "caption": "", "following": "", "examples": (), "crumbs": (),
        "as_data": f"{here}?{urlencode([*kept, ('f', 'json')])}",
        "spoken": {each: f"{here}?{urlencode([*kept, ('f', 'html'), ('lang', each)])}" for each in i18n.LOCALES},
    }  # fmt: skip
    response = forms.answer(request, forms.pages().get_template("ogc.html").render(told | more), chosen=language)
    response.headers.update(HEADERS)
    return response


def _speak(request: Request) -> str:
    language = forms.language(request)
    i18n.use(language)
    return language


def landing(request: Request, title: str) -> Response:
    """Return the page of what this is and where the rest lies."""
    language = _speak(request)
    links = [
        (t("Collections"), f"{BASE}/collections?f=html", t("What there is, with columns and rows")),
        (t("What it keeps to"), f"{BASE}/conformance?f=html", t("Standards, as far as they are kept")),
        (t("Definition (OpenAPI)"), f"{BASE}/api", t("For programs that write clients")),
        (t("Grids of tiles"), f"{BASE}/tileMatrixSets", "WebMercatorQuad"),
        (t("Catalogue"), "/catalogue", t("Whose the data are, how fresh, and taking them along as files")),
        (t("Tokens"), "/my-account", t("With a token, QGIS, GDAL and other programs read what your role may see.")),
    ]
    about = t("Features and tiles of this territory, as far as the role that asks may see them.")
    return _page(request, language, title, lead=about, links=links)


def conformance(request: Request) -> Response:
    """Return the page of what it keeps to."""
    language = _speak(request)
    return _page(
        request, language, t("What it keeps to"), crumbs=[_root()],
        columns=[t("Class of the standard")], rows=[[each] for each in CONFORMS],
    )  # fmt: skip


def collections(request: Request, offers: Iterable[Offer]) -> Response:
    """Return the page of the collections."""
    language = _speak(request)
    links = [(each.title(language), f"{BASE}/collections/{each.key}?f=html", each.about(language)) for each in offers]
    return _page(request, language, t("Collections"), crumbs=[_root()], links=links)


def collection(request: Request, base: str, offer: Offer, bounds: Sequence[float]) -> Response:
    """Return the page of one collection: what it is, its columns, how to ask for it."""
    language = _speak(request)
    here = f"{BASE}/collections/{offer.key}"
    outside = f"{base}/collections/{offer.key}"
    links = [
        (t("All rows"), f"{here}/items?f=html", t("Page by page")),
        (t("In the catalogue"), f"/catalogue?entry={offer.key}", t("Owner, licence, lineage, files")),
    ]
    facts = [
        (t("Key"), offer.key),
        (t("Shapes"), catalogue_words.geometry(offer.geometry)),
        (t("Sensitivity"), catalogue_words.sensitivity(offer.sensitivity)),
        (t("Licence and what it derives from"), offer.licence or t("not said")),
    ]
    west, south, east, north = (f"{each:.4f}" for each in bounds)
    examples = [f"{outside}/items?limit=100"]
    if offer.geometry:
        facts.append((t("Lies within"), f"{west}, {south} – {east}, {north}"))
        links.append((t("Vector tiles"), f"{here}/tiles", "WebMercatorQuad"))
        examples.append(f"{outside}/items?bbox={west},{south},{east},{north}")
    text = next((each.name for each in offer.fields if each.kind == "text"), "")
    if text:
        examples.append(f"{outside}/items?filter={text} LIKE 'A%'")
    examples.append(f'ogrinfo "OAPIF:{base}" {offer.key} --config GDAL_HTTP_AUTH BEARER --config GDAL_HTTP_BEARER …')
    rows = [[each.name, each.title(language), catalogue_words.kind(each)] for each in offer.fields]
    return _page(
        request, language, offer.title(language), lead=offer.about(language), facts=facts, links=links,
        caption=t("Columns"), columns=[t("Column"), t("Meaning"), t("Values")], rows=rows, examples=examples,
        crumbs=[_root(), _list()],
    )  # fmt: skip


def items(request: Request, offer: Offer, page: Page, query: Mapping[str, str]) -> Response:
    """Return a page of rows as a table; ``query`` as it was asked."""
    language = _speak(request)
    here = f"{BASE}/collections/{offer.key}/items"
    rows = []
    for each in map(json.loads, page.features):
        link = {"text": str(each["id"]), "href": f"{here}/{quote(str(each['id']), safe='')}?f=html"}
        rows.append([link, *(_cell(each["properties"].get(field.name)) for field in offer.fields)])
    following = f"{here}?{urlencode({**query, 'f': 'html', 'after': page.last})}" if page.last is not None else ""
    told = t("{count} rows in all", count=i18n.number(page.matched)) if page.matched is not None else ""
    return _page(
        request, language, offer.title(language), lead=told, columns=["id", *(f.title(language) for f in offer.fields)],
        rows=rows, following=following, crumbs=[_root(), _list(), _one(offer, language)],
    )  # fmt: skip


def item(request: Request, offer: Offer, feature: str) -> Response:
    """Return one row."""
    language = _speak(request)
    told = json.loads(feature)
    rows = [[each.name, each.title(language), _cell(told["properties"].get(each.name))] for each in offer.fields]
    place = told["geometry"]
    if place is not None:
        known = place["coordinates"] if place["type"] == "Point" else place["type"]
        rows.append(["geometry", t("Place"), _cell(known)])
    return _page(
        request, language, str(told["id"]), columns=[t("Column"), t("Meaning"), t("Value")], rows=rows,
        crumbs=[_root(), _list(), _one(offer, language)],
    )  # fmt: skip


def refused(request: Request, error: GridkeeperError, status: int) -> Response:
    """Return why an address gives nothing, and the ways on."""
    language = _speak(request)
    said = error.zh if error.zh and language == "zh" else error.message
    hint = "" if error.zh and language == "zh" else error.hint
    titles = {403: t("Not for your role"), 404: t("There is nothing at this address"), 503: t("Not just now")}
    links = [(t("Collections"), f"{BASE}/collections?f=html", t("What there is, with columns and rows"))]
    title = titles.get(status, t("This address cannot be answered"))
    response = _page(request, language, title, lead=said, hint=hint, links=links, crumbs=[_root()])
    response.status_code = status
    return response


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return t("yes") if value else t("no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _root() -> tuple[str, str]:
    return (t("Interface"), f"{BASE}?f=html")


def _list() -> tuple[str, str]:
    return (t("Collections"), f"{BASE}/collections?f=html")


def _one(offer: Offer, language: str) -> tuple[str, str]:
    return (offer.title(language), f"{BASE}/collections/{offer.key}?f=html")
