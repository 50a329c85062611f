"""Background work: a queue in PostgreSQL, one row per job that pages read, progress and cancel.

A job's own work runs in one transaction of its kind's function, so a job that is cut off can
simply run again.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import procrastinate
from sqlalchemy import NullPool, create_engine, func, select, text, update
from sqlalchemy.orm import Session

from core import log
from core.clock import now
from core.errors import Conflict, GridkeeperError, InvalidInput, NotFound
from core.identity import Actor, Role, system_actor
from core.progress import Cancelled, Progress
from geodata import db
from geodata.tables import JobRun

logger = log.get(__name__)
Work = Callable[[Actor, dict[str, Any], Progress], Mapping[str, Any]]
TASK = "gridkeeper.run"
QUEUE = "default"
PROGRESS_EVERY_S = 0.5
WATCH_LOCK = 314159265
BEGUN_AT_MOST = 3
"""A job that was cut off so many times, by too little memory or a fault of a library, is not begun again."""

KINDS: dict[str, Work] = {}
"""Kind of job to the function that does it; filled by `kind`."""


def kind(name: str) -> Callable[[Work], Work]:
    """Register the function that does jobs of kind ``name``."""

    def register(work: Work) -> Work:
        KINDS[name] = work
        return work

    return register


@dataclass(frozen=True)
class Job:
    """What a page shows of a job; ``total`` is None while unknown, ``cancel_requested`` until it has stopped.

    ``message`` says why it failed, ``zh`` the same in Chinese where that is known.
    """

    id: int
    kind: str
    state: str
    step: str
    done: int
    total: int | None
    message: str
    result: Mapping[str, Any] | None
    created_at: dt.datetime
    finished_at: dt.datetime | None
    cancel_requested: bool = False
    zh: str = ""

    @property
    def ended(self) -> bool:
        """Return whether nothing more will happen."""
        return self.state in {"done", "failed", "cancelled"}


def enqueue(session: Session, actor: Actor, kind_name: str, arguments: Mapping[str, Any]) -> int:
    """Queue a job in the caller's transaction and return its id; it starts after the commit."""
    run = JobRun(
        territory_id=actor.territory_id,
        user_id=actor.user_id,
        kind=kind_name,
        arguments={"actor": dataclasses.asdict(actor), "arguments": dict(arguments)},
        state="waiting",
    )
    session.add(run)
    session.flush()
    _defer(session, run.id)
    return run.id


def _defer(session: Session, run_id: int) -> None:
    session.execute(
        text(
            "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(:queue, :task, 0, NULL, NULL,"
            " CAST(:args AS jsonb), NULL)::procrastinate_job_to_defer_v1])"
        ),
        {"queue": QUEUE, "task": TASK, "args": json.dumps({"run_id": run_id})},
    )


