"""Use cases of the register of components: look, find the nearest, propose an identifier, add and change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, DataQuality, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from geodata.record import history
from geodata.territory import TerritoryInfo
from grids.service import locate_one
from incidents.classes import SCHEME, SCHEME_VERSION
from incidents.components import (
    NO_DISTRICT,
    ComponentDetail,
    ComponentFilter,
    ComponentRow,
    ComponentSpec,
    Identifier,
    NearComponent,
    broken_rules,
    next_identifier,
    read_identifier,
)
from incidents.model import ClassInfo
from incidents.store import components as store
from people.unit_model import Violation

NEAR_M = 100.0
NEAREST = 5
PAGE_MOST = 1000
INCIDENTS_SHOWN = 20
CHANGEABLE = (
    "lon", "lat", "state", "unit_id", "property_unit_id", "upkeep_unit_id", "sensitivity", "place", "valid_from",
    "valid_to",
)  # fmt: skip
HINT = "Nothing was written; put these right."


def list_components(
    session: Session, actor: Actor, wanted: ComponentFilter | None = None, *, after: str = "", limit: int = 100
) -> list[ComponentRow]:
    """Return a page of the register by identifier, ``after`` the last of the page before.

    Restricted components are there for roles with incidents only.
    """
    if not 1 <= limit <= PAGE_MOST:
        raise InvalidInput(f"A page holds 1 to {PAGE_MOST:,} components, not {limit}.")
    return store.page(session, _home(actor, May.SEE_MAP), wanted or ComponentFilter(), after=after, limit=limit)


def count_components(session: Session, actor: Actor, wanted: ComponentFilter | None = None) -> int:
    """Return how many components the filter finds."""
    return store.count(session, _home(actor, May.SEE_MAP), wanted or ComponentFilter())


def component_classes(session: Session, actor: Actor) -> list[ClassInfo]:
    """Return the component classes by code."""
    require(actor, May.SEE_MAP)
    return store.classes(session, SCHEME, SCHEME_VERSION)


def component_units(session: Session, actor: Actor) -> dict[int, tuple[str, str, str | None]]:
    """Return id to code and names of the units that may own components."""
    return store.units(session, _home(actor, May.SEE_MAP))


def component_communities(session: Session, actor: Actor) -> dict[int, tuple[str, str | None]]:
    """Return id to names of the communities."""
    return store.communities(session, _home(actor, May.SEE_MAP))


def component_detail(session: Session, actor: Actor, which: int | str) -> ComponentDetail:
    """Return a component by id or identifier with its owners, its unit grid, its incidents and its history.

    Raises
    ------
    NotFound
        When there is none, or none that the role may see.
    """
    home = _home(actor, May.SEE_MAP)
    row = _found(session, home, which)
    located = locate_one(session, home, row.lon, row.lat)
    names = store.units(session, home)
    return ComponentDetail(
        row,
        {unit: names[unit][1:] for unit in row.spec.owners if unit in names},
        None if located is None else (located[0], store.grid_code(session, located[0])),
        tuple(store.incidents_of(session, row.id, INCIDENTS_SHOWN)) if actor.may(May.SEE_INCIDENTS) else (),
        tuple(history(session, "component", row.id)),
    )


def nearest_components(
    session: Session, actor: Actor, class_key: str, lon: float, lat: float, *, within_m: float = NEAR_M
) -> list[NearComponent]:
    """Return the up to five nearest standing components of a class, nearest first; none for an event class."""
    home = _home(actor, May.SEE_MAP)
    if not class_key.startswith("component-"):
        return []
    kind = next((each for each in component_classes(session, actor) if each.key == class_key), None)
    if kind is None:
        return []
    found = store.near(session, home, kind.id, lon, lat, within_m=within_m, most=NEAREST)
    return [NearComponent(row, metres) for row, metres in found]


def component_of_incident(session: Session, actor: Actor, incident_id: int) -> tuple[int, str] | None:
    """Return id and identifier of the component an incident is about; None for none."""
    require(actor, May.SEE_INCIDENTS)
    return store.component_of(session, incident_id)


def check_component(session: Session, territory_id: int, component_id: int, class_id: int) -> ComponentRow:
    """Return the component a report names; raise `InvalidInput` when it is another class's or there is none."""
    row = store.find(session, territory_id, component_id)
    if row is None or row.class_id != class_id:
        raise InvalidInput(
            "The component that was chosen is none of this class.",
            hint="Choose one of those offered, or none.",
            zh="所选部件与类别不符，请重新选择，或不选部件。",
        )
    return row


