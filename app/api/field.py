"""The field page of grid workers over HTTP: the page, the day as JSON, acts applied once and in order, photos.

Phones ask every few seconds whether anything changed. An answer is kept for the worker and given again, mostly
as 304, until an incident or a task of his territory changes or half a minute is over; that touches no database.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import OrderedDict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app import guard, i18n
from app.api import field_words as words
from app.api import forms
from app.api.assets import asset, asset_url
from app.api.field_gate import PHOTOS, WAYS
from app.api.tiles import actor_of
from app.wire import respond
from core import log
from core.clock import now
from core.errors import Conflict, GridkeeperError, InvalidInput, NotPermitted, SourceUnavailable
from core.identity import Actor
from dispatch import field
from dispatch.field_model import ACTS_MOST, PhoneAct
from geodata.db import transaction
from geodata.territory import TerritoryInfo, list_territories
from incidents import service as incidents
from incidents.evidence import MOST_BYTES
from incidents.service.evidence import prepare
from layers.cache import Entry
from layers.versions import TASKS, versions

logger = log.get(__name__)
MEDIA_TYPE = "application/json"
KEPT_S = 30.0
KEPT_MOST = 2000
BODY_MOST = 64 << 10
WHO = "gridkeeper-who"
"""The header in which a phone says whose acts it sends."""
PHOTO_S = 60.0
"""A photo that takes longer to come gives its place to others."""
PHOTO_KINDS = ("before", "after", "other")
NAME = re.compile(r"[A-Za-z0-9._:-]{8,80}")
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self';"
    " connect-src 'self'; worker-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none';"
    " require-trusted-types-for 'script'; trusted-types gridkeeper"
)
PAGE_HEADERS = {"content-security-policy": CONTENT_POLICY, "cache-control": "no-store"}
FILES = {"style": ".css", "queue": "-queue.js", "page": ".js"}

_kept: OrderedDict[tuple[str, str], tuple[tuple[int, ...] | None, float, Entry]] = OrderedDict()
_territories: dict[int, tuple[float, TerritoryInfo]] = {}
_ways: OrderedDict[tuple[str, str, str], tuple[float, Entry]] = OrderedDict()


def _language(request: Request, actor: Actor) -> str:
    """Return the language of the phone: asked for now, chosen before, or that of the login."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(forms.LANGUAGE_COOKIE)):
        if chosen in i18n.LOCALES:
            return str(chosen)
    return actor.locale if actor.locale in i18n.LOCALES else i18n.LOCALES[0]


async def show(request: Request) -> Response:
    """Answer with the page; it holds words and no data, so that a phone may keep it."""
    actor = actor_of(request)
    language = _language(request, actor)
    i18n.use(language)
    refusal = ""
    try:
        field.worker_of(actor)
    except NotPermitted as error:
        refusal = error.zh if language == "zh" and error.zh else f"{error.message} {error.hint}"
    page = (
        forms.pages()
        .get_template("field.html")
        .render(
            language=language,
            refusal=refusal,
            files={name: asset_url(f"gk/gridkeeper-field{ending}") for name, ending in FILES.items()},
            words=json.dumps(words.page_words(), ensure_ascii=False).replace("<", "\\u003c"),
        )
    )
    response = forms.answer(request, page, chosen=language, status_code=403 if refusal else 200)
    response.headers.update(PAGE_HEADERS)
    return response


async def serve_worker(_request: Request) -> Response:
    """Serve the service worker; it may look after the page, which lies one folder above it."""
    headers = {"service-worker-allowed": "/field", "cache-control": "no-cache"}
    return Response(asset("gk/gridkeeper-field-worker.js").plain(), media_type="text/javascript", headers=headers)


async def serve_state(request: Request) -> Response:
    """Answer with the day of the worker; 304 while it is as the phone knows it."""
    actor = actor_of(request)
    field.worker_of(actor)
    language = _language(request, actor)
    key = _key(actor, language)
    token = versions.of(actor.territory_id or 0, ("incidents", TASKS))
    kept = _kept.get(key)
    if kept is None or token is None or kept[0] != token or kept[1] < time.monotonic():
        kept = (token, time.monotonic() + KEPT_S, await run_in_threadpool(_state, actor, language))
        _kept[key] = kept
        while len(_kept) > KEPT_MOST:
            _kept.popitem(last=False)
    return respond(request, kept[2], MEDIA_TYPE)


def _key(actor: Actor, language: str) -> tuple[str, str]:
    return f"{actor.user_id}.{actor.scope_key}", language


