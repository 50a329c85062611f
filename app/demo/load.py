"""Loading a demo city: its map, its grids, its offices and its simulated year, all or nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely import box
from sqlalchemy.orm import Session

from app.demo import cases
from app.demo.cities import DEFAULT_CITY, DemoCity
from app.demo.components import write_components
from app.demo.evidence import write_evidence
from app.demo.ground import survey
from app.demo.life import leave_to_check, live
from app.demo.office import SLOW_FACTOR, SLOW_UNIT
from app.demo.rosters import make_rosters
from app.demo.staff import Units, make_accounts, make_units, make_workers, place_workers, write_duty_list
from app.demo.voices import write_voices
from app.demo.writing import Crew, write_incidents, write_tasks
from app.demo.year import DAYS, Plan, simulate_year
from core.clock import aware
from core.errors import Conflict
from core.identity import Actor, May, require
from core.progress import Progress
from geodata import surroundings
from geodata.bulk import begin_load, file_sha256, finish_load
from geodata.osm import load_osm_as_territory
from geodata.territory import TerritoryInfo, communities, list_territories
from grids.service import make_grid, make_responsibility_grids, responsibilities
from incidents.model import Catalogue
from incidents.service import read_catalogue, seed_catalogue

KIND = "demo"
DEFAULT_SEED = 20
TO_VERIFY = 6


@dataclass(frozen=True)
class DemoCounts:
    """What came of loading a demo city; ``already`` says that it was there and nothing was added."""

    territory: str
    already: bool = False
    communities: int = 0
    cells: int = 0
    units: int = 0
    workers: int = 0
    accounts: tuple[str, ...] = ()
    incidents: int = 0
    open: int = 0
    late: int = 0
    tasks: int = 0
    seed: int = DEFAULT_SEED
    seconds: float = 0.0
    step_seconds: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for JSON."""
        return asdict(self) | {"accounts": list(self.accounts), "step_seconds": dict(self.step_seconds)}


class _Watch:
    """Progress that also remembers how long each part took."""

    def __init__(self) -> None:
        self.began = self._last = time.perf_counter()
        self.parts: dict[str, float] = {}

    def lap(self, part: str) -> None:
        """Book the time since the last lap on a part."""
        now = time.perf_counter()
        self.parts[part] = round(now - self._last, 2)
        self._last = now


def is_loaded(session: Session, city: DemoCity) -> bool:
    """Return whether the demo city is there; it was loaded in one transaction, so it is there whole.

    Raises
    ------
    Conflict
        When a territory of that name is there which is no demo city.
    """
    for territory in list_territories(session):
        if territory.name == city.name:
            if territory.is_demo:
                return True
            raise Conflict(
                f"There is already a territory {city.name!r} that is not the demo city.",
                hint="Choose another demo city with --city.",
            )
    return False


def load_demo(
    session: Session,
    actor: Actor,
    city: DemoCity,
    path: Path,
    *,
    until: dt.datetime,
    progress: Progress,
    incidents: int | None = None,
    seed: int = DEFAULT_SEED,
) -> DemoCounts:
    """Load the map extract at ``path`` as a demo city with a simulated year that ends at ``until``.

    Everything is written in the transaction of ``session``. A city that is there already is left as
    it is, whatever the seed.
    """
    require(actor, May.LOAD_DATA)
    if is_loaded(session, city):
        return DemoCounts(city.name, already=True)
    watch = _Watch()
    territory, osm = load_osm_as_territory(
        session,
        actor,
        city.name,
        path,
        box=box(*city.clip),
        progress=progress,
        people_total=city.people,
        facts={
            "title_en": city.title_en,
            "title_zh": city.title_zh,
            "opens": city.opens,
            "is_demo": True,
        },
    )
    surroundings.name_communities(session, actor, territory.id, city.names_zh)
    areas = communities(session, territory.id)
    since = (aware(until) - dt.timedelta(days=DAYS)).date()
    watch.lap("map")

    made = make_grid(
        session,
        actor,
        territory,
        kind="square",
        size_m=city.countryside_m,
        town_size_m=city.town_m,
        progress=progress,
        since=since,
    )
    make_responsibility_grids(session, actor, territory, since=since, progress=progress)
    watch.lap("grids")

    progress.step("Setting up the offices")
    fingerprint = f"{file_sha256(path)} {city.name} {incidents or city.incidents} {seed}"
    load_id = begin_load(
        session,
        territory_id=territory.id,
        kind=KIND,
        source_name=path.name,
        content_sha256=hashlib.sha256(fingerprint.encode()).hexdigest(),
        actor=actor,
    )
    seed_catalogue(session, actor, territory)
    catalogue = read_catalogue(session, territory)
    focus = _focus(areas, city)
    units = make_units(session, territory, city.offices, areas, since)
    write_duty_list(session, territory, units, {key: row.id for key, row in catalogue.classes.items()}, since)
    crew = _make_crew(session, territory, units, city, focus)
    make_rosters(session, territory, crew.worker_ids.tolist(), aware(until).astimezone(territory.zone).date())
    accounts = make_accounts(
        session,
        territory,
        units,
        focus,
        worker_id=int(crew.worker_ids[0]),
        plain_logins=city.name == DEFAULT_CITY,
    )
    watch.lap("offices")

    told = _simulate(
        session, territory, catalogue, units, crew,
        until=until, incidents=incidents or city.incidents, seed=seed, load_id=load_id,
        focus=int(focus["id"].iloc[0]), progress=progress, watch=watch,
    )  # fmt: skip
    counts = DemoCounts(
        territory=territory.name,
        communities=osm.communities,
        cells=made.cells,
        units=len(units.by_code),
        workers=len(crew.worker_ids),
        accounts=tuple(accounts),
        seed=seed,
        seconds=round(time.perf_counter() - watch.began, 2),
        step_seconds=watch.parts,
        incidents=told["incidents"],
        open=told["open"],
        late=told["late"],
        tasks=told["tasks"],
    )
    finish_load(session, load_id, counts.as_dict())
    closed = cases.plant(session, actor, territory, accounts, reports=counts.incidents)
    return replace(counts, open=counts.open - closed)


