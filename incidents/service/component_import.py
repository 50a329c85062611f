"""Bringing the register of components in from a file: all of it or nothing, and twice is once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from core.errors import DataQuality, InvalidInput
from core.identity import Actor, May, require
from geodata.bulk import begin_load, file_sha256, finish_load
from geodata.db import system_rights
from geodata.files import read_table
from geodata.territory import TerritoryInfo
from geodata.vector_files import ENDINGS as SHAPES
from geodata.vector_files import read_shapes
from grids.service import locate
from incidents.component_files import FileRow, Names, component_rows
from incidents.components import ComponentRow, ComponentSpec
from incidents.model import ClassInfo
from incidents.service.components import (
    HINT,
    broken_place,
    component_classes,
    district_code,
    may_write,
)
from incidents.store import components as store
from people.duty_files import in_row, plain
from people.unit_model import Violation

KIND = "components"


@dataclass(frozen=True, slots=True)
class ImportedComponents:
    """How many rows of a file were (or would be) added, changed, or stood there already."""

    read: int
    added: int
    changed: int
    unchanged: int

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for JSON."""
        return asdict(self)


def import_components(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    path: Path,
    *,
    name: str | None = None,
    preview: bool = False,
) -> ImportedComponents:
    """Add the components of a file whose identifier is new and change those that differ; others are left alone.

    CSV (also GBK), Excel, GeoJSON, GeoPackage, or a zip with a Shapefile. A component counts by its
    identifier, so the same file twice changes nothing the second time.

    Parameters
    ----------
    preview
        Only say what would happen.

    Raises
    ------
    DataQuality
        With every row that breaks a rule, lies outside or is not the actor's; nothing is written then.
    """
    require(actor, May.MANAGE_COMPONENTS)
    shown = name or path.name
    columns, points = _read(path, shown)
    classes = component_classes(session, actor)
    there = store.all_of(session, territory.id, sorted({each.strip() for each in _codes(columns)}))
    rows, broken = component_rows(
        columns,
        points,
        {code: row.spec for code, row in there.items()},
        names=Names(_class_names(classes), _unit_names(store.units(session, territory.id))),
        file=shown,
    )
    places = _communities(session, territory.id, rows)
    broken += _not_here(session, actor, rows, places, there)
    if broken:
        raise DataQuality(f"{shown} cannot be taken in:", broken, hint=HINT)
    ids = {each.key: each.id for each in classes}
    new = [at for at, row in enumerate(rows) if row.spec.code not in there]
    changed = [at for at, row in enumerate(rows) if row.spec.code in there and _differs(row.spec, there[row.spec.code])]
    counts = ImportedComponents(len(rows), len(new), len(changed), len(rows) - len(new) - len(changed))
    if preview or not (new or changed):
        return counts
    # A load is opened by the system for whoever may bring components in; the rows are the actor's own act.
    with system_rights(session, actor):
        load_id = begin_load(
            session, territory_id=territory.id, kind=KIND, source_name=shown, content_sha256=file_sha256(path),
            actor=actor,
        )  # fmt: skip
    store.add_many(session, territory.id, [rows[at].spec for at in new], ids, [places[at] for at in new])
    written = store.change_many(
        session, territory.id, [(rows[at].spec, ids[rows[at].spec.class_key], places[at]) for at in changed]
    )
    if written != len(changed):
        raise InvalidInput(f"{shown}: only {written} of {len(changed)} components could be changed.", hint=HINT)
    with system_rights(session, actor):
        finish_load(session, load_id, counts.as_dict())
    return counts


def _read(path: Path, shown: str) -> tuple[dict[str, list[str]], Sequence[object] | None]:
    if path.suffix.lower() in SHAPES:
        shapes = read_shapes(path, name=shown)
        return shapes.columns, list(shapes.geometry)
    table = read_table(path)
    columns = {heading: cells.tolist() for heading, cells in table.columns.items()}
    return columns, None if table.geometry is None else list(table.geometry)


def _codes(columns: Mapping[str, Sequence[str]]) -> set[str]:
    """Return every cell that could be an identifier, whatever its heading."""
    return {each.strip() for cells in columns.values() for each in cells if len(each.strip()) == 16}


def _communities(session: Session, territory_id: int, rows: Sequence[FileRow]) -> list[int]:
    located = locate(session, territory_id, [row.spec.lon for row in rows], [row.spec.lat for row in rows])
    return [int(each) for each in np.asarray(located.community_id)]


def _not_here(
    session: Session,
    actor: Actor,
    rows: Sequence[FileRow],
    places: Sequence[int],
    there: Mapping[str, ComponentRow],
) -> list[Violation]:
    districts = {place: district_code(session, place) for place in set(places) if place}
    broken = []
    for row, place in zip(rows, places, strict=True):
        said = broken_place(place, districts.get(place), row.spec)
        known = there.get(row.spec.code)
        own = known is None or may_write(actor, known.spec, known.community_id)
        if place and not (own and may_write(actor, row.spec, place)):
            said.append(
                Violation(f"the component {row.spec.code} is not yours to write", f"部件 {row.spec.code} 不由您维护")
            )
        broken += [in_row(row.number, each) for each in said]
    return broken


def _differs(spec: ComponentSpec, row: ComponentRow) -> bool:
    # What is always restricted stays so whatever a file says, and would differ at every import.
    given, known = asdict(spec), asdict(row.spec)
    if row.restricted_by_class:
        del given["sensitivity"], known["sensitivity"]
    return given != known


def _class_names(classes: Sequence[ClassInfo]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for each in classes:
        for text in (each.key, each.code, each.code.replace("-", ""), each.name_en, each.name_zh):
            found[plain(text)] = each.key if found.get(plain(text), each.key) == each.key else None
    return found


def _unit_names(units: Mapping[int, tuple[str, str, str | None]]) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for unit_id, (_, name, name_zh) in units.items():
        for text in filter(None, (name, name_zh)):
            found[plain(text)] = unit_id if found.get(plain(text), unit_id) == unit_id else None
    return found | {plain(code): unit_id for unit_id, (code, _, _) in units.items()}