def _state(actor: Actor, language: str) -> Entry:
    i18n.use(language)
    with transaction(actor) as session:
        territory = _territory(session, actor)
        moment = now()
        state = field.field_state(session, actor, territory, moment)
    body = words.state_body(state, _who(actor), territory, moment)
    return Entry.of(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def _who(actor: Actor) -> str:
    """Return whose acts wait on a phone: the person, not his reach, which may change in the middle of a shift."""
    return f"{actor.territory_id}.{actor.user_id}"


def _own(actor: Actor, request: Request) -> None:
    """Refuse what another worker said on the same phone; nothing of it is applied, and it stays his."""
    if request.headers.get(WHO) != _who(actor):
        raise Conflict(
            "Somebody else is logged in on this phone by now.",
            hint="What waits is kept until its worker logs in here again.",
            zh="本机现由他人登录；待发送的操作保留至原网格员重新登录。",
        )


def _territory(session: Any, actor: Actor) -> TerritoryInfo:
    kept = _territories.get(actor.territory_id or 0)
    if kept is None or kept[0] < time.monotonic():
        found = next((each for each in list_territories(session) if each.id == actor.territory_id), None)
        if found is None:
            raise InvalidInput("No territory is chosen.", hint="Choose one first.", zh="尚未选择辖区。")
        kept = _territories[found.id] = (time.monotonic() + KEPT_S, found)
    return kept[1]


def forget() -> None:
    """Answer the next question of every phone from the database."""
    _kept.clear()
    _territories.clear()
    _ways.clear()
    field.forget_shifts()


async def _body(request: Request, most: int) -> bytes:
    """Return what was sent, refused before it is read when it says to be too large, and while it is read when it is."""
    said = request.headers.get("content-length", "0")
    body = bytearray()
    if said.isdecimal() and len(said) < 12 and int(said) <= most:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                break
        else:
            return bytes(body)
    raise InvalidInput(
        f"More than {most >> 10} kB are not taken at once.",
        hint="Send it in a smaller size.",
        zh=f"一次最多提交 {most >> 10} kB，请缩小后重试。",
    )


async def _json(request: Request) -> dict[str, Any]:
    try:
        given = json.loads(await _body(request, BODY_MOST))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InvalidInput("This is no JSON.", hint="Load the page again.") from error
    if not isinstance(given, dict):
        raise InvalidInput("An object was expected.", hint="Load the page again.")
    return given


async def take_acts(request: Request) -> Response:
    """Apply the acts of a phone, each once and in the order given, and answer each in words."""
    actor = actor_of(request)
    field.worker_of(actor)
    _own(actor, request)
    raw = (await _json(request)).get("acts")
    if not isinstance(raw, list) or len(raw) > ACTS_MOST:
        raise InvalidInput(f"acts is a list of at most {ACTS_MOST}.", hint="Send the rest with the next message.")
    answers = await run_in_threadpool(_apply, actor, _language(request, actor), raw)
    return JSONResponse({"answers": answers}, headers={"cache-control": "no-store"})


def _apply(actor: Actor, language: str, raw: list[Any]) -> list[dict[str, Any]]:
    i18n.use(language)
    answers: list[dict[str, Any]] = []
    newest: dict[tuple[int, int], int] = {}
    for one in raw:
        given = str(one.get("id", "")) if isinstance(one, dict) else ""
        try:
            act = PhoneAct.of(one, now())
            # What was done one after the other without a network names the version of before the first.
            if act.incident is not None and act.version is not None:
                act = act.at_version(newest.get((act.incident, act.version), act.version))
            with guard.known_errors_only(), transaction(actor) as session:
                done = field.apply(session, actor, act)
        except SourceUnavailable as error:
            answers.append(words.refused_body(given, error))
            break
        except GridkeeperError as error:
            answers.append(words.refused_body(given, error))
            continue
        answers.append(words.done_body(given, done))
        if done is not None and isinstance(one.get("version"), int):
            newest[done.incident_id, one["version"]] = done.version
    _kept.pop(_key(actor, language), None)
    return answers


async def take_photo(request: Request) -> Response:
    """Keep a photo of an incident once; its size is looked at before it is read."""
    actor = actor_of(request)
    field.worker_of(actor)
    query = request.query_params
    incident, kind, command = query.get("incident", ""), query.get("kind", ""), query.get("id", "")
    if not (incident.isdecimal() and len(incident) < 11 and kind in PHOTO_KINDS and NAME.fullmatch(command)):
        raise InvalidInput("A photo names its incident, its kind and its own id.", hint="Load the page again.")
    _own(actor, request)
    asked, language = (command, int(incident), kind), _language(request, actor)
    try:
        with PHOTOS.enter(actor.user_id):
            async with asyncio.timeout(PHOTO_S):
                data = await _body(request, MOST_BYTES)
            answer = await run_in_threadpool(_refused_photo, actor, language, asked)
            answer = answer or await PHOTOS.work(_photo, actor, language, asked, data)
    except SourceUnavailable as error:
        i18n.use(language)
        return JSONResponse({"answers": [words.refused_body(command, error)]}, 503, {"retry-after": "5"})
    except TimeoutError as error:
        raise InvalidInput("The photo took too long.", hint="Send it again.", zh="照片上传超时，请重试。") from error
    return JSONResponse({"answers": [answer]}, headers={"cache-control": "no-store"})


def _refused_photo(actor: Actor, language: str, asked: tuple[str, int, str]) -> dict[str, Any] | None:
    """Return the answer to a photo that needs no look at it, in a transaction that ends before any work on it."""
    i18n.use(language)
    try:
        with transaction(actor) as session:
            field.check_photo(session, actor, asked[1], asked[0])
    except GridkeeperError as error:
        return words.refused_body(asked[0], error)
    return None


def _photo(actor: Actor, language: str, asked: tuple[str, int, str], data: bytes) -> dict[str, Any]:
    i18n.use(language)
    command, incident, kind = asked
    try:
        prepared = prepare(data)
        with transaction(actor) as session:
            done = field.add_photo(session, actor, incident, kind, prepared, command_id=command)
    except GridkeeperError as error:
        return words.refused_body(command, error)
    _kept.pop(_key(actor, language), None)
    return words.done_body(command, done)


async def take_position(request: Request) -> Response:
    """Take where the worker is, on shift only; DELETE forgets it."""
    actor = actor_of(request)
    field.worker_of(actor)
    _own(actor, request)
    given = {} if request.method == "DELETE" else await _json(request)
    numbers = [given.get(name) for name in ("lon", "lat", "accuracy")]
    if request.method == "POST" and not all(
        isinstance(each, int | float) and not isinstance(each, bool) and abs(each) < 1e7 for each in numbers[:2]
    ):
        raise InvalidInput("A position has lon and lat.", hint="Load the page again.", zh="位置须包含经纬度。")
    taken = await run_in_threadpool(_position, actor, request.method, numbers)
    return JSONResponse({"taken": taken}, headers={"cache-control": "no-store"})


def _position(actor: Actor, method: str, numbers: list[Any]) -> bool:
    with transaction(actor) as session:
        if method == "DELETE":
            return field.drop_position(session, actor)
        place = (float(numbers[0]), float(numbers[1]))
        known = isinstance(numbers[2], int | float) and 0 <= numbers[2] < 1e6  # asked first: 1e400 is no float
        accuracy = float(numbers[2]) if known else None
        return field.say_position(session, actor, _territory(session, actor), place, accuracy_m=accuracy)


async def serve_way(request: Request) -> Response:
    """Answer with the way to an incident, or without one with the streets of the own grid."""
    actor = actor_of(request)
    field.worker_of(actor)
    asked = request.query_params.get("incident", "")
    if asked and not (asked.isdecimal() and len(asked) < 11):
        raise InvalidInput("Which incident?", hint="Give its number as digits.")
    key = (*_key(actor, _language(request, actor)), asked)
    kept = _ways.get(key)
    if kept is None or kept[0] < time.monotonic():
        with WAYS.enter(actor.user_id):
            entry = await WAYS.work(_way, actor, key[1], asked)
        kept = _ways[key] = (time.monotonic() + KEPT_S, entry)
        while len(_ways) > KEPT_MOST:
            _ways.popitem(last=False)
    return respond(request, kept[1], MEDIA_TYPE)


def _way(actor: Actor, language: str, asked: str) -> Entry:
    i18n.use(language)
    with transaction(actor) as session:
        territory = _territory(session, actor)
        if asked:
            way = field.way_to(session, actor, territory, int(asked), language=language)
        else:
            way = field.around(session, actor, territory)
    return Entry.of(
        json.dumps(words.way_body(way, marked=bool(asked)), ensure_ascii=False, separators=(",", ":")).encode()
    )


async def serve_classes(request: Request) -> Response:
    """Answer with the classes that a worker chooses from when he reports."""
    actor = actor_of(request)
    field.worker_of(actor)
    return respond(request, await run_in_threadpool(_classes, actor, _language(request, actor)), MEDIA_TYPE)


def _classes(actor: Actor, language: str) -> Entry:
    i18n.use(language)
    with transaction(actor) as session:
        catalogue = incidents.read_catalogue(session, _territory(session, actor))
    body = words.class_body(list(catalogue.classes.values()))
    return Entry.of(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


routes = [
    Route("/field", show),
    Route("/field/worker.js", serve_worker),
    Route("/api/field/state", serve_state),
    Route("/api/field/acts", take_acts, methods=["POST"]),
    Route("/api/field/photo", take_photo, methods=["POST"]),
    Route("/api/field/position", take_position, methods=["POST", "DELETE"]),
    Route("/api/field/way", serve_way),
    Route("/api/field/classes", serve_classes),
]
