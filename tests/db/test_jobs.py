"""Jobs: progress in the row, results kept, cancel, failure in words, resumed after a crash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import Engine, text

from core.errors import Conflict, InvalidInput
from core.identity import Actor, Role, system_actor
from core.progress import Progress
from geodata import jobs
from geodata.db import transaction

PLANNER = Actor(None, "Planner 1", Role.PLANNER, None, area_ids=(3, 4))


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    seen: dict[str, Any] = {}

    def count(actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
        seen["actor"] = actor
        progress.step("Counting", arguments["to"])
        for _ in range(arguments["to"]):
            progress.advance()
        return {"counted": arguments["to"]}

    def cancel_itself(_actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
        progress.step("Working")
        with transaction(system_actor()) as session:
            jobs.request_cancel(session, arguments["id"]())
        progress.step("Going on")
        return {}

    def refuse(_actor: Actor, _arguments: dict[str, Any], _progress: Progress) -> Mapping[str, Any]:
        raise InvalidInput("Row 7 has no place.", hint="Give lon and lat.", zh="第 7 行没有地点。")

    def crash(_actor: Actor, _arguments: dict[str, Any], _progress: Progress) -> Mapping[str, Any]:
        raise ZeroDivisionError

    monkeypatch.setattr(jobs, "KINDS", {"count": count, "refuse": refuse, "crash": crash, "self": cancel_itself})
    return seen


def _put(kind: str, **arguments: Any) -> int:
    with transaction(PLANNER) as session:
        return jobs.enqueue(session, PLANNER, kind, arguments)


def _look(job_id: int) -> jobs.Job:
    with transaction(PLANNER) as session:
        return jobs.get_job(session, job_id)


def test_a_job_runs_in_the_queue_as_who_asked_and_keeps_its_result(database: Engine, kinds: dict[str, Any]) -> None:
    job_id = _put("count", to=3)
    assert _look(job_id).state == "waiting"
    jobs.work(jobs.queue_app(), forever=False)
    job = _look(job_id)
    assert (job.state, job.result, job.step, job.total) == ("done", {"counted": 3}, "Counting", 3)
    assert kinds["actor"] == PLANNER


def test_a_job_of_a_rolled_back_transaction_never_runs(database: Engine, kinds: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError), transaction(PLANNER) as session:
        jobs.enqueue(session, PLANNER, "count", {"to": 1})
        raise RuntimeError
    jobs.work(jobs.queue_app(), forever=False)
    assert "actor" not in kinds


def test_failures_end_in_words_and_the_next_job_runs(database: Engine, kinds: dict[str, Any]) -> None:
    refused, crashed, unknown, fine = _put("refuse"), _put("crash"), _put("no such kind"), _put("count", to=1)
    jobs.work(jobs.queue_app(), forever=False)
    assert (_look(refused).state, _look(refused).message) == ("failed", "Row 7 has no place. Give lon and lat.")
    assert (_look(refused).zh, _look(refused).result) == ("第 7 行没有地点。", None)
    assert "its id is" in _look(crashed).message
    assert "no job of kind" in _look(unknown).message
    assert _look(fine).state == "done"


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_at_its_next_step(
    database: Engine, kinds: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = _put("count", to=1)
    with transaction(PLANNER) as session:
        jobs.request_cancel(session, waiting)
    running = _put("self")
    original = jobs.KINDS["self"]
    monkeypatch.setitem(jobs.KINDS, "self", lambda a, _args, p: original(a, {"id": lambda: running}, p))
    jobs.work(jobs.queue_app(), forever=False)
    assert _look(waiting).state == "cancelled"
    assert _look(running).state == "cancelled"
    assert "actor" not in kinds


def test_a_job_that_was_cut_off_begins_again(database: Engine, kinds: dict[str, Any]) -> None:
    job_id = _put("count", to=2)
    with database.begin() as connection:
        connection.execute(text("SELECT set_config('gridkeeper.role', 'system', true)"))
        connection.execute(text("UPDATE job_run SET state = 'running' WHERE id = :id"), {"id": job_id})
        connection.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
    assert jobs.take_up_again() == 1
    jobs.work(jobs.queue_app(), forever=False)
    assert _look(job_id).state == "done"


def test_a_job_that_kills_the_process_again_and_again_is_given_up(database: Engine, kinds: dict[str, Any]) -> None:
    job_id = _put("count", to=2)
    for begun in range(1, jobs.BEGUN_AT_MOST + 1):
        with database.begin() as connection:
            connection.execute(text("SELECT set_config('gridkeeper.role', 'system', true)"))
            connection.execute(
                text("UPDATE job_run SET state = 'running', begun = :begun WHERE id = :id"),
                {"id": job_id, "begun": begun},
            )
        assert jobs.take_up_again() == (1 if begun < jobs.BEGUN_AT_MOST else 0)
    given_up = _look(job_id)
    assert (given_up.state, given_up.ended) == ("failed", True)
    assert "cut off 3 times" in given_up.message
    jobs.work(jobs.queue_app(), forever=False)
    assert "actor" not in kinds


def test_two_jobs_processes_on_one_database_are_refused(database: Engine) -> None:
    from app.jobs import serve

    with database.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": jobs.WATCH_LOCK})
        with pytest.raises(Conflict, match="Another jobs process"):
            serve(forever=False)
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock_all()"))
    serve(forever=False)
