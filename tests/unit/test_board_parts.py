"""What the board draws: which rows stand in which filter, the window of the timelines, and what is escaped."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import folium
import pytest
import shapely

from app import board_closures, board_head, board_plan_map, board_queue, board_rows, board_timeline, board_why, i18n
from app.board_entries import Group, Which, counts, entries, safe_ids, shown
from app.board_queue import Line
from app.board_timeline import Bar, Lane
from dispatch.closure_model import ClosureInfo
from dispatch.execution_model import Published, Sent
from dispatch.model import Board, Place, QueueRow, Whereabouts
from dispatch.plan_model import Reason
from dispatch.standing_model import PlanRow, StandingPlan, Summary, Unserved
from layers.style import LIGHT, contrast
from people.model import WorkerInfo

NOW = dt.datetime(2026, 3, 3, 12, 0, tzinfo=dt.UTC)
MIN = dt.timedelta(minutes=1)
WHY = Reason("emergency", "An emergency.", "紧急。")
NOTHING = Summary(0, 0, 0.0, 0, 0, 0, 0)


@pytest.fixture(autouse=True)
def _english():
    i18n.use("en")
    yield
    i18n.use("en")


def planned(
    incident_id: int, change: str = "new", *, safe: bool = True, due_min: float = 60, late_s: float = 0
) -> PlanRow:
    return PlanRow(
        plan_id=1, incident_id=incident_id, number=f"IOW-2026-{incident_id:06d}-4",
        title_en="Gas <smell>", title_zh="燃气", kind="handle", task_id=None, worker_id=7,
        worker_code="W007", place_in_route=1, start_at=NOW + 10 * MIN,
        end_at=NOW + 30 * MIN, travel_s=300.0, late_s=late_s, slack_s=None if late_s else 600.0, incident_version=1,
        task_version=None, was_worker_id=None, change=change, safe=safe, needs=None if safe else WHY, lon=0.0, lat=0.0,
        due_at=NOW + due_min * MIN, priority=2, emergency=False, status="filed",
    )  # fmt: skip


def known(incident_id: int, status: str = "filed", **changed: object) -> QueueRow:
    row = QueueRow(
        id=incident_id, number=f"IOW-2026-{incident_id:06d}-4",
        class_en="Lamp", class_zh="路灯", status=status, priority=2, emergency=False,
        reported_at=NOW, due_at=None, place="Mill Lane", community="Ryde", community_zh=None,
        grid_id=1, grid_code="G", responsibility_code=None, unit_id=1, unit="Roads", unit_zh=None, worker_id=None,
        worker_code=None, lon=0.0, lat=0.0, version=1,
    )  # fmt: skip
    return dataclasses.replace(row, **changed)


def board(*rows: QueueRow) -> Board:
    return Board(
        at=NOW, to_send=tuple(row for row in rows if row.status == "filed"),
        not_begun=tuple(row for row in rows if row.status == "dispatched"), to_file=0,
        begun=tuple(row for row in rows if row.status == "handling"),
    )  # fmt: skip


def plan(*rows: PlanRow, unserved: tuple[Unserved, ...] = ()) -> StandingPlan:
    return StandingPlan(1, NOW, 1, rows, unserved, NOTHING)


def test_every_open_incident_stands_in_the_queue_once_and_where_it_belongs():
    left = Unserved(4, "IOW-2026-000004-4", "Lamp", "路灯", 0.0, 0.0, NOW + MIN, 1, emergency=True, why=WHY)
    found = entries(
        board(known(1), known(2), known(5), known(6, "dispatched")),
        plan(planned(1), planned(2, safe=False), planned(3, "kept", due_min=5), unserved=(left,)),
    )
    assert [(each.incident_id, each.group) for each in found] == [
        (4, Group.UNSERVED), (3, Group.RUNNING), (1, Group.SAFE), (2, Group.NEEDS), (5, Group.WAITS),
        (6, Group.RUNNING),
    ]  # fmt: skip
    assert counts(found) == {
        Which.NEEDS: 2, Which.SAFE: 1, Which.RUNNING: 2, Which.UNSERVED: 2, Which.ALL: 6,
    }  # fmt: skip
    assert safe_ids(found) == (1,)
    assert [each.incident_id for each in shown(found, Which.ALL, "mill 000002-4")] == [2]


def test_where_time_lacks_it_is_said_when_the_next_shift_begins_and_with_how_many(monkeypatch):
    def worker(number: int, in_hours: float | None, *, away: bool = False) -> WorkerInfo:
        start = None if in_hours is None else NOW + dt.timedelta(hours=in_hours)
        return WorkerInfo(number, f"W00{number}", 1, "Roads", None, None, None, None, shift_start=start, away=away)

    def told(way: str, *workers: WorkerInfo) -> str:
        out = dataclasses.replace(WHY, kind=way, en="Somebody else would do.", zh="可由他人办理。")
        left = Unserved(4, "I-4", "Lamp", "路灯", 0.0, 0.0, None, 1, emergency=False, why=WHY, way_out=out)
        (entry,) = entries(board(), plan(unserved=(left,)))
        written: list[str] = []
        monkeypatch.setattr(board_why.widgets, "write", written.append)
        zone = ZoneInfo("Asia/Shanghai")
        board_why.unserved(entry, SimpleNamespace(board=board(), territory=SimpleNamespace(zone=zone)), workers)
        return written[0]

    crew = [worker(1, -7), worker(2, 2), worker(3, 2), worker(4, 1, away=True), worker(5, 3), worker(6, None)]
    assert "The next shift begins at 22:00 with 2 workers." in told("way_overtime", *crew)
    assert "The next shift begins at 23:00 with 1 worker." in told("way_people", crew[0], crew[4])
    assert "next shift begins" not in told("way_overtime", crew[0], crew[3], crew[5])
    assert "next shift begins" not in told("way_skill", *crew)
    i18n.use("zh")
    assert "可由他人办理。</p><p>下一班次 22:00 开始，共 2 人。" in told("way_people", *crew)


def test_who_comes_along_counts_until_he_is_told():
    def entry(lead: str, safe: bool, *told: str):
        comes = dataclasses.replace(planned(1, safe=safe), kind="help", worker_id=8, worker_code="W008")
        queue = known(1, "filed" if lead == "new" else "dispatched", worker_id=7, workers=2, along=told or None)
        (found,) = entries(board(queue), plan(planned(1, lead), comes))
        return found.group, found.calls, found.row.worker_code if found.row else ""

    assert entry("new", True) == (Group.SAFE, True, "W007")
    assert entry("kept", True) == (Group.SAFE, True, "W007")
    assert entry("kept", False) == (Group.NEEDS, True, "W007")
    assert entry("kept", True, "W008") == (Group.RUNNING, False, "W007")


@pytest.mark.parametrize(
    ("number", "told"), [("IOW-2026-004417-N", "4417"), ("IOW-2026-000020-4", "20"), ("elsewhere-99", "ere-99")]
)
def test_a_number_is_told_by_its_end(number, told):
    assert board_rows.short(number) == told


def test_the_window_holds_now_and_the_last_task_within_reason():
    lane = Lane(7, "W007", "", "1", (bar(NOW + 200 * MIN),))
    span = board_timeline.window([lane], NOW)
    assert span.start < NOW
    assert span.end == NOW + 230 * MIN
    assert board_timeline.window([], NOW).end == NOW + board_timeline.SHORTEST
    far = Lane(7, "W007", "", "1", (bar(NOW + dt.timedelta(days=2)),))
    assert board_timeline.window([far], NOW).end == NOW + board_timeline.LONGEST


def bar(start: dt.datetime, *, late_s: float = 0) -> Bar:
    return Bar(9, "9<b>", "new", start, start + 20 * MIN, 300.0, late_s, 600.0, 'tip "quoted"')


def test_what_is_late_carries_a_sign_and_everything_is_escaped():
    lane = Lane(7, "W<7", "Li & Wu", "1", (bar(NOW + 10 * MIN, late_s=60),), ends=NOW + 60 * MIN)
    drawn = board_timeline.drawn([lane], NOW, "Europe/London")
    assert "gk-tl-late" in drawn
    assert "! 9&lt;b&gt;" in drawn
    assert "W&lt;7" in drawn
    assert "tip &quot;quoted&quot;" in drawn
    assert "gk-tl-off" in drawn
    line = Line(1, "<i>", "1", "a & b", "5 min left", "soon", "W", emergency=True)
    assert "&lt;i&gt;" in board_queue.drawn([line], 3)
    assert "and 3 more" in board_queue.drawn([line], 3)


def test_the_sentence_says_what_is_won_and_what_is_lost():
    said = board_head.sentence(Summary(37, 4, 4.2 * 3600, 3, 50, 9, 0), 37, 4)
    assert said == "37 safe, 4 need you: 4.2 h less driving, 3 breaches avoided"
    worse = board_head.sentence(Summary(1, 0, -3600.0, -1, 50, 9, 0), 1, 0)
    assert worse == "1 safe, 0 need you: 1 h more driving, 1 breach more"
    left = board_head.sentence(Summary(37, 4, 4.2 * 3600, 3, 50, 9, 0), 2, 4)
    assert left == "2 safe, 4 need you"  # the hours were won by what is published
    assert board_head.sentence(Summary(37, 4, 4.2 * 3600, 3, 50, 9, 0), 0, 0).startswith("Nothing to decide")
    assert board_head.sentence(NOTHING, 0, 0) == "Nothing to decide: the plan runs as it was published."
    i18n.use("zh")
    assert board_head.sentence(Summary(37, 4, 4.2 * 3600, 3, 50, 9, 0), 37, 4) == (
        "37 项可直接发布，4 项需您决定：少行驶 4.2 小时、避免 3 项超期"
    )


@pytest.mark.parametrize("ink", ["text", "muted", "primary", "overdue", "on_time"])
def test_the_chosen_row_can_be_read(ink):
    sheet = (Path(board_head.__file__).parent / "assets" / "gridkeeper-board.css").read_text(encoding="utf-8")
    ground = re.search(r'aria-selected="true"\] \{[^}]*background: (#[0-9A-F]{6})', sheet)
    assert ground is not None
    assert contrast(LIGHT.tokens()[ink], ground[1]) >= 4.5


def test_a_breach_of_the_next_hour_is_one_that_nobody_reaches():
    late, reached, later = planned(1, late_s=60, due_min=20), planned(2, due_min=20), planned(3, due_min=90, late_s=9)
    found = entries(board(), plan(late, reached, later))
    assert [each.incident_id for each in found if board_head.breaks_soon(each, NOW)] == [1]


def test_what_is_published_since_runs_and_is_not_offered_again():
    moved = dataclasses.replace(planned(2, "moved"), was_worker_id=5)
    timed, visit = (
        dataclasses.replace(planned(3, "retimed"), task_id=30),
        dataclasses.replace(planned(4, "retimed"), kind="visit", task_id=40),
    )
    rows = (planned(1), moved, timed, visit)
    before = board(
        known(1), known(2, "dispatched", worker_id=5), known(3, "dispatched", worker_id=7),
    )  # fmt: skip
    assert safe_ids(entries(before, plan(*rows))) == (1, 2, 3, 4)
    after = board(
        known(1, "dispatched", worker_id=7), known(2, "dispatched", worker_id=7),
        known(3, "dispatched", worker_id=7),
    )  # fmt: skip
    after = dataclasses.replace(after, times={30: timed.start_at, 40: visit.start_at})
    found = entries(after, plan(*rows))
    assert safe_ids(found) == ()
    assert {each.group for each in found} == {Group.RUNNING}
    assert {each.change for each in found} == {"kept"}
    chosen = board(known(2, "dispatched", worker_id=9, worker_code="W009"))
    (other,) = entries(chosen, plan(moved))
    assert other.elsewhere
    assert board_rows.lines([other], plan(moved), NOW, dt.UTC)[0].who == "W009"


def test_open_work_of_a_worker_off_shift_needs_a_person_and_raises_the_alarm():
    soon = NOW + 20 * MIN
    away = known(1, "handling", worker_id=5, worker_code="W005", due_at=soon)
    here = known(2, "handling", worker_id=7, worker_code="W007", due_at=soon)
    why = Reason("begun_off_shift", "Off shift.", "不在班。")
    left = Unserved(3, "IOW-2026-000003-4", "Lamp", "路灯", 0.0, 0.0, soon, 1, emergency=False, why=why)
    told = known(3, "dispatched", worker_id=5, due_at=soon)
    found = entries(board(away, here, told), plan(unserved=(left,)), {7})
    assert {each.incident_id: each.group for each in found} == {
        1: Group.NEEDS, 2: Group.RUNNING, 3: Group.NEEDS,
    }  # fmt: skip
    assert [each.incident_id for each in found if board_head.breaks_soon(each, NOW)] == [1, 3]
    marks = {line.incident_id: line.mark for line in board_rows.lines(found, plan(), NOW, dt.UTC)}
    assert marks[1] == marks[3] == "its worker is off shift"


def test_what_was_sent_and_what_has_another_time_are_told_apart():
    done = [Sent(number, f"N-{number}", number, 7, what) for number, what in enumerate(("sent", "retimed", "kept"))]
    came = Published(tuple(done), (), also_retimed=1)
    assert board_head.came_out(came) == "1 is sent out. 2 have another time now."
    assert board_head.came_out(came, "N-0").startswith("N-0 is sent out as proposed.")
    assert board_head.came_out(Published((), ())) == "0 are sent out."


def test_a_worker_stands_beside_a_stop_that_would_cover_the_sign():
    far = dataclasses.replace(planned(2), lon=0.2, place_in_route=2)
    place = Place(Whereabouts.POSITION, 0.004, 0.0)

    def shift(first: PlanRow) -> int:
        picture = board_plan_map.Picture(
            (), NOW, ZoneInfo("UTC"), worker_id=7, route=(first, far), places={7: place}, workers={7: "W007"}
        )
        signs = [each for each in board_plan_map.scene(picture).parts if isinstance(each, folium.Marker)]
        return int(signs[0].icon.options["icon_anchor"][0])

    assert shift(planned(1)) > shift(dataclasses.replace(planned(1), lon=0.1)) + 20


def test_a_closure_to_come_is_told_with_the_commas_of_the_language():
    later = ClosureInfo(1, "大街", shapely.LineString([(0, 0), (1, 1)]), NOW + 30 * MIN, None, "", None, NOW)
    i18n.use("zh")
    said = board_closures.said(later, "Europe/London", NOW)
    assert "、直到开放" in said
    assert ", " not in said