def _focus(areas: gpd.GeoDataFrame, city: DemoCity) -> gpd.GeoDataFrame:
    """Return the communities of the demo grid manager, the one the map opens on first; never none."""
    ranks = {name: rank for rank, name in enumerate(city.focus)}
    chosen = areas[areas["name"].isin(list(ranks))]
    chosen = chosen.iloc[np.argsort([ranks[name] for name in chosen["name"]])]
    return chosen if len(chosen) else areas.iloc[:1]


def _make_crew(
    session: Session, territory: TerritoryInfo, units: Units, city: DemoCity, focus: gpd.GeoDataFrame
) -> Crew:
    grids, responsible = responsibilities(session, territory.id)
    placed = place_workers(grids, city.workers, [int(area) for area in focus["id"]])
    ids = make_workers(session, territory, units, placed)
    return Crew(ids, placed["responsibility_grid_id"].to_numpy(dtype=np.int64), responsible)


def _simulate(
    session: Session,
    territory: TerritoryInfo,
    catalogue: Catalogue,
    units: Units,
    crew: Crew,
    *,
    until: dt.datetime,
    incidents: int,
    seed: int,
    load_id: int,
    focus: int,
    progress: Progress,
    watch: _Watch,
) -> dict[str, int]:
    """Simulate the year, write it, and return what a reader of Today would count."""
    progress.step("Simulating a year")
    ground = survey(session, territory, focus)
    plan = Plan(list(catalogue.classes), incidents, until, territory.timezone, seed)
    last = np.datetime64(aware(until).replace(tzinfo=None), "us")
    frame = live(
        simulate_year(plan, ground.sites),
        lambda keys, filed: _due_at(catalogue, keys, filed),
        until=last,
        slow_owner=SLOW_UNIT,
        slow_factor=SLOW_FACTOR,
        seed=seed,
    )
    frame["warn_half_at"], frame["warn_most_at"] = _warnings(catalogue, frame)
    frame = leave_to_check(frame, last, TO_VERIFY)
    watch.lap("simulation")
    register = write_components(session, territory, ground, catalogue.classes, units, seed=seed)
    watch.lap("components")
    frame = write_incidents(
        session,
        territory,
        frame,
        ground,
        classes=catalogue.classes,
        limits={class_id: held.id for class_id, held in catalogue.limits.items()},
        units=units,
        crew=crew,
        register=register,
        load_id=load_id,
        seed=seed,
        progress=progress,
    )
    watch.lap("incidents")
    tasks = write_tasks(session, territory, frame, last)
    watch.lap("tasks")
    tasks += write_voices(session, territory, frame, last, seed=seed)
    write_evidence(session, territory, frame, seed=seed)
    watch.lap("evidence")
    is_open = ~frame["status"].isin(["closed", "void"])
    late = is_open & (frame["due_at"] < last)
    return {"incidents": len(frame), "open": int(is_open.sum()), "late": int(late.sum()), "tasks": tasks}


def _due_at(catalogue: Catalogue, keys: NDArray[np.object_], filed: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return the deadline of each incident filed at a moment (UTC); NaT where its class has no limit."""
    moments = [moment.replace(tzinfo=dt.UTC) for moment in filed.astype("datetime64[us]").astype(object)]
    due = [catalogue.due_at(catalogue.classes[key].id, moment) for key, moment in zip(keys, moments, strict=True)]
    return np.array([None if one is None else one.replace(tzinfo=None) for one in due], dtype="datetime64[us]")


def _warnings(catalogue: Catalogue, frame: pd.DataFrame) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
    """Return when 50 and 80 % of the time of each open incident are used; NaT for closed ones."""
    made = np.full((2, len(frame)), "NaT", dtype="datetime64[us]")
    asked = ~frame["status"].isin(["closed", "void"]) & frame["due_at"].notna()
    rows = frame.loc[asked, ["class_key", "filed_at", "due_at"]]
    for place, (key, filed, due) in zip(np.flatnonzero(asked), rows.itertuples(index=False), strict=True):
        begins, ends = (at.to_pydatetime().replace(tzinfo=dt.UTC) for at in (filed, due))
        moments = catalogue.warnings(catalogue.classes[key].id, begins, ends)
        made[:, place] = [None if at is None else at.replace(tzinfo=None) for at in moments]
    return made[0], made[1]
