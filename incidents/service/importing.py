"""Use case of bringing a file of incidents in."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from core.clock import aware, now
from core.errors import InvalidInput
from core.identity import Actor, May, require
from core.progress import Progress, Silent
from geodata.bulk import begin_load, file_sha256, finish_load, reserve_ids
from geodata.db import system_rights
from geodata.files import Table, read_table
from geodata.persons import seal_many
from geodata.territory import TerritoryInfo
from grids.service import locate
from incidents.columns import OPTIONS, Columns, choose_columns
from incidents.exchange import Draft, Flags, as_json, draft, split_labels
from incidents.imported import ImportResult
from incidents.model import ClassInfo
from incidents.rows import Ints, Placed, incident_columns
from incidents.service.catalogue import owners, read_catalogue, seed_catalogue, take_numbers
from incidents.store import catalogue as catalogue_store
from incidents.store import loading

IMPORT_VERSION = "1"


def import_file(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    path: Path,
    *,
    named: Mapping[str, str | None] | None = None,
    status: str = "closed",
    progress: Progress | None = None,
    moment: dt.datetime | None = None,
) -> ImportResult:
    """Bring a file of incidents into a territory and say what became of every row.

    Good rows become incidents; rows that cannot be taken in go to quarantine, sealed; rows known
    already are counted only, so that the same file adds nothing the second time. Class labels of
    the shipped catalogue are used as such, others become classes of the scheme ``import:<file>``.
    Free text is kept sealed, columns about persons are left out.

    Parameters
    ----------
    named
        Role (id, time, class, lon, lat …) to the heading that plays it; others are found.
    status
        Of rows that do not say theirs: ``closed`` (old reports, without a closing time) or ``filed``.

    Raises
    ------
    InvalidInput
        When the file as a whole cannot be used: unreadable, columns missing, longitude and latitude
        swapped in most rows, no row in the territory. Nothing is written then.
    """
    require(actor, May.LOAD_DATA)
    if not loading.has_grids(session, territory.id):
        raise InvalidInput(
            f"{territory.title_en} has no unit grids yet, so no incident can be placed.",
            hint="Make them first with 'gridkeeper grid make'.",
        )
    progress = progress or Silent()
    began = time.monotonic()
    progress.step(f"Reading {path.name}")
    table = read_table(path)
    columns = choose_columns(list(table.columns), named or {}, file=table.name, has_geometry=table.geometry is not None)
    rows = draft(table, columns, territory.zone, moment=now() if moment is None else aware(moment), status=status)
    progress.step("Finding the grid of each point", len(table))
    placed = _place(session, territory, rows, columns, table.name)
    progress.advance(len(table))
    loading.lock_loading(session, territory.id)
    known = loading.known_references(session, territory.id, table.stem)
    rows.duplicate |= np.array([reference in known for reference in rows.reference], dtype=bool) & (rows.reason == "")
    good = np.flatnonzero(rows.good)
    seed_catalogue(session, actor, territory)
    with system_rights(session, actor):
        classes = _import_classes(session, rows, columns, table)
    kept_out = loading.known_fingerprints(session, territory.id)
    rejected = np.flatnonzero((rows.reason != "") & ~rows.duplicate)
    new_rejected = [row for row in rejected.tolist() if rows.fingerprint[row] not in kept_out]
    counts = {
        "read": len(table),
        "loaded": len(good),
        "rejected": len(rejected),
        "duplicates": int(rows.duplicate.sum()),
        "placed": int((placed.grid_id > 0).sum()),
    }
    if len(good) or new_rejected:
        load_id = begin_load(
            session,
            territory_id=territory.id,
            kind="incidents",
            source_name=path.name,
            content_sha256=file_sha256(path),
            actor=actor,
        )
        progress.step("Writing incidents", len(good))
        _add_incidents(
            session,
            territory,
            rows,
            good,
            placed=placed,
            classes=classes,
            source_system=table.stem,
            load_id=load_id,
        )
        progress.advance(len(good))
        progress.step("Sealing rows for quarantine", len(new_rejected))
        _quarantine(session, territory, rows, table=table, chosen=new_rejected, load_id=load_id)
        progress.advance(len(new_rejected))
        finish_load(session, load_id, counts)
    reasons = Counter(rows.reason[rejected].tolist())
    return ImportResult(
        **counts,
        seconds=round(time.monotonic() - began, 2),
        reasons=dict(reasons.most_common()),
        columns=columns.shown,
        form=table.form,
        remarks=tuple(rows.remarks),
    )


def _place(session: Session, territory: TerritoryInfo, rows: Draft, columns: Columns, file: str) -> Placed:
    """Return the cell of each row, and refuse rows without one; refuse the file when it lies elsewhere."""
    has_position = np.isfinite(rows.lon) & np.isfinite(rows.lat) & (np.abs(rows.lat) <= 90) & (np.abs(rows.lon) <= 180)
    placed = _locate(session, territory, rows.lon, rows.lat, has_position)
    west, south, east, north = territory.bounds
    # A point that is outside may lie inside when read the other way round.
    turned = (placed.grid_id == 0) & (rows.lat >= west) & (rows.lat <= east) & (rows.lon >= south) & (rows.lon <= north)
    if turned.any():
        turned &= _locate(session, territory, rows.lat, rows.lon, turned).grid_id > 0
    _refuse_swapped_file(turned, has_position | turned, columns, file, territory)
    rows.refuse(turned, "swapped", f"The point lies in {territory.title_en} only with longitude and latitude swapped.")
    rows.refuse(placed.grid_id == 0, "outside", f"The point lies in no unit grid of {territory.title_en}.")
    if not (placed.grid_id > 0).any():
        raise InvalidInput(
            f"{file}: none of its {len(rows.lon):,} rows lies in a unit grid of {territory.title_en}"
            f" (longitude {west:.3f} to {east:.3f}, latitude {south:.3f} to {north:.3f}); nothing was loaded.",
            hint="Choose another territory with --territory, or check the columns of the position.",
        )
    return placed


def _locate(session: Session, territory: TerritoryInfo, lon: np.ndarray, lat: np.ndarray, asked: Flags) -> Placed:
    grid_id = np.zeros(len(lon), dtype=np.int64)
    community_id = np.zeros(len(lon), dtype=np.int64)
    if asked.any():
        found = locate(session, territory.id, lon[asked], lat[asked])
        grid_id[asked], community_id[asked] = found.grid_id, found.community_id
    return Placed(grid_id, community_id)


def _refuse_swapped_file(
    turned: Flags, has_position: Flags, columns: Columns, file: str, territory: TerritoryInfo
) -> None:
    if not turned.any() or turned.sum() * 2 <= has_position.sum():
        return
    lon, lat = columns.get("lon"), columns.get("lat")
    way_out = (
        f"Swap them with {OPTIONS['lon']} {lat!r} {OPTIONS['lat']} {lon!r}."
        if lon and lat
        else "Write the file with longitude first."
    )
    raise InvalidInput(
        f"{file}: longitude and latitude are swapped: {int(turned.sum()):,} of {int(has_position.sum()):,} points,"
        f" the first in row {int(np.flatnonzero(turned)[0]) + 2}, lie in {territory.title_en} only with columns"
        f" {lon!r} and {lat!r} exchanged; nothing was loaded.",
        hint=way_out,
    )


def _import_classes(session: Session, rows: Draft, columns: Columns, table: Table) -> dict[str, ClassInfo]:
    """Return the class of each label of the good rows, adding those that are in no catalogue yet."""
    column = columns.get("class") or ""
    specs = split_labels(rows.label, rows.good, column=column, file=table.name)
    scheme = f"import:{table.stem}"
    own = {label: spec for label, spec in specs.items() if spec.category.startswith("import-")}
    catalogue_store.add_classes(
        session, list({spec.code: spec for spec in own.values()}.values()), scheme, IMPORT_VERSION
    )
    imported = {row.code: row for row in catalogue_store.classes(session, scheme, IMPORT_VERSION)}
    shipped = {row.key: row for row in catalogue_store.shipped(session)}
    return {label: imported[spec.code] if label in own else shipped[spec.key] for label, spec in specs.items()}


def _add_incidents(
    session: Session,
    territory: TerritoryInfo,
    rows: Draft,
    chosen: Ints,
    *,
    placed: Placed,
    classes: Mapping[str, ClassInfo],
    source_system: str,
    load_id: int,
) -> None:
    if not len(chosen):
        return
    columns = incident_columns(
        rows,
        chosen,
        placed=placed,
        classes=classes,
        catalogue=read_catalogue(session, territory),
        owners=owners(session, territory),
    )
    years = np.array([at.astimezone(territory.zone).year for at in columns["reported_at"]])
    ids = reserve_ids(session, "incident", len(chosen))
    constant = {"territory_id": territory.id, "source": "import", "source_system": source_system, "load_id": load_id}
    loading.add_rows(
        session,
        "incident",
        {
            "id": ids,
            "number": take_numbers(session, territory, years),
            **columns,
            **{name: [value] * len(chosen) for name, value in constant.items()},
        },
    )
    noted = [(incident, rows.note[row]) for incident, row in zip(ids.tolist(), chosen.tolist(), strict=True)]
    noted = [(incident, note) for incident, note in noted if note is not None]
    subjects, ciphers = seal_many(session, [note for _, note in noted])
    loading.add_rows(
        session,
        "incident_personal",
        {
            "incident_id": [incident for incident, _ in noted],
            "territory_id": [territory.id] * len(noted),
            "subject_id": subjects,
            "note_cipher": ciphers,
        },
    )


def _quarantine(
    session: Session, territory: TerritoryInfo, rows: Draft, *, table: Table, chosen: Sequence[int], load_id: int
) -> None:
    if not chosen:
        return
    subjects, ciphers = seal_many(session, [as_json(table, row) for row in chosen])
    loading.add_rows(
        session,
        "quarantine",
        {
            "territory_id": [territory.id] * len(chosen),
            "load_id": [load_id] * len(chosen),
            "row_no": [row + 2 for row in chosen],
            "reason": [rows.reason[row] for row in chosen],
            "message": [f"{table.name}, row {row + 2}: {rows.message[row]}" for row in chosen],
            "fingerprint": [rows.fingerprint[row] for row in chosen],
            "raw_cipher": ciphers,
            "subject_id": subjects,
        },
    )