def propose_identifier(
    session: Session, actor: Actor, territory: TerritoryInfo, class_key: str, point: tuple[float, float]
) -> Identifier:
    """Return the next free identifier for a class at a place.

    Raises
    ------
    InvalidInput
        When the place lies outside, or the six digits are used up.
    NotFound
        When there is no such class.
    """
    home = _home(actor, May.MANAGE_COMPONENTS)
    community_id = _community(session, territory, *point)
    district = district_code(session, community_id) or NO_DISTRICT
    kind = _class(component_classes(session, actor), class_key)
    return next_identifier(
        district, kind.code, store.last_sequence(session, home, district + kind.code.replace("-", ""))
    )


def add_component(session: Session, actor: Actor, territory: TerritoryInfo, spec: ComponentSpec) -> int:
    """Write a new component and return its id; an empty identifier takes the next free one.

    Raises
    ------
    DataQuality
        With every rule that its fields break.
    NotPermitted
        When it is not the actor's to add.
    Conflict
        When the identifier is taken.
    """
    home = _home(actor, May.MANAGE_COMPONENTS)
    if not spec.code:
        proposed = propose_identifier(session, actor, territory, spec.class_key, (spec.lon, spec.lat))
        spec = replace(spec, code=proposed.text)
    classes = component_classes(session, actor)
    community_id = _checked(session, actor, territory, spec, classes)
    kind = _class(classes, spec.class_key)
    try:
        with session.begin_nested():
            return store.add(session, home, spec, kind.id, community_id)
    except IntegrityError as error:
        raise Conflict(
            f"The identifier {spec.code} is taken.",
            hint="Leave it empty: the next free one is taken.",
            zh=f"标识码 {spec.code} 已被使用。留空则自动取下一个可用编号。",
        ) from error


def change_component(
    session: Session, actor: Actor, territory: TerritoryInfo, component_id: int, *, version: int, **given: Any
) -> int:
    """Write the ``given`` fields of `CHANGEABLE` and return the new version; what is left out stays.

    Raises
    ------
    Conflict
        When somebody else changed it since ``version``.
    NotPermitted
        When it is not the actor's, before or after.
    """
    home = _home(actor, May.MANAGE_COMPONENTS)
    unknown = set(given) - set(CHANGEABLE)
    if unknown:
        raise InvalidInput(f"A component's {', '.join(sorted(unknown))} cannot be changed.")
    store.lock(session, home, component_id)
    row = _found(session, home, component_id)
    if row.version != version:
        raise Conflict(
            f"The component {row.code} was changed meanwhile.",
            hint="Look at it again, then change it.",
            zh=f"部件 {row.code} 已被他人修改，请重新查看后再改。",
        )
    if not may_write(actor, row.spec, row.community_id):
        raise _not_yours()
    spec = replace(row.spec, **given)
    if spec.state == "removed" and spec.valid_to is None:
        today = now().astimezone(territory.zone).date()
        spec = replace(spec, valid_to=max(today, spec.valid_from or today))
    moved = (spec.lon, spec.lat) != (row.lon, row.lat)
    community_id = _checked(session, actor, territory, spec, [], moved=moved, row=row)
    done = store.change(session, component_id, spec, row.class_id, community_id)
    if done is None:
        raise _not_yours()
    return done


