"""Putting the offices of a demo city into the database: units, duty list, workers, accounts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.demo.names import worker_names
from app.demo.office import (
    ACCOUNTS,
    ALWAYS_OPEN,
    CENTRES,
    CONTACTS,
    DEPARTMENTS,
    GOVERNANCE,
    HANDLER_UNIT,
    LANGUAGES,
    LEGAL_BASIS,
    PHONE,
    TEAMS,
    StreetOffice,
    UnitSpec,
    equipment_of,
    skills_of,
)
from app.demo.patterns import PATTERNS
from core.identity import Role
from geodata.bulk import copy_rows, reserve_ids
from geodata.persons import seal_columns
from geodata.territory import TerritoryInfo
from incidents.calendars import code_for
from people.accounts import ensure_user
from people.units import calendar_ids

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Units:
    """Ids of the units made, by code, and the street office of each community."""

    by_code: Mapping[str, int]
    office_of: Mapping[int, int]

    def owner(self, class_key: str, community_id: int) -> int:
        """Return the unit that the duty list names for a class in a community."""
        owner = PATTERNS[class_key].owner
        return self.office_of[community_id] if owner == "street" else self.by_code[owner]


def make_units(
    session: Session,
    territory: TerritoryInfo,
    offices: Sequence[StreetOffice],
    communities: gpd.GeoDataFrame,
    since: dt.date,
) -> Units:
    """Write the units and return their ids; each community goes to the street office seated nearest."""
    streets = tuple(
        UnitSpec(f"ST{rank:02d}", "street_office", office.name, office.name_zh, GOVERNANCE)
        for rank, office in enumerate(offices, start=1)
    )
    specs = (*CENTRES, *DEPARTMENTS, *streets, *TEAMS)
    calendars = calendar_ids(session)
    office_hours = calendars.get(code_for(territory.timezone))
    ids = dict(zip((spec.code for spec in specs), reserve_ids(session, "unit", len(specs)).tolist(), strict=True))
    copy_rows(
        session,
        "unit",
        {
            "id": list(ids.values()),
            "territory_id": [territory.id] * len(specs),
            "parent_id": [ids.get(spec.parent or "") for spec in specs],
            "code": [spec.code for spec in specs],
            "kind": [spec.kind for spec in specs],
            "name": [spec.name for spec in specs],
            "name_zh": [spec.name_zh for spec in specs],
            "contact": [CONTACTS[spec.kind][0] for spec in specs],
            "contact_zh": [CONTACTS[spec.kind][1] for spec in specs],
            "phone": [PHONE.format(rank=rank) for rank in range(101, 101 + len(specs))],
            "email": [f"{spec.code.lower()}@{territory.name}.example" for spec in specs],
            "address": [f"{rank} Governance Square" for rank in range(1, 1 + len(specs))],
            "calendar_id": [calendars.get("always") if spec.code in ALWAYS_OPEN else office_hours for spec in specs],
            "valid_from": [since] * len(specs),
        },
    )
    seats = gpd.GeoSeries(gpd.points_from_xy([o.lon for o in offices], [o.lat for o in offices]), crs=4326)
    metric = seats.to_crs(territory.metric_srid)
    middles = communities.geometry.representative_point().to_crs(territory.metric_srid)
    nearest = {
        int(community): ids[streets[int(np.argmin(metric.distance(middle)))].code]
        for community, middle in zip(communities["id"], middles, strict=True)
    }
    return Units(ids, nearest)


def write_duty_list(
    session: Session, territory: TerritoryInfo, units: Units, class_ids: Mapping[str, int], since: dt.date
) -> int:
    """Write which unit each class belongs to, the street offices' classes by community; return the rows."""
    rows: list[tuple[int, int | None, int]] = []
    for key, class_id in class_ids.items():
        if PATTERNS[key].owner == "street":
            rows += [(class_id, area, unit) for area, unit in units.office_of.items()]
        else:
            rows.append((class_id, None, units.by_code[PATTERNS[key].owner]))
    classes, areas, owners = zip(*rows, strict=True)
    return copy_rows(
        session,
        "class_owner",
        {
            "class_id": list(classes),
            "territory_id": [territory.id] * len(rows),
            "area_id": list(areas),
            "unit_id": list(owners),
            "legal_basis": [LEGAL_BASIS] * len(rows),
            "valid_from": [since] * len(rows),
        },
    )


