"""Enter and leave: the login page, its picture, and the session cookie."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from functools import lru_cache

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from app import cookie, guard, i18n
from app.api import assets, forms
from app.api.forms import ATTEMPTS_PER_MINUTE, CONTENT_POLICY, TEMPLATES, Attempts
from app.i18n import t
from app.roles import CARD_ORDER, role_name, role_purpose
from core.errors import GridkeeperError
from core.identity import Actor, Role, system_actor
from core.settings import settings
from dispatch import field
from geodata.db import transaction
from geodata.territory import TerritoryInfo, list_territories
from layers.basemap import surrounded_by_water
from layers.portrait import portrait
from layers.style import LIGHT
from people import access, accounts
from people.model import Account, LoginFailure, LoginOutcome

PICTURE_AGE_S = 600


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a login form."""

    name: str
    password: str
    demo: str
    role_id: int | None


attempts = Attempts(ATTEMPTS_PER_MINUTE)


async def show_login(request: Request) -> Response:
    """Answer with the login page; lead a user who is logged in to where he wanted."""
    if getattr(request.state, "session", None) is not None:
        return RedirectResponse(guard.local_path(request.query_params.get("next")), status_code=303)
    return await run_in_threadpool(_render, request, forms.language(request))


def _render(request: Request, language: str, *, message: str = "", status_code: int = 200) -> Response:
    i18n.use(language)
    try:
        territories, demo, first = _known()
        problem = ""
    except GridkeeperError as error:
        territories, demo, first, problem = [], [], False, error.message
    chosen = _chosen(territories, demo, request.query_params.get("territory"))
    cards = sorted(
        (account for account in demo if chosen is not None and account.territory_id == chosen.id),
        key=lambda account: CARD_ORDER.index(account.role),
    )
    page = (
        forms.pages()
        .get_template("login.html")
        .render(
            language=language,
            territory=chosen,
            inland=chosen is not None and not _island(chosen.id),
            territory_title=chosen.title(language) if chosen else "",
            others=[each for each in territories if chosen and each.id != chosen.id] if demo else [],
            cards=[
                {
                    "login": account.login,
                    "role_id": account.role_id,
                    "role": role_name(account.role),
                    "purpose": role_purpose(account.role),
                    "title": account.title(language),
                }
                for account in cards
            ],
            demo=settings().demo,
            wanted=guard.local_path(request.query_params.get("next")),
            message=message,
            problem=problem,
            first=first,
        )
    )
    return forms.answer(request, page, chosen=language, status_code=status_code)


def _known() -> tuple[list[TerritoryInfo], list[Account], bool]:
    with transaction(system_actor()) as session:
        return list_territories(session), accounts.demo_accounts(session), access.lacks_administrator(session)


def _chosen(territories: list[TerritoryInfo], demo: list[Account], asked: str | None) -> TerritoryInfo | None:
    by_name = {territory.name: territory for territory in territories}
    with_cards = [each for each in territories if any(account.territory_id == each.id for account in demo)]
    for name in (asked, settings().territory):
        if name in by_name:
            return by_name[str(name)]
    first = with_cards or territories
    return first[0] if first else None


async def _form(request: Request) -> Form | None:
    first = await forms.fields(request)
    if first is None:
        return None
    role = int(first["role"]) if first.get("role", "").isdecimal() and len(first["role"]) < 10 else None
    return Form(first.get("name", ""), first.get("password", ""), first.get("demo", ""), role)


async def enter(request: Request) -> Response:
    """Check name and password, or the demo card, and set the cookie; the old session ends."""
    language = forms.language(request)
    form = await _form(request)
    if form is None:
        return PlainTextResponse("This is not a login form.", status_code=400)
    if form.demo and not guard.own_host(request.headers.get("host")):
        return PlainTextResponse(f"Enter the demo at http://localhost:{settings().port}.", status_code=421)
    address = request.client.host if request.client else ""
    if not form.demo and not attempts.allow(address, time.monotonic()):
        i18n.use(language)
        message = t("Too many attempts from here. Wait a minute and try again.")
        return await run_in_threadpool(_render, request, language, message=message, status_code=429)
    outcome = await run_in_threadpool(_log_in, form, language, cookie.token_of(request.cookies.get(cookie.name())))
    if outcome.token is None:
        i18n.use(language)
        message = _reason(outcome)
        return await run_in_threadpool(_render, request, language, message=message, status_code=401)
    response = RedirectResponse(guard.local_path(request.query_params.get("next")), status_code=303)
    cookie.put(response, outcome.token, secure=forms.secure(request))
    return response


def _log_in(form: Form, language: str, old_token: str | None) -> LoginOutcome:
    with transaction(system_actor(label=form.demo or form.name[:64].strip().lower()), purpose="login") as session:
        if form.demo:
            outcome = accounts.enter_demo(session, form.demo, locale=language, role_id=form.role_id)
        else:
            outcome = accounts.login(session, form.name, form.password, locale=language)
        if outcome.token is not None and old_token is not None:
            accounts.log_out(session, old_token)
    guard.forget_sessions()
    return outcome


