"""Use cases of the field page: the day of one grid worker, what he does, what he reports, where he is on shift."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from dispatch import execution_acts as progress
from dispatch import field_store as store
from dispatch.closures import network_now
from dispatch.field_model import POSITION_AGE, Box, FieldState, PhoneAct, Shift, Way, framed
from geodata.crs import project
from geodata.persons import unseal_many
from geodata.territory import TerritoryInfo
from incidents import service as incidents
from incidents.evidence_model import Prepared
from incidents.service import evidence
from incidents.service.commands import once
from incidents.work import Done, NewReport
from people.service import workers_with_shifts

MOVES = ("accept", "start", "finish", "return", "verify", "check", "self_handle")
PARTS = ("accept_part", "finish_part", "return_part")
PROGRESS = ("on_way", "arrive", "expect_done", "hand_over")
SHIFTS_BELIEVED_S = 60.0
ALONG_M = 12.0
"""A street that runs so near to the way is the way's."""
WIDE = frozenset({"motorway", "trunk", "primary", "secondary", "tertiary"})
STREETS = frozenset({"residential", "unclassified", "living_street", "pedestrian"})
WIDE_ONLY_DEG, STREETS_ONLY_DEG = 0.06, 0.012
"""Height of a map (degrees of latitude) from which on it shows no small streets, no yards and paths."""
LONGEST_SHIFT = dt.timedelta(hours=16)

Points = tuple[tuple[float, float], ...]
Shapes = NDArray[np.object_]

_shifts: dict[tuple[str, int], tuple[float, dict[int, Shift]]] = {}


def worker_of(actor: Actor) -> int:
    """Return the worker who acts; refuse everybody else in words."""
    require(actor, May.SEE_INCIDENTS)
    if actor.role is not Role.GRID_WORKER or actor.worker_id is None or actor.territory_id is None:
        raise NotPermitted(
            "The field page is for grid workers.",
            hint="Your own work stands on Today.",
            zh="外勤页面仅供网格员使用，您的工作请见“今日”页面。",
        )
    return actor.worker_id


def field_state(
    session: Session, actor: Actor, territory: TerritoryInfo, moment: dt.datetime | None = None
) -> FieldState:
    """Return the day of the worker who acts: his live tasks, the next one first, what he is told, his shift."""
    worker_id = worker_of(actor)
    at = moment or clock_now()
    shift = shift_of(session, territory, worker_id, at)
    rows = store.tasks(session, territory.id, worker_id)
    sealed = [row for row in rows if row[1] and row[2]]
    plain = unseal_many(session, [row[1] or "" for row in sealed], [row[2] for row in sealed]) if sealed else []
    notes = {row[0].id: text for row, text in zip(sealed, plain, strict=True)}
    tasks = sorted((replace(row[0], note=notes.get(row[0].id)) for row in rows), key=lambda task: task.order)
    return FieldState(
        shift,
        tuple(tasks),
        tuple(store.notices(session, territory.id, worker_id)),
    )


def shift_of(session: Session, territory: TerritoryInfo, worker_id: int, moment: dt.datetime) -> Shift:
    """Return the shift of a worker at a moment; the roster of a territory is believed for a minute."""
    key = (session.get_bind().engine.url.render_as_string(hide_password=True), territory.id)
    kept = _shifts.get(key)
    if kept is None or kept[0] < time.monotonic():
        known = workers_with_shifts(session, territory.id, at=moment, timezone=territory.timezone)
        by_worker = {each.id: Shift(each.code, each.shift_start, each.shift_end, each.away) for each in known}
        kept = _shifts[key] = (time.monotonic() + SHIFTS_BELIEVED_S, by_worker)
    if worker_id not in kept[1]:
        raise NotFound("You do not work here any more.", hint="Ask your grid manager.", zh="您已不在岗，请联系网格长。")
    return kept[1][worker_id]


def forget_shifts() -> None:
    """Read the roster anew at the next question."""
    _shifts.clear()


def apply(session: Session, actor: Actor, act: PhoneAct) -> Done | None:
    """Do one act of a phone, once; None for what leaves no incident behind.

    Raises
    ------
    NotPermitted, Conflict, NotFound, InvalidInput
        When it cannot be done; nothing of it is kept then.
    """
    worker_id = worker_of(actor)
    if act.act in {*MOVES, *PARTS, *PROGRESS}:
        incident_id = _incident(act)
        floor = store.earliest(session, incident_id, worker_id, act.at)
        act = act if floor is None or floor <= act.at else replace(act, at=floor)
    known = ACTS.get(act.act)
    if known is None:
        raise InvalidInput(
            f"The field page knows no act {act.act[:40]!r}.", hint="Load the page again.", zh="没有该操作，请刷新页面。"
        )
    try:
        return known(session, actor, act)
    except NotFound as error:
        if act.incident is None:
            raise
        raise progress.not_yours() from error  # what the phone showed him was his