def place_workers(grids: pd.DataFrame, count: int, focus: Sequence[int]) -> pd.DataFrame:
    """Return a row per worker: ``responsibility_grid_id`` and ``community_id``, focus communities first.

    Parameters
    ----------
    grids
        Responsibility grids: ``id``, ``community_id``, ``people``.
    count
        Every responsibility grid gets a worker, the most peopled first; while workers are left, the
        grid with the most people per worker gets another.
    """
    ordered = grids.sort_values(["people", "id"], ascending=[False, True], ignore_index=True)
    people = ordered["people"].to_numpy(dtype=np.float64) + 1.0
    staff = np.zeros(len(ordered), dtype=np.int64)
    staff[:count] = 1
    for _ in range(count - len(ordered)):
        staff[np.argmax(people / np.maximum(staff, 1))] += 1
    placed = ordered.loc[np.repeat(np.arange(len(ordered)), staff), ["id", "community_id"]]
    placed = placed.rename(columns={"id": "responsibility_grid_id"})
    placed["later"] = ~placed["community_id"].isin(list(focus))
    return placed.sort_values("later", kind="stable", ignore_index=True).drop(columns="later")


def worker_code(rank: int) -> str:
    """Return the staff number of the worker of this rank, from 1."""
    return f"W{rank:03d}"


def make_workers(session: Session, territory: TerritoryInfo, units: Units, placed: pd.DataFrame) -> Ids:
    """Write the workers, their names sealed, and return their ids in order."""
    count = len(placed)
    names = worker_names(count)
    languages = [LANGUAGES[rank % len(LANGUAGES)] for rank in range(count)]
    written = [zh if language == "zh" else en for (en, zh), language in zip(names, languages, strict=True)]
    subjects, (name_ciphers,) = seal_columns(session, written)
    person_ids = reserve_ids(session, "person", count)
    copy_rows(
        session,
        "person",
        {
            "id": person_ids,
            "territory_id": [territory.id] * count,
            "subject_id": subjects,
            "name_cipher": name_ciphers,
        },
    )
    ids = reserve_ids(session, "worker", count)
    copy_rows(
        session,
        "worker",
        {
            "id": ids,
            "territory_id": [territory.id] * count,
            "unit_id": [units.office_of[community] for community in placed["community_id"].tolist()],
            "person_id": person_ids,
            "responsibility_grid_id": placed["responsibility_grid_id"].to_numpy(),
            "code": [worker_code(rank) for rank in range(1, count + 1)],
            "language": languages,
            "skills": [skills_of(rank) for rank in range(count)],
            "equipment": [equipment_of(rank) for rank in range(count)],
        },
    )
    return ids


def make_accounts(
    session: Session,
    territory: TerritoryInfo,
    units: Units,
    focus: gpd.GeoDataFrame,
    *,
    worker_id: int,
    plain_logins: bool,
) -> list[str]:
    """Write a demo account per role, entered by its card and by no password; return the logins.

    The grid worker's account is that of ``worker_id``, the first of the staff.
    With ``plain_logins`` they are ``manager`` and so on, else ``manager@territory``: a login is unique
    among all territories.
    """
    areas = tuple(int(area) for area in focus["id"])
    first = focus.iloc[0]
    logins = []
    for spec in ACCOUNTS:
        login = spec.login if plain_logins else f"{spec.login}@{territory.name}"
        ensure_user(
            session,
            login=login,
            role=spec.role,
            territory_id=territory.id,
            title_en=spec.title_en.format(focus=first["name"], code=worker_code(1)),
            title_zh=spec.title_zh.format(focus=first["name_zh"] or first["name"], code=worker_code(1)),
            is_demo=True,
            area_ids=areas if spec.role in {Role.GRID_MANAGER, Role.GRID_WORKER} else (),
            worker_id=worker_id if spec.role is Role.GRID_WORKER else None,
            unit_ids=(units.by_code[HANDLER_UNIT],) if spec.role is Role.HANDLER else (),
        )
        logins.append(login)
    return logins
