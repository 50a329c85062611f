"""Use cases of the desk: what a report would become, and taking it in."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
from geoalchemy2.shape import from_shape
from shapely import Point
from sqlalchemy.orm import Session

from core.clock import aware, now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, Role, require
from core.words import one_line
from geodata.persons import phone_hash, seal_columns
from geodata.territory import TerritoryInfo, list_territories
from grids.service import locate_one
from incidents.classes import find_class
from incidents.emergencies import calls
from incidents.lifecycle import first_status
from incidents.lifecycle_guards import PUBLIC_SOURCES
from incidents.model import Catalogue, ClassInfo
from incidents.service.catalogue import read_catalogue, take_numbers
from incidents.service.commands import once
from incidents.service.components import check_component
from incidents.service.duplicates import root_of
from incidents.service.emergencies import check_answers, hand_over, rules_of
from incidents.service.looks import find_looker
from incidents.service.responsible import check_unit
from incidents.store import emergencies as emergency_store
from incidents.store import reporting, side
from incidents.work import Done, NewReport, Preview

SOURCES = ("hotline", "patrol", "app", "web", "media", "superior")
TEXT_MOST = 4000
PLACE_MOST = 200
PHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{3,24}")
UNKEPT = re.compile("[\x00\ud800-\udfff]")
"""Signs that no database keeps: NUL and halves of pairs."""
OF_ITS_OWN = ("limit_id", "due_from", "warn_half_at", "warn_most_at")
"""What a duplicate has not: the clock of the first report counts; its own deadline the database lays aside."""
AHEAD_MOST = dt.timedelta(minutes=5)


def preview(
    session: Session, actor: Actor, class_key: str, lon: float, lat: float, *, moment: dt.datetime | None = None
) -> Preview:
    """Return the grid, the community, the deadline and the responsible unit a report would get.

    Raises
    ------
    InvalidInput
        When the point lies in no unit grid, or outside the actor's communities.
    NotFound
        When there is no such class.
    """
    require(actor, May.REPORT_INCIDENTS)
    territory = _territory(session, actor)
    at = now() if moment is None else aware(moment)
    grid_id, community_id = _place(session, actor, territory, lon, lat)
    catalogue = read_catalogue(session, territory)
    chosen = _class(catalogue.classes, class_key)
    code, name, name_zh = reporting.place_names(session, grid_id, community_id)
    found = reporting.owner(session, territory.id, chosen.id, community_id)
    unit, basis, whole = found or (None, "", False)
    return Preview(
        grid_id, code, community_id, name, name_zh, catalogue.due_at(chosen.id, at), unit, basis, whole_territory=whole
    )


def report(
    session: Session, actor: Actor, new: NewReport, *, command_id: str, moment: dt.datetime | None = None
) -> Done:
    """Take a report in and return its number; it has its grid, community, unit, deadline and record.

    A supervisor's or grid worker's own report is filed at once; what a dispatcher or grid manager takes down
    waits for a supervisor to file it. When the public said it, it waits whoever takes it down, and the worker of
    the grid verifies it on site first, unless it is an emergency. The same command again answers as it did first.

    Raises
    ------
    InvalidInput
        When a field cannot be used, the point lies outside, or the command id was used otherwise.
    NotFound
        When there is no such class or unit.
    """
    require(actor, May.REPORT_INCIDENTS)
    at = now() if moment is None else aware(moment)
    _check(new, at)
    return once(
        session,
        actor,
        command_id,
        act="report",
        asked=asdict(new),
        apply=lambda: take_in(session, actor, new, at),
    )


def take_in(
    session: Session, actor: Actor, new: NewReport, at: dt.datetime, *, catalogue: Catalogue | None = None
) -> Done:
    """Write a report that was checked, with its number, its hand-overs and what names people; for other services."""
    territory = _territory(session, actor)
    grid_id, community_id = _place(session, actor, territory, new.lon, new.lat)
    catalogue = catalogue or read_catalogue(session, territory)
    chosen = _class(catalogue.classes, new.class_key)
    reported_at = aware(new.reported_at) if new.reported_at else at
    if new.component_id is not None:
        check_component(session, territory.id, new.component_id, chosen.id)
    root = None if new.duplicate_of is None else root_of(session, territory.id, new.duplicate_of)
    called = calls(rules_of(session, territory), new.text, chosen.key, emergency_class=chosen.emergency)
    dismissed = {each.service for each in new.handed_over if each.called_at is None}
    emergency = chosen.emergency or any(each.service not in dismissed for each in called)
    if root is not None:
        covered = emergency_store.covered(session, root.id)
        called = tuple(each for each in called if each.service not in covered)
    status = first_status(actor, public=new.source in PUBLIC_SOURCES and not emergency and root is None)
    filed_at = at if status == "filed" else None
    begins = filed_at or reported_at
    due_at = catalogue.due_at(chosen.id, begins)
    half, most = catalogue.warnings(chosen.id, begins, due_at)
    years = np.array([reported_at.astimezone(territory.zone).year])
    incident = reporting.add(
        session,
        {
            "territory_id": territory.id,
            "number": take_numbers(session, territory, years)[0],
            "source": new.source,
            "class_id": chosen.id,
            "class_version": chosen.version,
            "limit_id": catalogue.limit_id(chosen.id),
            "category": chosen.category,
            "status": status,
            "priority": chosen.priority,
            "emergency": emergency,
            "reported_at": reported_at,
            "filed_at": filed_at,
            "due_at": due_at,
            "due_from": begins,
            "warn_half_at": half,
            "warn_most_at": most,
            "place": one_line(new.place),
            "grid_id": grid_id,
            "community_id": community_id,
            "component_id": new.component_id,
            "unit_id": _unit(session, territory, new, chosen, community_id),
            "geom": from_shape(Point(new.lon, new.lat), 4326),
            "version": 1,
            "source_system": new.source_system,
            "external_ref": new.external_ref,
        }
        | ({} if root is None else dict.fromkeys(OF_ITS_OWN) | {"duplicate_of": root.id}),
    )
    if root is not None:
        session.refresh(incident)  # the database lets it follow
    hand_over(session, incident, called, new.handed_over, at)
    _seal(session, territory, incident.id, new)
    if status == "reported" and root is None and new.source in PUBLIC_SOURCES and not incident.emergency:
        # The public's report is looked at on site before a supervisor files it, where a worker has that grid.
        found = find_looker(session, actor, territory.id, grid_id, at)
        if found.worker_id is not None:
            side.add_look(session, incident, "verify", found.worker_id, at)
    return Done(incident.id, incident.number, incident.status, incident.version)


def _seal(session: Session, territory: TerritoryInfo, incident_id: int, new: NewReport) -> None:
    note, reporter, phone = (text.strip() or None for text in (new.text, new.reporter, new.phone))
    if not (note or reporter or phone):
        return
    subjects, (notes, reporters, phones) = seal_columns(session, [note], [reporter], [phone])
    reporting.add_personal(
        session,
        {
            "incident_id": incident_id,
            "territory_id": territory.id,
            "subject_id": subjects[0],
            "note_cipher": notes[0],
            "reporter_cipher": reporters[0],
            "phone_cipher": phones[0],
            "phone_hash": phone_hash(phone) if phone else None,
        },
    )


def _unit(
    session: Session, territory: TerritoryInfo, new: NewReport, chosen: ClassInfo, community_id: int
) -> int | None:
    if new.unit_id is not None:
        return check_unit(session, territory.id, new.unit_id)
    found = reporting.owner(session, territory.id, chosen.id, community_id)
    return None if found is None else found[0].id


def _check(new: NewReport, at: dt.datetime) -> None:
    if any(UNKEPT.search(text) for text in (new.place, new.text, new.reporter, new.phone)):
        raise InvalidInput(
            "A field holds a sign that cannot be kept.", hint="Type it anew.", zh="有无法保存的字符，请重新输入。"
        )
    check_answers(new.handed_over, at)
    if new.source not in SOURCES:
        raise InvalidInput(f"There is no source {new.source!r}.", hint=f"Sources are: {', '.join(SOURCES)}.")
    if len(new.text) > TEXT_MOST:
        raise InvalidInput(
            f"The text has {len(new.text):,} characters, more than {TEXT_MOST:,}.",
            hint="Shorten it.",
            zh=f"描述共 {len(new.text):,} 字，超过 {TEXT_MOST:,} 字，请缩短。",
        )
    if len(new.place) > PLACE_MOST or len(new.reporter) > PLACE_MOST:
        raise InvalidInput(f"A place or a name is longer than {PLACE_MOST} characters.", zh="地点或姓名过长。")
    if new.phone.strip() and not PHONE.fullmatch(new.phone.strip()):
        raise InvalidInput(
            "The phone number cannot be one.",
            hint="Give digits, with + in front for another country, or leave it empty.",
            zh="电话号码格式不对，请只填数字（国外号码前加 +），或留空。",
        )
    if new.reported_at is not None and aware(new.reported_at) > at + AHEAD_MOST:
        raise InvalidInput("The time of report lies in the future.", zh="上报时间不能晚于现在。")


def _class(classes: Mapping[str, ClassInfo], key: str) -> ClassInfo:
    if key not in classes:
        spec = find_class(key)
        if spec is None or spec.key not in classes:
            raise NotFound(
                f"There is no class {key!r} in the catalogue.",
                hint="Give kind and code, e.g. event-04-03, or its name.",
                zh=f"分类目录中没有“{key}”。",
            )
        key = spec.key
    return classes[key]


def _place(session: Session, actor: Actor, territory: TerritoryInfo, lon: float, lat: float) -> tuple[int, int]:
    found = locate_one(session, territory.id, lon, lat)
    if found is None:
        west, south, east, north = territory.bounds
        turned = west <= lat <= east and south <= lon <= north
        raise InvalidInput(
            f"The point {lon:.5f}, {lat:.5f} lies in no unit grid of {territory.title_en}.",
            hint="Longitude and latitude may be swapped." if turned else "Choose a place inside, or pass it on.",
            zh=f"该点（{lon:.5f}, {lat:.5f}）不在{territory.title_zh}的任何单元网格内。"
            + ("经纬度可能颠倒。" if turned else "请选择辖区内的地点，或转交其他辖区。"),
        )
    if actor.role in {Role.GRID_MANAGER, Role.GRID_WORKER} and found[1] not in actor.area_ids:
        raise InvalidInput(
            "The point lies outside your communities.",
            hint="Call the supervision centre; it takes reports from everywhere.",
            zh="该点不在您负责的社区内，请联系监督中心受理。",
        )
    return found


def _territory(session: Session, actor: Actor) -> TerritoryInfo:
    found = next((each for each in list_territories(session) if each.id == actor.territory_id), None)
    if found is None:
        raise InvalidInput("No territory is chosen.", hint="Choose one first.", zh="尚未选择辖区。")
    return found
