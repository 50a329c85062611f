"""Ways in for somebody who has no password yet: the first administrator, an invitation, a new password."""

from __future__ import annotations

import time
import zoneinfo
from functools import lru_cache
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from streamlit import config as streamlit_config

from app import cookie, guard, i18n, peers
from app.api import forms, login
from app.i18n import t
from core.errors import Conflict, GridkeeperError, InvalidInput, NotFound
from core.identity import system_actor
from geodata.db import transaction
from geodata.territory import list_territories
from people import access
from people.access import First, Invited
from people.credentials import MIN_PASSWORD_LENGTH

AFTER_FIRST = "/set-up"
LONGEST_CODE = 100
LONGEST_TITLE = 80
LOCAL_TIME = Path("/etc/localtime")


def link(path: str, code: str, *, base: str = "") -> str:
    """Return the address of a page with its code; without a base that of this machine."""
    if not base:
        scheme = "https" if streamlit_config.get_option("server.sslCertFile") else "http"
        base = f"{scheme}://localhost:{streamlit_config.get_option('server.port')}"
    return f"{base.rstrip('/')}{path}?code={code}"


def offer_first() -> str | None:
    """Return the address at which the first administrator makes an account; None when there is one."""
    with transaction(system_actor(label="start"), purpose="first administrator") as session:
        ticket = access.ticket_for_first(session, system_actor(label="start"))
    return None if ticket is None else link("/first", ticket.code)


def _code(request: Request, fields: dict[str, str] | None = None) -> str:
    given = (fields or {}).get("code") or request.query_params.get("code", "")
    return given.strip()[:LONGEST_CODE]


def _too_many(request: Request) -> bool:
    address = request.client.host if request.client else ""
    return not login.attempts.allow(address, time.monotonic())


def _words(error: GridkeeperError, language: str) -> str:
    if language == "zh" and error.zh:
        return error.zh
    return " ".join(t(part) for part in (error.message, error.hint) if part)


def _check_same(fields: dict[str, str]) -> None:
    if fields.get("password", "") != fields.get("again", ""):
        raise InvalidInput("The two passwords are not the same.", zh="两次输入的密码不一致。")


def _check_zone(name: str) -> None:
    if name not in _zones():
        raise InvalidInput("Choose a time zone from the list.", zh="请从列表中选择时区。")


def _page(request: Request, template: str, language: str, *, status_code: int = 200, **values: object) -> Response:
    i18n.use(language)
    body = forms.pages().get_template(template).render(language=language, least=MIN_PASSWORD_LENGTH, **values)
    return forms.answer(request, body, chosen=language, status_code=status_code)


# --- the first administrator


async def show_first(request: Request) -> Response:
    """Answer with the form of the first administrator, or say why not."""
    return await run_in_threadpool(_show_first, request)


def _show_first(request: Request) -> Response:
    language, code = forms.language(request), _code(request)
    with transaction(system_actor()) as session:
        needed = access.lacks_administrator(session)
        opens = access.first_code_opens(session, code)
        city = next((each.title(language) for each in list_territories(session)), "")
    here = peers.is_this_machine(request.scope) and guard.own_host(request.headers.get("host"))
    state = "ready" if not needed else "elsewhere" if not here else "ask" if opens else "no code"
    return _first_page(request, language, state=state, code=code if opens else "", city=city)


def _first_page(
    request: Request,
    language: str,
    *,
    state: str,
    code: str = "",
    city: str = "",
    given: dict[str, str] | None = None,
    message: str = "",
    status_code: int | None = None,
) -> Response:
    i18n.use(language)
    return _page(
        request,
        "first.html",
        language,
        status_code=status_code or (200 if state == "ask" else 404),
        state=state,
        code=code,
        city=city,
        given={"timezone": _zone_here(language), "login": "", "city": "", "city_other": "", **(given or {})},
        zones=_zones(),
        message=message,
        port=streamlit_config.get_option("server.port"),
    )


@lru_cache(maxsize=1)
def _zones() -> tuple[str, ...]:
    known = zoneinfo.available_timezones()
    return (*sorted(name for name in known if "/" in name and not name.startswith(("Etc/", "SystemV/"))), "UTC")


def _zone_here(language: str) -> str:
    """Return the time zone of this machine, where it says one; else that of Beijing time for a Chinese reader."""
    name = str(LOCAL_TIME.resolve()).partition("zoneinfo/")[2].removeprefix("posix/")
    if name in _zones() and name != "UTC":
        return name
    return "Asia/Shanghai" if language == "zh" else "UTC"


