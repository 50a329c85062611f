"""Judging facts: each check is ok, a warning, a fault or unknown for the reasons the runbook gives."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app import health, health_checks, health_machine, health_safety, i18n
from app.health_machine import AssetFacts, ClockFacts, DiskFacts
from app.health_model import GIB, Check, State, worst_first
from app.tls import Certificate
from core.settings import settings
from geodata.backup import TakenBackup
from geodata.health import AccessFacts, DatabaseFacts, QueueFacts, growth_per_day
from incidents.service.clocks import CalendarEnd

NOW = dt.datetime(2026, 3, 3, 12, tzinfo=dt.UTC)
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
BASE = DatabaseFacts(
    postgresql="15.18 (Debian)",
    postgis="3.3.2",
    bytes=GIB,
    connections=5,
    connections_most=60,
    answered_s=0.001,
    clock_off_s=0.01,
    above_rules=False,
    owns_tables=0,
    durable=True,
    revision="0013",
    head="0013",
)
QUEUE = QueueFacts(True, NOW - dt.timedelta(seconds=5), 0, 0, None, 0, "")
DISK = DiskFacts(50 * GIB, 100 * GIB, 40 * GIB, 100 * GIB)
ASSETS = AssetFacts(29, [], {"leaflet": "1.9.4"}, [], font=True)
CLOCK = ClockFacts(0.0, None, None)
CERTIFICATE = Certificate(
    Path("c"), Path("k"), ("city.example",), "an authority", False, NOW - DAY, NOW + 200 * DAY, False
)
BACKUP = TakenBackup(NOW - DAY / 2, "x", "f.tar", GIB, "0" * 64, True, True, {}, 7, 12.5)


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    i18n.use("en")


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (BASE, State.OK),
        (None, State.FAULT),
        (replace(BASE, above_rules=True), State.FAULT),
        (replace(BASE, owns_tables=3), State.FAULT),
        (replace(BASE, durable=False), State.FAULT),
        (replace(BASE, connections=50), State.WARNING),
    ],
)
def test_database(facts: DatabaseFacts | None, state: State) -> None:
    assert health_checks.database(facts).state is state


@pytest.mark.parametrize(
    ("facts", "growth", "state"),
    [
        (DISK, 0, State.OK),
        (replace(DISK, state_free=2 * GIB), 0, State.WARNING),
        (replace(DISK, database_free=GIB // 2), 0, State.FAULT),
        (DISK, GIB, State.WARNING),
        (DISK, GIB // 10, State.OK),
        (DISK, -GIB, State.OK),
        (replace(DISK, database_free=None), 0, State.OK),
    ],
)
def test_disk(facts: DiskFacts, growth: int, state: State) -> None:
    days = [(NOW.date() - (10 - n) * DAY, GIB + n * growth) for n in range(11)]
    assert health_checks.disk(facts, days).state is state


def test_growth_is_known_after_a_week() -> None:
    day = NOW.date()
    assert growth_per_day([]) is None
    assert growth_per_day([(day - 6 * DAY, 0), (day, 600)]) is None
    assert growth_per_day([(day - 10 * DAY, 0), (day, 1000)]) == 100
    assert health_checks.disk(DISK, []).numbers["days_left"] is None


@pytest.mark.parametrize(
    ("revision", "head", "state", "way"),
    [
        ("0013", "0013", State.OK, ""),
        ("0012", "0013", State.FAULT, "gridkeeper up"),
        (None, "0013", State.FAULT, "gridkeeper up"),
        ("0014", "0013", State.FAULT, "newer program"),
    ],
)
def test_schema(revision: str | None, head: str, state: State, way: str) -> None:
    check = health_checks.schema(replace(BASE, revision=revision, head=head))
    assert check.state is state
    assert way in check.way_out


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (QUEUE, State.OK),
        (None, State.UNKNOWN),
        (replace(QUEUE, at_work=False), State.FAULT),
        (replace(QUEUE, heartbeat=NOW - 5 * MINUTE), State.FAULT),
        (replace(QUEUE, heartbeat=None), State.OK),
        (replace(QUEUE, waiting=1, oldest_waiting=NOW - 31 * MINUTE), State.WARNING),
        (replace(QUEUE, waiting=1, oldest_waiting=NOW - MINUTE), State.OK),
        (replace(QUEUE, failed_day=2, last_failure="study"), State.WARNING),
    ],
)
def test_background_work(facts: QueueFacts | None, state: State) -> None:
    assert health_checks.jobs(facts, NOW).state is state


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (ASSETS, State.OK),
        (replace(ASSETS, missing=["gk/gridkeeper-map.js"]), State.FAULT),
        (replace(ASSETS, font=False), State.FAULT),
        (replace(ASSETS, differing=["leaflet"]), State.WARNING),
        (replace(ASSETS, versions={}), State.UNKNOWN),
    ],
)
def test_front_end_files(facts: AssetFacts, state: State) -> None:
    assert health_checks.assets(facts).state is state


@pytest.mark.parametrize(
    ("facts", "off_s", "newest", "state"),
    [
        (CLOCK, 0.0, NOW - DAY, State.OK),
        (CLOCK, 3.0, None, State.WARNING),
        (CLOCK, -120.0, None, State.FAULT),
        (replace(CLOCK, files_off_s=5.0), 0.0, None, State.WARNING),
        (CLOCK, 0.0, NOW + DAY, State.FAULT),
        (replace(CLOCK, synchronized=False), 0.0, None, State.WARNING),
        (replace(CLOCK, synchronized=True), 0.0, None, State.OK),
        (replace(CLOCK, jump_s=-3600.0), 0.0, None, State.WARNING),
        (replace(CLOCK, jump_s=1.5), 0.0, None, State.OK),
    ],
)
def test_clock(facts: ClockFacts, off_s: float, newest: dt.datetime | None, state: State) -> None:
    assert health_checks.clock(facts, replace(BASE, clock_off_s=off_s), newest, NOW).state is state


@pytest.mark.parametrize(
    ("found", "local", "state"),
    [
        (CERTIFICATE, False, State.OK),
        (None, True, State.OK),
        (None, False, State.WARNING),
        (replace(CERTIFICATE, valid_until=NOW + 29 * DAY), False, State.WARNING),
        (replace(CERTIFICATE, valid_until=NOW - DAY), False, State.FAULT),
        (replace(CERTIFICATE, valid_from=NOW + DAY), False, State.FAULT),
        (replace(CERTIFICATE, key_is_open=True), False, State.WARNING),
    ],
)
def test_certificate(found: Certificate | None, local: bool, state: State) -> None:
    assert health_safety.certificate(found, "", local=local, now=NOW).state is state
    assert health_safety.certificate(found, "It does not fit.", local=local, now=NOW).state is State.FAULT


@pytest.mark.parametrize(
    ("last", "demo", "state"),
    [
        (BACKUP, False, State.OK),
        (None, True, State.WARNING),
        (None, False, State.FAULT),
        (replace(BACKUP, at=NOW - 3 * DAY), False, State.WARNING),
        (replace(BACKUP, at=NOW - 9 * DAY), True, State.FAULT),
        (replace(BACKUP, keys_saved=False), False, State.WARNING),
    ],
)
def test_backup(last: TakenBackup | None, demo: bool, state: State) -> None:
    assert health_safety.backup(last, known=True, demo=demo, now=NOW).state is state
    assert health_safety.backup(last, known=False, demo=demo, now=NOW).state is State.UNKNOWN


@pytest.mark.parametrize(
    ("on", "local", "own", "state"),
    [
        (False, False, 5, State.OK),
        (True, True, 0, State.OK),
        (True, True, 2, State.WARNING),
        (True, False, 0, State.FAULT),
    ],
)
def test_demo_mode(on: bool, local: bool, own: int, state: State) -> None:
    chosen = settings().model_copy(update={"demo": on})
    assert health_safety.demo(AccessFacts(0, 0, 8, own), chosen, local=local).state is state


@pytest.mark.parametrize(
    ("changed", "weak", "open_file", "state"),
    [
        ({"durable": True}, False, False, State.OK),
        ({"durable": True}, True, False, State.FAULT),
        ({"durable": True}, False, True, State.FAULT),
        ({"proxies": "*", "durable": True}, False, False, State.FAULT),
        ({"durable": False}, False, False, State.WARNING),
        ({"log_level": "DEBUG", "durable": True}, False, False, State.WARNING),
        ({"session_hours": 48, "durable": True}, False, False, State.WARNING),
    ],
)
def test_settings(changed: dict[str, object], weak: bool, open_file: bool, state: State) -> None:
    chosen = settings().model_copy(update=changed)
    assert health_safety.unusual(chosen, weak_secret=weak, open_secret=open_file, set_names=[]).state is state


@pytest.mark.parametrize(
    ("last", "state"), [(None, State.WARNING), (NOW - DAY, State.OK), (NOW - 3 * DAY, State.WARNING)]
)
def test_clean_up(last: dt.datetime | None, state: State) -> None:
    assert health_safety.clean_up(last, known=True, now=NOW).state is state
    assert health_safety.clean_up(last, known=False, now=NOW).state is State.UNKNOWN


def test_calendars_that_end_are_told_with_the_years_they_do_not_know() -> None:
    assert health_safety.calendars(None).state is State.UNKNOWN
    assert health_safety.calendars([]).state is State.OK
    found = health_safety.calendars([CalendarEnd("office-cn", "Chinese office", "中国机关", 2026, (2027,))])
    assert (found.state, found.sentence) == (State.WARNING, "Chinese office: public holidays of 2027 unknown.")
    assert found.numbers == {"office-cn": {"last_year": 2026, "missing": [2027]}}


def test_whatever_is_wrong_has_a_way_out_in_both_languages() -> None:
    for language in i18n.LOCALES:
        i18n.use(language)
        checks = [
            health_checks.database(None),
            health_checks.disk(replace(DISK, state_free=0), []),
            health_checks.schema(replace(BASE, revision=None)),
            health_checks.jobs(replace(QUEUE, at_work=False), NOW),
            health_checks.assets(replace(ASSETS, missing=["a"])),
            health_checks.clock(CLOCK, replace(BASE, clock_off_s=99), None, NOW),
            health_safety.certificate(None, "", local=False, now=NOW),
            health_safety.backup(None, known=True, demo=False, now=NOW),
            health_safety.clean_up(None, known=True, now=NOW),
            health_safety.calendars([CalendarEnd("office-cn", "Chinese office", "中国机关", 2026, (2027,))]),
        ]
        for check in checks:
            assert check.state in {State.FAULT, State.WARNING}
            assert check.way_out
            chinese = bool(re.search(r"[\u4e00-\u9fff]", check.title + check.sentence + check.way_out))
            assert chinese is (language == "zh"), check


def test_the_worst_stands_first_and_only_a_fault_ends_with_one() -> None:
    made = [Check(str(state), "", state, "") for state in (State.OK, State.WARNING, State.FAULT, State.UNKNOWN)]
    assert [check.state for check in worst_first(made)] == list(State)
    assert health.ends_with(made) == 1
    assert health.ends_with(made[:2]) == 0


def test_a_library_of_another_version_is_found(tmp_path: Path) -> None:
    (tmp_path / "node_modules" / "leaflet").mkdir(parents=True)
    lock = '{"packages": {"": {"dependencies": {"leaflet": "1.9.4"}}, "node_modules/leaflet": {"version": "1.9.4"}}}'
    (tmp_path / "package-lock.json").write_text(lock)
    package = tmp_path / "node_modules" / "leaflet" / "package.json"
    for version, differing in (("1.9.4", []), ("1.8.0", ["leaflet"])):
        package.write_text(f'{{"version": "{version}"}}')
        assert health_machine.asset_facts(tmp_path).differing == differing
    package.unlink()
    assert health_machine.asset_facts(tmp_path).differing == ["leaflet"]


def test_a_clock_that_is_set_is_seen_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings().model_copy(update={"state_dir": tmp_path})
    monkeypatch.setattr(health_machine, "settings", lambda: chosen)
    assert health_machine.clock_facts().jump_s is None
    monkeypatch.setattr(health_machine, "_boot", lambda: ("one", 1000.0))
    health_machine.note_clock()
    monkeypatch.setattr(health_machine, "_boot", lambda: ("one", 1300.0))
    assert health_machine.clock_facts().jump_s == 300.0
    monkeypatch.setattr(health_machine, "_boot", lambda: ("two", 5.0))
    assert health_machine.clock_facts().jump_s is None, "the machine was started again"
