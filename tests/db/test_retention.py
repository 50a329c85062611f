"""Retention: what is older than it may be goes, what is younger stays, and the record says so."""

from __future__ import annotations

import datetime as dt
import json
import os

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from app import jobs as kinds
from app import retention
from app.cli import main
from core.clock import now
from core.errors import NotPermitted
from core.identity import Role, system_actor
from core.settings import settings
from geodata import jobs
from geodata import retention as forgetting
from geodata.db import transaction
from geodata.persons import new_subject, seal
from geodata.tables import (
    Absence,
    Command,
    Draft,
    Evidence,
    EvidenceImage,
    Incident,
    IncidentPersonal,
    Invitation,
    JobRun,
    Notice,
    PersonKey,
    Quarantine,
    Record,
    RetentionRun,
    SizeDay,
    TrafficHour,
    UserSession,
    Worker,
    WorkerPosition,
)
from incidents.service import evidence
from people import accounts, drafts
from tests.photos import prepared

KEEPER = system_actor(label="retention")


def ago(key: str, days: int) -> dt.datetime:
    """So many days before or (negative) after the moment from which a class is forgotten."""
    return now() - dt.timedelta(days=retention.class_of(key).keep_days + days)


@pytest.fixture(scope="module")
def old_and_new(demo_database: Engine) -> dict[str, object]:
    """One row of each class a day too old, and one a day too young."""
    made: dict[str, object] = {}
    with transaction(system_actor()) as session:
        account = next(each for each in accounts.demo_accounts(session) if each.role is Role.SUPERVISOR)
        planner = next(each for each in accounts.demo_accounts(session) if each.role is Role.DISPATCHER)
        home = account.territory_id
        worker_id = session.scalars(select(Worker.id).limit(1)).one()
        hours = dt.timedelta(hours=settings().session_hours)
        for days in (1, -1):
            accounts.start_session(session, account, locale="en", at=ago("sessions", days) - hours)
            session.add(
                Invitation(user_id=account.user_id, kind="reset", code_hash=str(days), expires_at=ago("codes", days))
            )
            on_shift = session.scalars(select(Worker.id).order_by(Worker.id).offset(days + 1).limit(1)).one()
            place = {"at": ago("positions", days), "geom": "SRID=4326;POINT(0 0)"}
            hour = {"hour_at": ago("traffic", days), "kmh": 30.0, "readings": 1, "source": "x"}
            session.add(TrafficHour(road_id=1, way=0, territory_id=home, **hour))
            session.add(WorkerPosition(worker_id=on_shift, territory_id=home, **place))
            ended = ago("absences", days).date()
            session.add(Absence(territory_id=home, worker_id=worker_id, kind="sick", from_on=ended, to_on=ended))
            session.add(JobRun(territory_id=home, kind="x", state="done", finished_at=ago("jobs", days)))
            session.add(
                Command(id=f"command {days}", territory_id=home, act="x", digest="x", created_at=ago("commands", days))
            )
            told = {"territory_id": home, "incident_id": session.scalars(select(Incident.id).limit(1)).one()}
            session.add(Notice(outbox_id=100 + days, topic="assigned", task_id=1, made_at=ago("notices", days), **told))
            subject = new_subject(session)
            session.add(
                Quarantine(
                    territory_id=home,
                    row_no=1,
                    reason="outside",
                    message="x",
                    fingerprint=str(days),
                    subject_id=subject,
                    raw_cipher=seal(session, subject, "Li Wei"),
                    created_at=ago("quarantine", days),
                )
            )
            made[f"quarantine {days}"] = subject
        closed = session.scalars(select(Incident).where(Incident.status == "closed").limit(2)).all()
        for incident, days in zip(closed, (1, -1), strict=True):
            incident.closed_at = ago("reporters", days)
            personal = session.get(IncidentPersonal, incident.id)
            made[f"reporters {days}"] = (incident.id, personal.subject_id if personal else None)
        made |= _photos(session, home)
    for each, days in ((account, 1), (planner, -1)):
        actor = each.actor("en")
        with transaction(actor) as session:
            drafts.save_draft(session, actor, "incident", {"text": "Li Wei calls"})
            draft = session.scalars(select(Draft).where(Draft.user_id == each.user_id)).one()
            draft.updated_at = ago("drafts", days)
            made[f"drafts {days}"] = (actor, draft.subject_id)
    uploads = settings().state_dir / "uploads"
    uploads.mkdir(exist_ok=True)
    for name, days in (("old.osm.pbf", 1), ("new.osm.pbf", -1)):
        (uploads / name).write_bytes(b"x")
        then = ago("uploads", days).timestamp()
        os.utime(uploads / name, (then, then))
    return made