def _reason(outcome: LoginOutcome) -> str:
    if outcome.failure is LoginFailure.DEMO_OFF:
        return t("Demo accounts work in demo mode only.")
    return t(
        "Name or password is not right, or the account is locked for some minutes after repeated failures.",
    )


async def leave(request: Request) -> Response:
    """End the session and drop the cookie."""
    token = cookie.token_of(request.cookies.get(cookie.name()))
    live = getattr(request.state, "session", None)
    worker = live.actor if live is not None and live.actor.role is Role.GRID_WORKER else None
    if token is not None:
        await run_in_threadpool(_log_out, token)
    if worker is not None:
        await run_in_threadpool(_forget_place, worker)
    response = RedirectResponse("/login", status_code=303)
    cookie.drop(response, secure=forms.secure(request))
    # What the field page keeps on his phone; it deletes his part itself where another worker's unsent acts wait there.
    if worker is not None and request.query_params.get("keep") != "queue":
        response.headers["clear-site-data"] = '"storage"'
    return response


def _forget_place(worker: Actor) -> None:
    if worker.worker_id is not None:
        with transaction(worker, purpose="logout") as session:
            field.drop_position(session, worker)


def _log_out(token: str) -> None:
    with transaction(system_actor(), purpose="logout") as session:
        accounts.log_out(session, token)
    guard.forget_sessions()


async def ask_to_leave(request: Request) -> Response:
    """Answer an address typed by hand with a page that has the button: an address alone logs nobody out."""
    if getattr(request.state, "session", None) is None:
        return RedirectResponse("/login", status_code=303)
    i18n.use(forms.language(request))
    page = forms.pages().get_template("logout.html").render(language=i18n.locale())
    return Response(page, media_type="text/html; charset=utf-8", headers={"content-security-policy": CONTENT_POLICY})


_islands: dict[int, tuple[float, bool]] = {}


def _island(territory_id: int) -> bool:
    kept = _islands.get(territory_id)
    if kept is None or kept[0] < time.monotonic():
        with transaction(system_actor()) as session:
            kept = (time.monotonic() + PICTURE_AGE_S, surrounded_by_water(session, territory_id))
        _islands[territory_id] = kept
    return kept[1]


_pictures: dict[tuple[int, bool], tuple[float, str, bytes]] = {}


async def picture(request: Request) -> Response:
    """Answer with the picture of a territory, drawn once in ten minutes."""
    try:
        territory_id = int(request.query_params.get("territory", ""))
    except ValueError:
        return PlainTextResponse("Which territory?", status_code=404)
    key = (territory_id, request.query_params.get("lang") == "zh")
    kept = _pictures.get(key)
    if kept is None or kept[0] < time.monotonic():
        drawn = await run_in_threadpool(_draw, *key)
        if drawn is None:
            return PlainTextResponse("There is no such territory.", status_code=404)
        kept = (time.monotonic() + PICTURE_AGE_S, f'"{hashlib.sha256(drawn).hexdigest()[:16]}"', drawn)
        _pictures[key] = kept
    headers = {"etag": kept[1], "cache-control": f"public, max-age={PICTURE_AGE_S}"}
    if request.headers.get("if-none-match") == kept[1]:
        return Response(status_code=304, headers=headers)
    return Response(kept[2], media_type="image/svg+xml", headers=headers)


def _draw(territory_id: int, chinese: bool) -> bytes | None:
    with transaction(system_actor()) as session:
        drawn = portrait(session, territory_id, chinese=chinese)
    return None if drawn is None else drawn.encode()


@lru_cache(maxsize=1)
def _style() -> str:
    tokens = "".join(f"--{name.replace('_', '-')}:{value};" for name, value in LIGHT.tokens().items())
    return f":root{{{tokens}}}\n" + (TEMPLATES / "login.css").read_text()


async def style(_request: Request) -> Response:
    """Answer with the style of the login page."""
    return Response(_style(), media_type="text/css", headers={"cache-control": "public, max-age=600"})


async def font(_request: Request) -> Response:
    """Answer with the sans that Streamlit bundles, so that the login page looks like the others."""
    found = assets.font_file()
    if found is None:
        return PlainTextResponse("The font is missing.", status_code=404)
    return FileResponse(found, media_type="font/woff2", headers={"cache-control": "public, max-age=86400"})


async def icon(_request: Request) -> Response:
    """Answer with the sign of the platform."""
    return FileResponse(TEMPLATES / "icon.svg", media_type="image/svg+xml", headers={"cache-control": "max-age=86400"})


routes = [
    Route("/login", show_login, methods=["GET"]),
    Route("/login", enter, methods=["POST"]),
    Route("/logout", ask_to_leave, methods=["GET"]),
    Route("/logout", leave, methods=["POST"]),
    Route("/login/picture.svg", picture),
    Route("/login/style.css", style),
    Route("/login/sans.woff2", font),
    Route("/login/icon.svg", icon),
]
