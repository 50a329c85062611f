"""Drafts of grids: cells of a file, corners that neighbours share, notes that follow the ground."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, InvalidInput, NotPermitted
from core.identity import Actor
from geodata.crs import project
from geodata.territory import TerritoryInfo
from grids import drafting, importing, notes, publishing, rebalancing
from tests.db.test_grid_changes import across, busiest

ActAs = Callable[[Actor], Session]


def test_cells_of_a_file_are_shown_repaired_and_taken_with_their_codes(
    acting: ActAs, crew: tuple[TerritoryInfo, Actor, Actor], tmp_path: Path
) -> None:
    town, manager, supervisor = crew
    session = acting(manager)
    community = manager.area_ids[0]
    change = drafting.start_draft(session, manager, town, "From a file", [community])
    frame = drafting.draft_cells(session, manager, change.id, community)
    path = tmp_path / "cells.geojson"
    frame.iloc[1:][["code", "geometry"]].to_file(path, driver="GeoJSON", COORDINATE_PRECISION=12)
    found = importing.look(session, manager, town, change.id, path)
    assert (found.read, found.elsewhere) == (len(frame) - 1, 0)
    assert [fault.kind for fault in found.repaired.faults] == ["gap"]
    assert found.codes_kept == len(frame) - 1
    assert len(drafting.draft_cells(session, manager, change.id)) == len(frame)  # nothing is taken yet
    importing.take(session, manager, town, change.id, found)
    taken = drafting.draft_cells(session, manager, change.id)
    assert set(frame["code"].iloc[1:]) <= set(taken["code"])
    assert publishing.compare(session, manager, town, change.id).missing_m2 == pytest.approx(0, abs=1)
    with pytest.raises(NotPermitted):
        importing.take(session, acting(supervisor) and supervisor, town, change.id, found)
    wrong = tmp_path / "wrong.geojson"
    frame.set_geometry(frame.geometry.translate(40, 0)).to_file(wrong, driver="GeoJSON")
    with pytest.raises(InvalidInput, match="No cell"):
        importing.look(session, supervisor, town, change.id, wrong)


def test_a_corner_of_a_split_is_its_neighbours_too(acting: ActAs, crew: tuple[TerritoryInfo, Actor, Actor]) -> None:
    town, manager, supervisor = crew
    session = acting(manager)
    change = drafting.start_draft(session, manager, town, "Corners", [manager.area_ids[0]])
    frame = drafting.draft_cells(session, manager, change.id)
    cell = frame.iloc[int(frame["area_m2"].argmax())]
    before = dict(zip(frame["unit_grid_id"], frame.geometry, strict=True))
    drafting.split(session, manager, town, change.id, int(cell["id"]), across(cell.geometry))
    key = drafting.ground_key(session, manager, change.id)
    measured = rebalancing.measured(session, manager, town, change.id)
    assert rebalancing.loads_of(measured, rebalancing.areas_of(session, manager, change.id), {"travel": 1, "cells": 1})
    assert drafting.ground_key(session, manager, change.id) == key
    assert len(drafting.cells_on(session, manager, change.id, across(cell.geometry))) >= 2
    publishing.submit(session, manager, town, change.id)
    session = acting(supervisor)
    publishing.publish(session, supervisor, town, change.id)
    live = publishing.cells_as_of(session, supervisor, town.id, now().astimezone(town.zone).date())
    new = live[~live["id"].isin(before)]
    known = {tuple(each) for each in shapely.get_coordinates(cell.geometry).tolist()}
    fresh = {
        tuple(each) for each in shapely.get_coordinates(new[new.community_id == cell.community_id].geometry)
    } - known
    old = live[live["id"].isin(before)]
    beside = old[shapely.dwithin(old.geometry.to_numpy(), cell.geometry, 1e-9)]
    shared = {tuple(each) for each in shapely.get_coordinates(beside.geometry).tolist()}
    on_edge = {each for each in fresh if shapely.dwithin(beside.geometry.to_numpy(), shapely.Point(each), 1e-11).any()}
    assert on_edge <= shared
    for identity, shape in zip(beside["id"], beside.geometry, strict=True):
        assert shape.symmetric_difference(before[identity]).area < 1e-16


def test_a_small_cell_goes_to_the_grid_beside_it_and_not_to_one_far_away(
    acting: ActAs, crew: tuple[TerritoryInfo, Actor, Actor]
) -> None:
    town, manager, _ = crew
    session = acting(manager)
    change = drafting.start_draft(session, manager, town, "Small cells", [manager.area_ids[0]])
    drafting.draw(session, manager, town, change.id, kind="square", size=60)
    rebalancing.balance_draft(session, manager, town, change.id, k=2, weights={"cells": 1})
    cells = drafting.draft_cells(session, manager, change.id)
    one, other = sorted(set(cells["area"]))
    metres = project(cells.geometry.to_numpy(), town.metric_srid)
    mine = (cells["area"] == one).to_numpy()
    far = shapely.distance(metres, shapely.union_all(metres[~mine]))
    edge, inside = int(np.argmin(np.where(mine, far, np.inf))), int(np.argmax(np.where(mine, far, -np.inf)))
    with pytest.raises(InvalidInput, match=f"{other} would fall into 2 pieces"):
        drafting.move_cells(session, manager, change.id, [int(cells["id"].iloc[inside])], other)
    beside = np.flatnonzero(mine & (shapely.distance(metres, metres[edge]) < 90))
    drafting.move_cells(session, manager, change.id, cells["id"].iloc[beside].tolist(), other)
    assert (rebalancing.areas_of(session, manager, change.id) == other).sum() == (~mine).sum() + len(beside)


def test_notes_follow_the_ground_and_are_struck_out_not_changed(
    acting: ActAs, crew: tuple[TerritoryInfo, Actor, Actor]
) -> None:
    town, manager, supervisor = crew
    session = acting(manager)
    cell, community = busiest(session, manager)
    note = notes.add_note(session, manager, cell, "  The gate to the yard\x00is \u202eshut after six.\u200b ")
    for body, said in (
        ("", "Nothing"),
        ("x" * 501, "501"),
        ("Call 13812345678", "phones"),
        ("电话１３８.1234.５６７８", "phones"),
    ):
        with pytest.raises(InvalidInput, match=said):
            notes.add_note(session, manager, cell, body)
    change = drafting.start_draft(session, manager, town, "Split", [community])
    frame = drafting.draft_cells(session, manager, change.id, community)
    mine = frame[frame["unit_grid_id"] == cell].iloc[0]
    drafting.split(session, manager, town, change.id, int(mine["id"]), across(mine.geometry))
    publishing.submit(session, manager, town, change.id)
    session = acting(supervisor)
    publishing.publish(session, supervisor, town, change.id)
    child = publishing.grid_file(session, supervisor, cell).versions[0]
    found = notes.notes_of(session, supervisor, child.id)
    assert [(each.body, each.cell_id) for each in found] == [("The gate to the yard is shut after six.", cell)]
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(text("UPDATE grid_note SET body = 'other' WHERE id = :id"), {"id": note})
    other = notes.add_note(session, supervisor, child.id, "Mine")
    session = acting(manager)
    with pytest.raises(NotPermitted):
        notes.strike_note(session, manager, other)
    notes.strike_note(session, manager, note)
    with pytest.raises(Conflict):
        notes.strike_note(session, manager, note)
    assert {each.body: each.struck_at is None for each in notes.notes_of(session, manager, child.id)} == {
        "Mine": True,
        "The gate to the yard is shut after six.": False,
    }