async def enter_first(request: Request) -> Response:
    """Make the first administrator and let him in."""
    language, fields = forms.language(request), await forms.fields(request)
    if fields is None:
        return PlainTextResponse("This is not a form of ours.", status_code=400)
    i18n.use(language)
    if not (peers.is_this_machine(request.scope) and guard.own_host(request.headers.get("host"))):
        return _first_page(request, language, state="elsewhere", status_code=403)
    if _too_many(request):
        words = t("Too many attempts from here. Wait a minute and try again.")
        return _first_page(request, language, state="no code", message=words, status_code=429)
    return await run_in_threadpool(_make_first, request, language, fields)


def _make_first(request: Request, language: str, fields: dict[str, str]) -> Response:
    i18n.use(language)
    code = _code(request, fields)
    name, other = fields.get("city", "")[:LONGEST_TITLE], fields.get("city_other", "")[:LONGEST_TITLE]
    first = First(
        city=(other.strip() or name) if language == "zh" else name,
        city_zh=name if language == "zh" else other,
        timezone=fields.get("timezone", ""),
        login=fields.get("name", ""),
        password=fields.get("password", ""),
    )
    try:
        _check_zone(first.timezone)
        _check_same(fields)
        with transaction(system_actor(label="first administrator")) as session:
            token = access.set_up_first(session, code, first, locale=language)
    except NotFound:
        return _first_page(request, language, state="no code", status_code=404)
    except (InvalidInput, Conflict) as error:
        with transaction(system_actor()) as session:
            city = next((each.title(language) for each in list_territories(session)), "")
        given = {
            "city": name,
            "city_other": other,
            "timezone": first.timezone,
            "login": first.login[:64],
        }
        return _first_page(
            request,
            language,
            state="ask",
            code=code,
            city=city,
            given=given,
            message=_words(error, language),
            status_code=422,
        )
    response = RedirectResponse(AFTER_FIRST, status_code=303)
    cookie.put(response, token, secure=forms.secure(request))
    return response


# --- invitations and new passwords


async def show_invitation(request: Request) -> Response:
    """Answer with the page on which the invited person sets the password."""
    language = forms.language(request)
    if _too_many(request):
        i18n.use(language)
        words = t("Too many attempts from here. Wait a minute and try again.")
        return _page(request, "invitation.html", language, status_code=429, invited=None, code="", message=words)
    return await run_in_threadpool(_show_invitation, request, language, _code(request))


def _show_invitation(request: Request, language: str, code: str, message: str = "") -> Response:
    found = _invited(code)
    status = 404 if found is None else 422 if message else 200
    return _page(
        request,
        "invitation.html",
        language,
        status_code=status,
        invited=found,
        title="" if found is None else (found.title_zh if language == "zh" else found.title_en),
        code=code if found is not None else "",
        message=message,
    )


def _invited(code: str) -> Invited | None:
    with transaction(system_actor()) as session:
        return access.invited(session, code)


async def redeem(request: Request) -> Response:
    """Set the password, end the older sessions and let the person in."""
    language, fields = forms.language(request), await forms.fields(request)
    if fields is None:
        return PlainTextResponse("This is not a form of ours.", status_code=400)
    i18n.use(language)
    if _too_many(request):
        words = t("Too many attempts from here. Wait a minute and try again.")
        return _page(request, "invitation.html", language, status_code=429, invited=None, code="", message=words)
    return await run_in_threadpool(_redeem, request, language, fields)


def _redeem(request: Request, language: str, fields: dict[str, str]) -> Response:
    i18n.use(language)
    code = _code(request, fields)
    try:
        _check_same(fields)
        with transaction(system_actor(label="invitation")) as session:
            token = access.redeem(session, code, fields.get("password", ""), locale=language)
    except (NotFound, InvalidInput) as error:
        return _show_invitation(request, language, code, _words(error, language))
    guard.forget_sessions()
    if token is None:
        return RedirectResponse("/login", status_code=303)
    response = RedirectResponse("/", status_code=303)
    cookie.put(response, token, secure=forms.secure(request))
    return response


routes = [
    Route("/first", show_first, methods=["GET"]),
    Route("/first", enter_first, methods=["POST"]),
    Route("/invitation", show_invitation, methods=["GET"]),
    Route("/invitation", redeem, methods=["POST"]),
]