def may_write(actor: Actor, spec: ComponentSpec, community_id: int) -> bool:
    """Return whether a component is the actor's to write, by the rule that the database has too."""
    if actor.role is Role.GRID_MANAGER:
        return community_id in actor.area_ids
    if actor.role is Role.HANDLER:
        return not set(spec.owners).isdisjoint(actor.unit_ids)
    return actor.may(May.MANAGE_COMPONENTS)


def broken_place(community_id: int, district: str | None, spec: ComponentSpec) -> list[Violation]:
    """Return what is wrong about where a component lies; ``community_id`` 0 means outside every unit grid."""
    if not community_id:
        return [
            Violation(
                f"the component {spec.code} lies outside the territory's unit grids ({spec.lon:.5f}, {spec.lat:.5f})",
                f"部件 {spec.code} 不在辖区的单元网格内（{spec.lon:.5f}, {spec.lat:.5f}）",
            )
        ]
    if district and spec.code[:6] not in {district, NO_DISTRICT}:
        return [
            Violation(
                f"the identifier {spec.code} is of district {spec.code[:6]}, but lies in {district}",
                f"标识码 {spec.code} 的行政区划为 {spec.code[:6]}，但位置在 {district}",
            )
        ]
    return []


def _checked(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    spec: ComponentSpec,
    classes: Sequence[ClassInfo],
    *,
    moved: bool = True,
    row: ComponentRow | None = None,
) -> int:
    """Return the community of a component that breaks no rule and is the actor's."""
    broken = broken_rules(spec)
    if row is None and spec.class_key not in {each.key for each in classes}:
        broken.append(Violation(f"there is no component class {spec.class_key!r}", f"没有部件小类“{spec.class_key}”"))
    if broken:
        raise DataQuality("The component cannot be kept:", broken, hint=HINT)
    if row is not None and not moved:
        community_id = row.community_id
    else:
        found = locate_one(session, territory.id, spec.lon, spec.lat)
        community_id = found[1] if found else 0
        district = district_code(session, community_id) if community_id else None
        broken += broken_place(community_id, district, spec)
    if broken:
        raise DataQuality("The component cannot be kept:", broken, hint=HINT)
    if not may_write(actor, spec, community_id):
        raise _not_yours()
    return community_id


def district_code(session: Session, community_id: int) -> str | None:
    """Return the six digits of the district of a community; None where it carries no such code."""
    code = store.district_of(session, community_id)
    return code if code and len(code) == len(NO_DISTRICT) and code.isdecimal() and code != NO_DISTRICT else None


def _community(session: Session, territory: TerritoryInfo, lon: float, lat: float) -> int:
    found = locate_one(session, territory.id, lon, lat)
    if found is None:
        raise InvalidInput(
            f"The point {lon:.5f}, {lat:.5f} lies in no unit grid of {territory.title_en}.",
            hint="Choose a place inside.",
            zh=f"该点（{lon:.5f}, {lat:.5f}）不在{territory.title_zh}的任何单元网格内。",
        )
    return found[1]


def _class(classes: Sequence[ClassInfo], key: str) -> ClassInfo:
    kind = next((each for each in classes if each.key == key), None)
    if kind is None:
        raise NotFound(
            f"There is no component class {key!r}.",
            hint="Give one such as component-01-18.",
            zh=f"没有部件小类“{key}”。",
        )
    return kind


def _found(session: Session, territory_id: int, which: int | str) -> ComponentRow:
    if isinstance(which, str):
        which = read_identifier(which.strip()).text
    row = store.find(session, territory_id, which)
    if row is None:
        raise NotFound(
            "There is no such component, or it is not for your role.", hint="Look for it in the list.",
            zh="没有该部件，或您的角色无权查看。",
        )  # fmt: skip
    return row


def _home(actor: Actor, capability: May) -> int:
    require(actor, capability)
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Choose one first.", zh="尚未选择辖区。")
    return actor.territory_id


def _not_yours() -> NotPermitted:
    return NotPermitted(
        "This component is not yours to write.",
        hint="Grid managers write those of their communities, handlers those their unit owns.",
        zh="该部件不由您维护：网格长维护本社区的部件，处置人员维护本单位的部件。",
    )