def _move(session: Session, actor: Actor, act: PhoneAct) -> Done:
    return incidents.move(
        session,
        actor,
        _incident(act),
        act.act,
        version=act.version,
        command_id=act.id,
        reason=act.text("reason", 40),
        moment=act.at,
    )


def _accept_part(session: Session, actor: Actor, act: PhoneAct) -> Done:
    return progress.accept_part(session, actor, _incident(act), command_id=act.id, moment=act.at)


def _part(session: Session, actor: Actor, act: PhoneAct) -> Done:
    """End the part of who comes along; what who leads did meanwhile to the incident does not stand against it."""
    return _move(session, actor, replace(act, version=None))


def _on_way(session: Session, actor: Actor, act: PhoneAct) -> Done:
    return progress.on_way(session, actor, _incident(act), command_id=act.id, moment=act.at)


def _arrive(session: Session, actor: Actor, act: PhoneAct) -> Done:
    return progress.arrive(session, actor, _incident(act), command_id=act.id, moment=act.at)


def _expect_done(session: Session, actor: Actor, act: PhoneAct) -> Done:
    minutes = round(act.number("minutes"))
    return progress.expect_done(session, actor, _incident(act), minutes, command_id=act.id, moment=act.at)


def _hand_over(session: Session, actor: Actor, act: PhoneAct) -> Done:
    return progress.hand_over(
        session,
        actor,
        _incident(act),
        reason=act.text("reason", 40),
        version=act.version,
        command_id=act.id,
        moment=act.at,
    )


def _incident(act: PhoneAct) -> int:
    if act.incident is None:
        raise InvalidInput(
            "This act names no incident.", hint="Load the page again.", zh="该操作未指明案件，请刷新页面。"
        )
    return act.incident


def _report(session: Session, actor: Actor, act: PhoneAct) -> Done:
    new = NewReport(
        class_key=act.text("class", 40),
        lon=act.number("lon"),
        lat=act.number("lat"),
        place=act.text("place", 200),
        text=act.text("text"),
        source="patrol",
        reported_at=act.said,
    )
    return incidents.report(session, actor, new, command_id=act.id)


def _note(session: Session, actor: Actor, act: PhoneAct) -> Done:
    incident_id, text = _incident(act), act.text("text")

    def add() -> Done:
        evidence.add_note(session, actor, incident_id, text)
        return _as_it_is(session, actor, incident_id)

    return once(session, actor, act.id, act="note", asked={"incident": incident_id, "text": text}, apply=add)


def _put_away(session: Session, actor: Actor, act: PhoneAct) -> None:
    store.put_away(session, worker_of(actor), int(act.number("upto")), act.at)


ACTS: Mapping[str, Callable[[Session, Actor, PhoneAct], Done | None]] = {
    **dict.fromkeys(MOVES, _move),
    "accept_part": _accept_part,
    **dict.fromkeys(("finish_part", "return_part"), _part),
    "on_way": _on_way,
    "arrive": _arrive,
    "expect_done": _expect_done,
    "hand_over": _hand_over,
    "report": _report,
    "note": _note,
    "read": _put_away,
}


def add_photo(
    session: Session, actor: Actor, incident_id: int, kind: str, prepared: Prepared, *, command_id: str
) -> Done:
    """Keep a photo once, however often the phone sends it; raises as `apply` does."""
    worker_of(actor)

    def add() -> Done:
        evidence.add_photo(session, actor, incident_id, kind, prepared)
        return _as_it_is(session, actor, incident_id)

    asked = {"incident": incident_id, "kind": kind, "sha256": prepared.photo.sha256}
    try:
        return once(session, actor, command_id, act="photo", asked=asked, apply=add)
    except NotFound as error:
        raise progress.not_yours() from error


def _as_it_is(session: Session, actor: Actor, incident_id: int) -> Done:
    found = store.incident(session, actor.territory_id or 0, incident_id)
    if found is None:
        raise NotFound("There is no such incident, or it lies outside your reach.", zh="没有该案件，或不在您的范围内。")
    return Done(incident_id, found[0], found[1], found[2])


def say_position(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    place: tuple[float, float],
    *,
    accuracy_m: float | None = None,
    moment: dt.datetime | None = None,
) -> bool:
    """Overwrite where the worker is; off shift what was known is deleted instead. Return whether it was taken.

    Raises
    ------
    InvalidInput
        For coordinates that lie outside the territory.
    """
    worker_id, at = worker_of(actor), moment or clock_now()
    if not shift_of(session, territory, worker_id, at).covers(at):
        store.drop_position(session, worker_id)  # to raise would undo it
        return False
    (lon, lat), (west, south, east, north) = place, territory.bounds
    if not (west - 1 <= lon <= east + 1 and south - 1 <= lat <= north + 1):
        raise InvalidInput(
            f"The position {lon:.5f}, {lat:.5f} lies far outside {territory.title_en}.",
            hint="Switch the position of the phone off and on again.",
            zh=f"位置（{lon:.5f}, {lat:.5f}）远离{territory.title_zh}，请重新打开手机定位。",
        )
    known = accuracy_m if accuracy_m is not None and 0 <= accuracy_m < 1e6 else None
    return store.put_position(session, territory.id, worker_id, at, place, accuracy_m=known)