def _photos(session: Session, home: int | None) -> dict[str, object]:
    """A photo of an incident that ended a day too long ago, and of one a day less, for both copies; others go."""
    session.execute(text("DELETE FROM evidence"))
    given = iter(
        session.scalars(select(Incident).where(Incident.status == "closed").order_by(Incident.id.desc()).limit(4)).all()
    )
    made: dict[str, object] = {}
    for key in ("originals", "evidence"):
        for days in (1, -1):
            incident = next(given)
            incident.closed_at, incident.status = None, "checking"
            session.flush()
            info = evidence.add_photo(session, system_actor(home), incident.id, "after", prepared())
            incident.closed_at, incident.status = ago(key, days), "closed"
            made[f"{key} {days}"] = info.id
    return made


@pytest.fixture(scope="module")
def done(old_and_new: dict[str, object]) -> dict[str, int]:
    return {each.key: each.deleted for each in retention.clean_up()}


def test_one_of_each_class_goes(done: dict[str, int]) -> None:
    assert done == {
        "sessions": 1,
        "codes": 1,
        "drafts": 1,
        "commands": 1,
        "reporters": 1,
        "originals": 3,
        "evidence": 1,
        "reviews": 0,
        "absences": 1,
        "quarantine": 1,
        "uploads": 1,
        "notices": 1,
        "jobs": 1,
        "queue": 0,
        "positions": 1,
        "traffic": 1,
        "uses": 0,
        "runs": 0,
    }


def test_what_is_younger_stays(done: dict[str, int], old_and_new: dict[str, object]) -> None:
    with transaction(system_actor()) as session:
        left = session.scalars(select(Command.id).where(Command.act == "x")).all()
        assert left == ["command -1"]
        assert session.scalars(select(Quarantine.fingerprint)).all() == ["-1"]
        assert session.scalar(select(func.count()).select_from(UserSession)) == 1
        assert session.scalars(select(Invitation.code_hash)).all() == ["-1"]
        long_ago = (now() - dt.timedelta(days=600)).date()
        assert session.scalar(select(func.count()).select_from(Absence).where(Absence.to_on < long_ago)) == 1
        assert session.scalar(select(func.count()).select_from(JobRun)) == 1
        for days, there in ((1, False), (-1, True)):
            incident_id, _ = old_and_new[f"reporters {days}"]  # type: ignore[misc]
            assert (session.get(IncidentPersonal, incident_id) is not None) is there
            assert session.get(Incident, incident_id) is not None
    for days, there in ((1, False), (-1, True)):
        actor, _ = old_and_new[f"drafts {days}"]  # type: ignore[misc]
        with transaction(actor) as session:
            assert (drafts.load_draft(session, actor, "incident") is not None) is there
    left = {path.name for path in (settings().state_dir / "uploads").iterdir()}
    assert left & {"old.osm.pbf", "new.osm.pbf"} == {"new.osm.pbf"}


def test_of_photos_the_unblurred_copy_goes_first(done: dict[str, int], old_and_new: dict[str, object]) -> None:
    """A photo too old for both copies, one too old to be kept unblurred, one too young for either."""
    left: dict[object, list[int]] = {}
    with transaction(system_actor()) as session:
        for image in session.scalars(select(EvidenceImage).order_by(EvidenceImage.version)):
            left.setdefault(image.evidence_id, []).append(image.version)
        assert session.scalar(select(func.count()).select_from(Evidence)) == 4, (
            "that there was a photo, and its hash, stays"
        )
    assert {
        key: left.get(old_and_new[key], []) for key in ("evidence 1", "evidence -1", "originals 1", "originals -1")
    } == {
        "evidence 1": [],
        "evidence -1": [1],
        "originals 1": [1],
        "originals -1": [0, 1],
    }


def test_the_keys_of_what_went_are_destroyed_and_no_others(
    done: dict[str, int], old_and_new: dict[str, object]
) -> None:
    gone = {old_and_new["quarantine 1"], old_and_new["drafts 1"][1], old_and_new["reporters 1"][1]}  # type: ignore[index]
    kept = {old_and_new["quarantine -1"], old_and_new["drafts -1"][1], old_and_new["reporters -1"][1]}  # type: ignore[index]
    with transaction(system_actor()) as session:
        dead = set(session.scalars(select(PersonKey.subject_id).where(PersonKey.wrapped_key.is_(None))))
    assert gone <= dead
    assert not kept & dead


def test_the_record_says_what_was_forgotten_and_of_nobody(done: dict[str, int]) -> None:
    with transaction(system_actor()) as session:
        said = {row.subject_id: row for row in session.scalars(select(Record).where(Record.action == forgetting.EVENT))}
        assert set(said) == {key for key, count in done.items() if count}
        row = said["sessions"]
        assert (row.after, row.actor_label, row.purpose) == (
            {"rows": 1, "kept_days": settings().keep_sessions_days},
            "retention",
            "retention",
        )
        every = session.execute(text("SELECT count(*) FROM record WHERE record::text LIKE '%Li Wei%'"))
        assert every.scalar_one() == 0