def get_job(session: Session, job_id: int) -> Job:
    """Return a job; raise `NotFound` when there is none that the actor may see."""
    job = find_job(session, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    return job


def find_job(session: Session, job_id: int) -> Job | None:
    """Return a job; None when there is none, or it is not the actor's to see."""
    run = session.get(JobRun, job_id, populate_existing=True)
    return None if run is None else _as_job(run)


def recent_jobs(session: Session, territory_id: int | None, kind_name: str, *, limit: int = 10) -> list[Job]:
    """Return the newest jobs of a kind, newest first; of every territory when ``territory_id`` is None."""
    query = select(JobRun).where(JobRun.kind == kind_name).order_by(JobRun.id.desc()).limit(limit)
    if territory_id is not None:
        query = query.where(JobRun.territory_id == territory_id)
    return [_as_job(run) for run in session.scalars(query)]


def asked_of(session: Session, job_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """Return what jobs were asked, by id; without those that are not the actor's to see."""
    query = select(JobRun.id, JobRun.arguments["arguments"]).where(JobRun.id.in_(job_ids))
    return {row[0]: row[1] for row in session.execute(query)}


def ahead_of(session: Session, job_id: int) -> int:
    """Return how many jobs that the actor may see are done before a waiting one."""
    query = select(func.count()).select_from(JobRun)
    return session.execute(query.where(JobRun.id < job_id, JobRun.state.in_(("waiting", "running")))).scalar_one()


def request_cancel(session: Session, job_id: int) -> None:
    """Ask a job to stop; one that has not begun is cancelled at once."""
    run = session.get(JobRun, job_id, with_for_update=True)
    if run is None:
        raise NotFound(f"There is no job {job_id}.")
    run.cancel_requested = True
    if run.state == "waiting":
        run.state, run.finished_at, run.message = "cancelled", now(), "Cancelled before it began."


def _as_job(run: JobRun) -> Job:
    names = [field.name for field in dataclasses.fields(Job) if field.name != "zh"]
    made = Job(**{name: getattr(run, name) for name in names})
    if run.state != "failed":
        return made
    return dataclasses.replace(made, result=None, zh=str((run.result or {}).get("zh", "")))  # no work, no result


class RowProgress:
    """Progress that is written to the job's row twice a second and hears the wish to cancel there."""

    def __init__(self, run_id: int) -> None:
        self._run_id = run_id
        self._written = 0.0
        self._done, self._step = 0, ""
        self._total: int | None = None

    def step(self, name: str, total: int | None = None) -> None:
        """Begin a named step and write it at once."""
        self._step, self._total, self._done, self._written = name, total, 0, 0.0
        self._write()

    def advance(self, items: int = 1) -> None:
        """Count; raises `Cancelled` when somebody asked to stop."""
        self._done += items
        if time.monotonic() - self._written >= PROGRESS_EVERY_S:
            self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        values = {"step": self._step, "done": self._done, "total": self._total}
        with db.transaction(system_actor()) as session:
            stop = session.scalar(
                update(JobRun).where(JobRun.id == self._run_id).values(**values).returning(JobRun.cancel_requested)
            )
        if stop:
            raise Cancelled("Cancelled on request; nothing was changed.")


def run_job(run_id: int) -> None:
    """Do one queued job and write how it ended; never raises for what a job may do wrong."""
    with db.transaction(system_actor()) as session:
        run = session.get(JobRun, run_id, with_for_update=True)
        if run is None or run.state != "waiting":
            return
        run.state, run.started_at, run.begun = "running", now(), run.begun + 1
        name, payload = run.kind, run.arguments
    given = payload["actor"]
    given |= {"role": Role(given["role"]), "area_ids": tuple(given["area_ids"]), "unit_ids": tuple(given["unit_ids"])}
    outcome: dict[str, Any]
    try:
        result = _work_of(name)(Actor(**given), payload["arguments"], RowProgress(run_id))
        outcome = {"state": "done", "result": dict(result)}
    except Cancelled as error:
        outcome = {"state": "cancelled", "message": str(error)}
    except GridkeeperError as error:
        outcome = {"state": "failed", "message": str(error), "result": {"zh": error.zh}}
    except Exception as error:  # noqa: BLE001  (the guard of the jobs process: one bad job must not stop the queue)
        number = log.unknown_error(logger, error)
        told = {"zh": f"发生意外错误，编号为 {number}。"}
        outcome = {"state": "failed", "message": f"An unexpected error; its id is {number}.", "result": told}
    with db.transaction(system_actor()) as session:
        session.execute(update(JobRun).where(JobRun.id == run_id).values(finished_at=now(), **outcome))


def _work_of(name: str) -> Work:
    if name not in KINDS:
        raise InvalidInput(f"There is no job of kind {name}.")
    return KINDS[name]


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Be the only one who does jobs on this database while the context is open.

    Raises
    ------
    Conflict
        When another jobs process is at work.
    """
    holder = create_engine(db.url(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with holder.connect() as connection:
        if not connection.execute(select(func.pg_try_advisory_lock(WATCH_LOCK))).scalar():
            raise Conflict("Another jobs process is at work on this database.", hint="Stop it first.")
        yield


def take_up_again() -> int:
    """Queue jobs anew that were running when the jobs process died, and return how many; give up on the hopeless."""
    with db.transaction(system_actor()) as session:
        session.execute(
            update(JobRun)
            .where(JobRun.state == "running", JobRun.begun >= BEGUN_AT_MOST)
            .values(
                state="failed",
                finished_at=now(),
                message=f"Given up: it was cut off {BEGUN_AT_MOST} times.",
                result={"zh": f"已中断 {BEGUN_AT_MOST} 次，不再重试。"},
            )
        )
        ids = session.scalars(
            update(JobRun).where(JobRun.state == "running").values(state="waiting").returning(JobRun.id)
        ).all()
        session.execute(text("DELETE FROM procrastinate_jobs WHERE status = 'doing'"))
        for run_id in ids:
            _defer(session, run_id)
    return len(ids)


def queue_app() -> procrastinate.App:
    """Return the queue with its one task; periodic work is added by the caller."""
    made = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=db.conninfo(), min_size=1, max_size=4))

    @made.task(name=TASK, queue=QUEUE)
    def run(run_id: int) -> None:
        run_job(run_id)

    return made


def work(app: procrastinate.App, *, forever: bool = True) -> None:
    """Do jobs until told to stop; with ``forever`` False until the queue is empty."""

    async def loop() -> None:
        async with app.open_async():
            await app.run_worker_async(
                wait=forever, concurrency=1, fetch_job_polling_interval=2.0, delete_jobs="always"
            )

    asyncio.run(loop())