def check_photo(session: Session, actor: Actor, incident_id: int, command_id: str) -> None:
    """Refuse a photo before it is worked on, where the answer does not hang on what it shows.

    Raises
    ------
    NotFound
        When the incident is out of reach.
    Conflict
        When it has as many photos as it may have, and the command is new.
    """
    worker_of(actor)
    _as_it_is(session, actor, incident_id)
    evidence.check_room(session, actor, incident_id, command_id)


def drop_position(session: Session, actor: Actor) -> bool:
    """Delete where the worker was; return whether anything was known."""
    return store.drop_position(session, worker_of(actor)) > 0


def forget_positions(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete the positions that were said before a moment; return how many."""
    require(actor, May.KEEP_RUNNING)
    return store.drop_positions(session, before)


def way_to(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    incident_id: int,
    *,
    language: str = "en",
    moment: dt.datetime | None = None,
) -> Way:
    """Return the way on streets to an incident: from where the worker is known to be, else from his last task."""
    worker_id, at = worker_of(actor), moment or clock_now()
    found = store.incident(session, territory.id, incident_id)
    if found is None:
        raise NotFound("There is no such incident, or it lies outside your reach.", zh="没有该案件，或不在您的范围内。")
    goal = (found[3], found[4])
    start = store.position(session, worker_id, at - POSITION_AGE) or store.last_place(
        session, worker_id, at - LONGEST_SHIFT
    )
    line, seconds, length_m = _line(session, territory, start, goal, at)
    box = framed(line or (goal,))
    rows, shapes, roads = _roads(session, territory, box)
    names = [(row[1] if language == "zh" else None) or row[0] or "" for row in rows]
    streets = _streets(territory, line, names, shapes) if line else ()
    return Way(goal, box, line, streets, seconds, length_m, roads)


def around(session: Session, actor: Actor, territory: TerritoryInfo) -> Way:
    """Return the streets of the own grid, to choose a place on; of the own communities without one."""
    box = store.home(session, worker_of(actor), actor.area_ids)
    if box is None:
        raise NotFound("You have no grid of your own.", hint="Choose the place by the phone.", zh="您尚无责任网格。")
    box = framed([box[:2], box[2:]], margin=0.0)
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    return Way(middle, box, (), (), None, None, _roads(session, territory, box)[2])


def _roads(
    session: Session, territory: TerritoryInfo, box: Box
) -> tuple[list[tuple[str | None, str | None, str, bytes]], Shapes, tuple[tuple[bool, Points], ...]]:
    """Return the roads in a box with their shapes, and their parts inside it as they are drawn: wide ones first."""
    high = box[3] - box[1]
    shown = WIDE if high > WIDE_ONLY_DEG else WIDE | STREETS if high > STREETS_ONLY_DEG else None
    rows = store.roads_in(session, territory.id, box, shown)
    shapes = shapely.from_wkb(np.array([row[3] for row in rows], dtype=object))
    order = sorted(range(len(rows)), key=lambda at: rows[at][2] not in WIDE)
    inside = shapely.clip_by_rect(shapes, *box) if rows else shapes
    parts = tuple(
        (rows[at][2] in WIDE, _points(part))
        for at in order
        for part in shapely.get_parts(inside[at])
        if part.geom_type == "LineString"
    )
    return rows, shapes, parts


def _line(
    session: Session,
    territory: TerritoryInfo,
    start: tuple[float, float] | None,
    goal: tuple[float, float],
    at: dt.datetime,
) -> tuple[tuple[tuple[float, float], ...], float | None, float | None]:
    if start is None:
        return (), None, None
    route = network_now(session, territory, "drive", at).routes(np.array([start]), np.array([goal]))[0]
    if route is None:
        return (), None, None
    return (start, *_points(route.line), goal), route.seconds, route.length_m


def _points(line: shapely.LineString) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(x), 6), round(float(y), 6)) for x, y in shapely.get_coordinates(line))


def _streets(
    territory: TerritoryInfo, line: tuple[tuple[float, float], ...], names: list[str], shapes: Shapes
) -> tuple[str, ...]:
    """Return the names of the streets that a way runs along, in its order; those it only crosses are left out."""
    metric = project(np.array([shapely.LineString(line), *shapes], dtype=object), territory.metric_srid)
    way, roads = metric[0], metric[1:]
    near = shapely.buffer(way, ALONG_M)
    first: dict[str, tuple[float, float]] = {}
    for name, part in zip(names, shapely.intersection(roads, near), strict=True):
        if not name or part.is_empty:
            continue
        at = float(shapely.line_locate_point(way, shapely.centroid(part)))
        before = first.get(name, (at, 0.0))
        first[name] = (min(at, before[0]), before[1] + float(part.length))
    along = sorted((at, name) for name, (at, length) in first.items() if length > 3 * ALONG_M)
    return tuple(name for _, name in along)
