"""Which requests for data stand on the page, and that noting a use holds nobody back."""

from __future__ import annotations

import datetime as dt

import pytest

from app import data_uses
from app.catalogue_asks import SHOWN, shown_of
from core.errors import SourceUnavailable
from core.identity import Actor, Role
from geodata.asking import Asked
from layers.values import Question

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def asked(number: int, until: dt.datetime | None) -> Asked:
    return Asked(
        id=number, key="set-x", title="x", title_zh="", unit_id=None, asked_label="x", asked_at=NOW, purpose="x",
        days=9, state="granted", decided_label="x", decided_at=NOW, reason="x",
        grant_id=None if until is None else number, until=until, ended_early=False, mine=False, decidable=True,
        version=1,
    )  # fmt: skip


def test_a_grant_that_lasts_is_within_reach_however_many_came_after_it() -> None:
    day = dt.timedelta(days=1)
    rows = [asked(number, None) for number in range(SHOWN)]
    rows += [asked(50, NOW + day), asked(51, NOW - day), asked(52, None), asked(53, NOW + day)]
    assert [each.id for each in shown_of(rows, NOW)] == [*range(SHOWN), 50, 53]


def test_a_look_that_cannot_be_noted_holds_no_map_back(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def refuse(actor: Actor) -> None:
        tried.append(actor.label)
        raise SourceUnavailable("The platform is busy.")

    monkeypatch.setattr(data_uses, "transaction", refuse)
    viewer = Actor(user_id=1, label="viewer", role=Role.SUPERVISOR, territory_id=1)
    data_uses.note_map(viewer, Question("reported", NOW.date(), NOW.date()))
    assert tried == ["viewer"]
