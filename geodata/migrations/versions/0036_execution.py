"""Carrying out plans: planned times and progress of tasks, pins and bars, messages to send and messages arrived

Revision ID: 0036
Revises: 0035
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from geodata.migrations import FOLDER
from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file, run_script

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

REPLACED = (
    ("0002_incident_day.sql", "gk_incident_changed", "\nEND $$;"),
    ("0023_enforce.sql", "gk_lawless", "\n$$;"),
    ("0025_desk.sql", "gk_duplicates_follow", "\nEND $$;"),
)
"""File that made a function as it was before, its name, and how its text ends."""
TABLES = ("pin", "outbox", "notice")
TIMES = ("planned_start", "planned_end", "on_way_at", "arrived_at", "expected_done_at", "escalated_at")
_LIVE = "ended_at IS NULL"
_NOBODY = "state = 'waiting' AND escalated_at IS NOT NULL"


def upgrade() -> None:
    for name in TIMES:
        op.add_column("task", _moment(name))
    op.add_column("task", sa.Column("place_in_route", sa.SmallInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_task_planned"),
        "task",
        "planned_end > planned_start AND num_nulls(planned_start, planned_end) <> 1",
    )
    op.execute(
        "ALTER TABLE task ADD CONSTRAINT ex_task_worker_planned EXCLUDE USING gist"
        " (worker_id WITH =, tstzrange(planned_start, planned_end) WITH &&)"
        " WHERE (state IN ('waiting', 'accepted', 'started') AND planned_start IS NOT NULL) DEFERRABLE"
    )
    op.create_index("ix_task_escalated", "task", ["territory_id"], unique=False, postgresql_where=sa.text(_NOBODY))
    _pin()
    _outbox()
    _notice()
    run_file("0036_execution.sql")
    grant("SELECT, INSERT, UPDATE, DELETE", *TABLES)
    grant_all_sequences()
    # What is to be sent and what arrived tell of changes that are recorded themselves.
    record_table("pin")


def _moment(name: str, *, nullable: bool = True, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def _to(table: str, column: str, other: str, ondelete: str | None = "CASCADE") -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)


def _head() -> tuple[sa.Column[int], ...]:
    return (
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
    )


def _end(table: str) -> tuple[sa.Constraint, ...]:
    return (
        _to(table, "territory_id", "territory"),
        _to(table, "incident_id", "incident"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def _indexed(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)


def _pin() -> None:
    op.create_table(
        "pin",
        *_head(),
        sa.Column("worker_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        _moment("made_at", nullable=False, now=True),
        _moment("ended_at"),
        sa.CheckConstraint("kind IN ('pin', 'bar')", name=op.f("ck_pin_kind")),
        sa.CheckConstraint("ended_at >= made_at", name=op.f("ck_pin_span")),
        _to("pin", "worker_id", "worker"),
        _to("pin", "made_by", "app_user", None),
        *_end("pin"),
    )
    _indexed("pin", "territory_id", "incident_id", "worker_id")
    for name, columns, unique, where in (
        ("uq_pin_live", ["incident_id"], True, f"kind = 'pin' AND {_LIVE}"),
        ("uq_pin_live_bar", ["incident_id", "worker_id"], True, f"kind = 'bar' AND {_LIVE}"),
        ("ix_pin_live_territory_id", ["territory_id"], False, _LIVE),
    ):
        op.create_index(name, "pin", columns, unique=unique, postgresql_where=sa.text(where))


def _outbox() -> None:
    op.create_table(
        "outbox",
        *_head(),
        _moment("made_at", nullable=False, now=True),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("worker_id", sa.Integer(), nullable=True),
        sa.Column("payload", JSONB(), server_default="{}", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        _moment("sent_at"),
        sa.CheckConstraint(
            "topic IN ('assigned', 'withdrawn', 'rework', 'returned', 'escalated')", name=op.f("ck_outbox_topic")
        ),
        *_end("outbox"),
    )
    _indexed("outbox", "territory_id", "incident_id")
    unsent, sent = sa.text("sent_at IS NULL"), sa.text("sent_at IS NOT NULL")
    op.create_index("ix_outbox_unsent", "outbox", ["id"], unique=False, postgresql_where=unsent)
    op.create_index("ix_outbox_sent_at", "outbox", ["sent_at"], unique=False, postgresql_where=sent)


def _notice() -> None:
    op.create_table(
        "notice",
        *_head(),
        sa.Column("outbox_id", sa.BigInteger(), nullable=False),
        sa.Column("worker_id", sa.Integer(), nullable=True),
        _moment("made_at", nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("payload", JSONB(), server_default="{}", nullable=False),
        _moment("read_at"),
        sa.UniqueConstraint("outbox_id", name=op.f("uq_notice_outbox_id")),
        *_end("notice"),
    )
    _indexed("notice", "territory_id", "incident_id")
    own, desk = sa.text("worker_id IS NOT NULL"), sa.text("worker_id IS NULL")
    op.create_index("ix_notice_worker_id", "notice", ["worker_id", "id"], unique=False, postgresql_where=own)
    op.create_index("ix_notice_desk", "notice", ["territory_id", "id"], unique=False, postgresql_where=desk)


def downgrade() -> None:
    run_file("0036_execution_down.sql")
    for file, name, end in REPLACED:
        script = (FOLDER / "sql" / file).read_text()
        start = script.index(f"FUNCTION {name}(")
        run_script("CREATE OR REPLACE " + script[start : script.index(end, start) + len(end)])
    run_script("ALTER FUNCTION gk_incident_changed SET search_path = pg_catalog, public, pg_temp")
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_index("ix_task_escalated", table_name="task")
    op.execute("ALTER TABLE task DROP CONSTRAINT ex_task_worker_planned")
    op.drop_constraint(op.f("ck_task_planned"), "task", type_="check")
    for name in ("place_in_route", *reversed(TIMES)):
        op.drop_column("task", name)