def test_the_table_in_words_tells_the_last_clean_up(done: dict[str, int]) -> None:
    with transaction(KEEPER) as session:
        rules = retention.rules(session, KEEPER)
        sizes = session.scalars(select(SizeDay)).all()
    assert {rule.key: rule.last.deleted for rule in rules if rule.last} == done
    assert all(rule.name and rule.ground and rule.keep_days for rule in rules)
    assert [size.database_bytes > 1_000_000 for size in sizes] == [True]
    names = {name.upper() for name in type(settings()).model_fields}
    assert {rule.setting.removeprefix("GRIDKEEPER_") for rule in rules} <= names


def test_the_queue_is_cleared_of_what_nothing_waits_for(demo_database: Engine, done: dict[str, int]) -> None:
    long_ago = "now() - interval '100 days'"
    with transaction(system_actor()) as session:
        session.execute(
            text(
                "INSERT INTO procrastinate_jobs (queue_name, task_name)"
                " VALUES ('default', 'old'), ('default', 'new'), ('default', 'waits')"
            )
        )
        session.execute(text("UPDATE procrastinate_jobs SET status = 'failed' WHERE task_name IN ('old', 'new')"))
        session.execute(
            text(
                f"UPDATE procrastinate_events SET at = {long_ago} WHERE job_id IN"
                " (SELECT id FROM procrastinate_jobs WHERE task_name IN ('old', 'waits'))"
            )
        )
        session.execute(
            text(
                "INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp, job_id) SELECT 'nightly',"
                f" extract(epoch FROM {long_ago}), id FROM procrastinate_jobs WHERE task_name = 'old'"
            )
        )
        forgetting.forget_queue(session, KEEPER, now() - dt.timedelta(days=7))
        left = session.execute(text("SELECT task_name FROM procrastinate_jobs ORDER BY id")).scalars().all()
        assert left == ["new", "waits"]
        assert session.execute(text("SELECT count(*) FROM procrastinate_periodic_defers")).scalar_one() == 0
        session.rollback()


def test_a_fresh_answer_and_a_fresh_draft_are_kept_by_the_database_itself(
    done: dict[str, int], old_and_new: dict[str, object]
) -> None:
    with transaction(system_actor()) as session:
        session.add(Command(id="fresh one", territory_id=1, act="x", digest="x"))
        session.flush()
        assert session.execute(text("DELETE FROM command WHERE id = 'fresh one'")).rowcount == 0  # type: ignore[attr-defined]
        session.rollback()


def test_who_does_not_keep_the_platform_running_forgets_nothing(demo_database: Engine) -> None:
    with transaction(system_actor()) as session:
        officers = {each.role: each.actor() for each in accounts.demo_accounts(session)}
    for role in set(officers) - {Role.ADMINISTRATOR}:
        actor = officers[role]
        with transaction(actor) as session, pytest.raises(NotPermitted):
            forgetting.forget(session, actor, retention.class_of("jobs"))
        with transaction(actor) as session, pytest.raises(NotPermitted):
            retention.rules(session, actor)


def test_the_clean_up_is_also_a_job_of_the_administrator(demo_database: Engine, done: dict[str, int]) -> None:
    assert retention.JOB in jobs.KINDS
    with transaction(system_actor()) as session:
        officers = {each.role: each.actor() for each in accounts.demo_accounts(session)}
    wanted = {}
    for role in (Role.ADMINISTRATOR, Role.SUPERVISOR):
        with transaction(officers[role]) as session:
            wanted[role] = jobs.enqueue(session, officers[role], retention.JOB, {})
    jobs.work(jobs.queue_app(), forever=False)
    with transaction(system_actor()) as session:
        ended = {role: jobs.get_job(session, job_id) for role, job_id in wanted.items()}
        labels = set(session.scalars(select(RetentionRun.actor_label)))
    assert ended[Role.ADMINISTRATOR].state == "done"
    assert ended[Role.ADMINISTRATOR].result is not None
    assert set(ended[Role.ADMINISTRATOR].result) == set(done)
    assert ended[Role.SUPERVISOR].state == "failed"
    assert labels == {"retention", officers[Role.ADMINISTRATOR].label}
    assert kinds.NIGHTLY


def test_the_command_line_runs_and_lists(demo_database: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str) -> dict[str, object]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        assert not ended.value.code
        return dict(json.loads(capsys.readouterr().out))

    assert set(said("retention", "run", "--json")["deleted"]) == {data.key for data in retention.classes()}  # type: ignore[call-overload]
    listed = said("retention", "list", "--json")
    assert listed["drafts"]["kept_days"] == settings().keep_drafts_days  # type: ignore[index]
    assert listed["drafts"]["last_deleted"] == 0  # type: ignore[index]


@pytest.mark.parametrize(("name", "value"), [("KEEP_JOBS_DAYS", "1"), ("KEEP_REPORTERS_DAYS", "7")])
def test_settings_have_bounds(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    from core.errors import InvalidInput
    from core.settings import load_settings

    monkeypatch.setenv(f"GRIDKEEPER_{name}", value)
    with pytest.raises(InvalidInput, match=name):
        load_settings()
