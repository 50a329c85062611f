"""What the database itself refuses in the catalogue, whatever a page or a service would ask of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.identity import Actor, Role, system_actor
from geodata import asking, catalogue
from geodata.exchange_load import Intake, Loaded, load_file
from geodata.exchange_understand import Overrides
from geodata.territory import find_territory
from grids.service import locate
from tests.db.lamps import KEY, make_lamps
from tests.demo_city import TINY_TOWN

ActAs = Callable[[Actor], Session]


def refused(session: Session, statement: str, **values: object) -> None:
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(text(statement), values)


def test_who_asked_stays_under_the_request(acting: ActAs, officers: dict[Role, Actor], lamps: int) -> None:
    supervisor = officers[Role.SUPERVISOR]
    session = acting(supervisor)
    request = session.scalar(
        text(
            "INSERT INTO data_request (territory_id, data_set_id, asked_by, asked_label, purpose, days)"
            " VALUES (:t, :d, :u, 'x', 'For me', 30) RETURNING id"
        ),
        {"t": supervisor.territory_id, "d": lamps, "u": supervisor.user_id},
    )
    refused(session, "UPDATE data_request SET asked_by = NULL WHERE id = :r", r=request)
    granted = "state = 'granted', reason = 'x', decided_at = now(), decided_label = 'x', version = 2"
    for name in ("asked_by = NULL, decided_by = :u", "decided_by = :u", "decided_by = NULL"):
        values = {"r": request} | ({"u": supervisor.user_id} if ":u" in name else {})
        refused(session, f"UPDATE data_request SET {name}, {granted} WHERE id = :r", **values)
    session = acting(system_actor(supervisor.territory_id))
    session.execute(text("DELETE FROM app_user WHERE id = :u"), {"u": supervisor.user_id})
    left = session.execute(
        text("SELECT asked_by, asked_label, state FROM data_request WHERE id = :r"), {"r": request}
    ).one()
    assert tuple(left) == (None, "x", "waiting")


def test_a_request_of_an_account_that_is_gone_can_be_refused_alone(
    acting: ActAs, officers: dict[Role, Actor], lamps: int
) -> None:
    supervisor = officers[Role.SUPERVISOR]
    request = acting(system_actor(supervisor.territory_id)).scalar(
        text(
            "INSERT INTO data_request (territory_id, data_set_id, asked_label, purpose, days)"
            " VALUES (:t, :d, 'x', 'For me', 30) RETURNING id"
        ),
        {"t": supervisor.territory_id, "d": lamps},
    )
    session = acting(supervisor)
    with pytest.raises(InvalidInput, match="no account any more"):
        asking.decide(session, supervisor, int(request or 0), grant=True, reason="x")
    asking.decide(session, supervisor, int(request or 0), grant=False, reason="x")
    [told] = [each for each in asking.listed(session, supervisor) if each.id == request]
    assert (told.state, told.grant_id) == ("refused", None)


def test_who_decided_stays_under_the_decision(acting: ActAs, officers: dict[Role, Actor], lamps: int) -> None:
    supervisor, planner = officers[Role.SUPERVISOR], officers[Role.PLANNER]
    request = acting(planner).scalar(
        text(
            "INSERT INTO data_request (territory_id, data_set_id, asked_by, asked_label, purpose, days)"
            " VALUES (:t, :d, :u, 'x', 'For me', 30) RETURNING id"
        ),
        {"t": planner.territory_id, "d": lamps, "u": planner.user_id},
    )
    session = acting(supervisor)
    session.execute(
        text(
            "UPDATE data_request SET state = 'refused', reason = 'x', decided_at = now(), decided_by = :u,"
            " version = 2 WHERE id = :r"
        ),
        {"u": supervisor.user_id, "r": request},
    )
    for name in ("decided_by = NULL", "asked_by = NULL", "reason = 'y'"):
        refused(session, f"UPDATE data_request SET {name} WHERE id = :r", r=request)


def test_an_entry_tells_of_the_data_it_was_made_for(acting: ActAs, officers: dict[Role, Actor], lamps: int) -> None:
    supervisor, planner, auditor = (officers[each] for each in (Role.SUPERVISOR, Role.PLANNER, Role.AUDITOR))
    home = supervisor.territory_id
    other = make_lamps(acting(system_actor(home)), home, not_of=[], key="other")
    add = (
        "INSERT INTO catalogue_entry (territory_id, key, data_set_id, steward_id) VALUES (:t, :k, :d, :s) RETURNING id"
    )
    session = acting(supervisor)
    for key, number in ((KEY, other), (KEY, None), ("streets", lamps), ("set-nothing", lamps)):
        refused(session, add, t=home, k=key, d=number, s=None)
    entry = session.scalar(text(add), {"t": home, "k": KEY, "d": lamps, "s": planner.user_id})
    session.scalar(text(add), {"t": home, "k": "streets", "d": None, "s": planner.user_id})
    for actor in (planner, supervisor):
        session = acting(actor)
        for name in ("data_set_id = :d, key = 'set-other'", "data_set_id = :d", "key = 'set-other'", "key = 'roads'"):
            values = {"e": entry} | ({"d": other} if ":d" in name else {})
            refused(session, f"UPDATE catalogue_entry SET {name} WHERE id = :e", **values)
    session = acting(planner)
    refused(session, "UPDATE catalogue_entry SET steward_id = :s WHERE id = :e", s=auditor.user_id, e=entry)
    assert session.scalar(text("SELECT gk_is_steward(:d)"), {"d": lamps})
    assert not session.scalar(text("SELECT gk_is_steward(:d)"), {"d": other})
    session.execute(
        text("UPDATE catalogue_entry SET title_en = 'Lamps', steward_id = NULL WHERE id = :e"), {"e": entry}
    )
    assert not session.scalar(text("SELECT gk_is_steward(:d)"), {"d": lamps})


def test_who_made_a_token_stays_under_it(acting: ActAs, officers: dict[Role, Actor]) -> None:
    manager = officers[Role.GRID_MANAGER]
    session = acting(manager)
    made = session.scalar(
        text(
            "INSERT INTO api_token (territory_id, user_id, role_id, name, token_hash, made_by, expires_at)"
            " SELECT :t, :u, o.id, 'x', 'x', :u, now() + interval '1 day' FROM user_role AS o"
            " WHERE o.user_id = :u AND o.territory_id = :t RETURNING id"
        ),
        {"t": manager.territory_id, "u": manager.user_id},
    )
    refused(session, "UPDATE api_token SET made_by = NULL WHERE id = :i", i=made)


def test_rules_compare_with_what_the_reader_may_read(
    acting: ActAs, officers: dict[Role, Actor], lamps: int, tmp_path: Path
) -> None:
    handler, supervisor = officers[Role.HANDLER], officers[Role.SUPERVISOR]
    home = find_territory(acting(handler), TINY_TOWN.name)
    path = tmp_path / "poles.csv"
    path.write_text("pole,lamp,lon,lat\nP1,L1,-1.29,50.695\nP2,L9,-1.29,50.695\n", encoding="utf-8")
    over = Overrides(key=("pole",), rules=({"rule": "refers", "field": "lamp", "data_set": "lamps", "to": "no"},))

    def bring(actor: Actor) -> Loaded:
        session = acting(actor)
        place = lambda lon, lat: locate(session, home.id, lon, lat).grid_id  # noqa: E731
        return load_file(session, actor, home, path, Intake("poles", place, over=over, dry_run=True))

    with pytest.raises(InvalidInput, match="lamps, which you may not read"):
        bring(handler)
    assert lamps
    told = bring(supervisor)
    assert (told.loaded, told.rejected) == (1, 1)
    session = acting(supervisor)
    assert ("set-poles",) in {each.joined for each in catalogue.uses(session, supervisor, "set-lamps")}
