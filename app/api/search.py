"""What the search of every page finds: places, grids, roads, incidents by number, workers, units, studies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app import i18n, study_words, worker_words
from app.api.tiles import actor_of
from app.i18n import t
from app.where import territory_of
from core.clock import now
from core.errors import InvalidInput
from core.identity import Actor, May, require
from geodata.coordinates import read_coordinates
from geodata.db import transaction
from geodata.territory import TerritoryInfo, boundary_of
from incidents import service as incidents
from incidents.numbers import make_number, prefix_of
from layers.search import EACH_AT_MOST, Hit, find_places
from people import staff
from people.worker_model import StaffFilter
from planning import service as planning

LONGEST = 60
YEARS_BACK = 4
"""A bare number of an incident is looked for in this year and so many before."""
_BARE = re.compile(r"(?:(?P<year>20\d\d)[-\s/]+)?0*(?P<sequence>[1-9]\d{0,6})")
Found = dict[str, str]


async def serve_search(request: Request) -> Response:
    """Serve what is found as JSON, the likeliest kinds first; never kept by a browser."""
    actor = actor_of(request)
    require(actor, May.SEE_MAP)
    unknown = sorted(set(request.query_params) - {"q"})
    if unknown:
        raise InvalidInput(f"{unknown[0]!r} is not understood.", hint="Ask as /api/search?q=…")
    typed = " ".join(request.query_params.get("q", "").split())
    if len(typed) > LONGEST:
        raise InvalidInput(f"No name and no number has more than {LONGEST} signs.", hint="Type a part of it.")
    return JSONResponse(await run_in_threadpool(_answer, actor, typed), headers={"Cache-Control": "no-store"})


def _answer(actor: Actor, typed: str) -> list[Found]:
    i18n.use(actor.locale)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        return list(found_things(session, actor, territory, typed))


def found_things(session: Session, actor: Actor, territory: TerritoryInfo, typed: str) -> Iterator[Found]:
    """Yield what a text finds within the actor's reach: ``kind``, ``title``, ``note`` and ``href``."""
    yield from _coordinates(session, territory, typed)
    if actor.may(May.SEE_INCIDENTS):
        yield from _incidents(session, actor, territory, typed)
    for hit in find_places(session, territory.id, typed):
        if hit.kind != "unit" or actor.may(May.SEE_PEOPLE):
            yield _place(hit)
    if len(typed) > 1:
        yield from _workers(session, actor, territory, typed)
        yield from _studies(session, actor, territory, typed)


def _thing(kind: str, title: str, note: str, href: str) -> Found:
    return {"kind": kind, "title": title, "note": note, "href": href}


def _coordinates(session: Session, territory: TerritoryInfo, typed: str) -> Iterator[Found]:
    if not re.search(r"\d\D+\d", typed):
        return
    boundary = boundary_of(session, territory.id)
    places = read_coordinates(typed, boundary.bounds)
    for place in places:
        # without a named datum only what lies here is worth offering in the other two
        if len(places) == 1 or place is places[0] or _inside(boundary.bounds, place.lon, place.lat):
            yield _thing(
                t("Coordinates"),
                f"{place.lat:.5f}, {place.lon:.5f}",
                t("read as {datum}", datum=str(place.datum)),
                _on_map(place.lon, place.lat),
            )


def _inside(bounds: tuple[float, float, float, float], lon: float, lat: float) -> bool:
    return bounds[0] <= lon <= bounds[2] and bounds[1] <= lat <= bounds[3]


def _incidents(session: Session, actor: Actor, territory: TerritoryInfo, typed: str) -> Iterator[Found]:
    for number in _numbers(territory, typed):
        try:
            incident_id = incidents.find_incident(session, actor, number)
        except InvalidInput:  # no number, or one mistyped: the page of incidents says so when it is sent there
            return
        if incident_id is not None:
            yield _thing(t("Incident"), number, "", f"/incidents?incident={incident_id}")


def _numbers(territory: TerritoryInfo, typed: str) -> list[str]:
    bare = _BARE.fullmatch(typed)
    if bare is None:
        return [re.sub(r"\s+", "", typed).upper()] if typed.count("-") == 3 else []
    this_year = now().astimezone(territory.zone).year
    years = [int(bare["year"])] if bare["year"] else range(this_year, this_year - YEARS_BACK, -1)
    return [make_number(prefix_of(territory.name), year, int(bare["sequence"])) for year in years]


def _place(hit: Hit) -> Found:
    near = i18n.either(hit.near, hit.near_zh)
    name = i18n.either(hit.name, hit.name_zh)
    if hit.kind == "unit":
        return _thing(t("Unit"), name, hit.detail, f"/units?unit={hit.id}")
    if hit.kind == "grid":
        ended = t("no longer in force") if hit.detail else ""
        return _thing(t("Grid"), name, ended or near, f"/grid-file?grid={hit.id}")
    kinds = {"road": t("Road"), "facility": study_words.facility(hit.detail), "settlement": t("Town or village")}
    levels = {"community": t("Community"), "street": t("Street office"), "district": t("District")}
    layers = "&layers=grids,facilities" if hit.kind == "facility" else ""
    kind = kinds.get(hit.kind) or levels.get(hit.detail, t("Community"))
    return _thing(kind, name, near, _on_map(hit.lon or 0.0, hit.lat or 0.0) + layers)


def _on_map(lon: float, lat: float) -> str:
    return f"/map?place={lon:.6f},{lat:.6f}"


def _workers(session: Session, actor: Actor, territory: TerritoryInfo, typed: str) -> Iterator[Found]:
    if not actor.may(May.SEE_PEOPLE):
        return
    today = now().astimezone(territory.zone).date()
    rows = staff.list_staff(session, actor, territory.id, today=today, wanted=StaffFilter(text=typed))
    for row in rows[:EACH_AT_MOST]:
        unit = i18n.either(row.unit_name, row.unit_name_zh)
        yield _thing(t("Worker"), row.name or row.code, f"{row.code} · {unit}", worker_words.address(row.code))


def _studies(session: Session, actor: Actor, territory: TerritoryInfo, typed: str) -> Iterator[Found]:
    if not actor.may(May.SEE_STUDIES):
        return
    part = typed.casefold()
    named = ((study, study_words.title(study)) for study, _ in planning.list_studies(session, actor, territory))
    fitting = [(study, title) for study, title in named if part in title.casefold() or typed == f"#{study.id}"]
    for study, title in fitting[:EACH_AT_MOST]:
        yield _thing(t("Study"), title, f"#{study.id}", f"/study?study={study.id}")


routes = [Route("/api/search", serve_search)]
