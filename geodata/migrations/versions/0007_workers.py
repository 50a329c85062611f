"""Workers: equipment, employment, absences with a deputy

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MANAGERS = ("administrator", "supervisor", "grid_manager", "handler")
GUARDS_BEFORE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("worker", "INSERT OR UPDATE OR DELETE", ("administrator",)),
    ("person", "INSERT", ("grid_worker", "grid_manager", "dispatcher", "supervisor", "administrator")),
    ("person", "UPDATE OR DELETE", ("administrator",)),
)
GUARDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("worker", "INSERT OR UPDATE", MANAGERS),
    ("worker", "DELETE", ("administrator",)),
    ("person", "INSERT", ("grid_worker", "grid_manager", "dispatcher", "supervisor", "administrator", "handler")),
    ("person", "UPDATE", MANAGERS),
    ("person", "DELETE", ("administrator",)),
)
"""Who may write at all; which rows of workers and persons, a trigger and a policy ask beside it."""


def upgrade() -> None:
    # A trusted extension: the owner of the database may add it.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.add_column("worker", sa.Column("equipment", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("worker", sa.Column("employed_from", sa.Date(), nullable=True))
    op.add_column("worker", sa.Column("employed_to", sa.Date(), nullable=True))
    op.create_table(
        "absence",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.Integer(), nullable=False),
        sa.Column("deputy_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("kind IN ('leave', 'sick', 'training', 'other')", name=op.f("ck_absence_kind")),
        sa.CheckConstraint("to_on >= from_on", name=op.f("ck_absence_days")),
        sa.CheckConstraint("deputy_id <> worker_id", name=op.f("ck_absence_deputy")),
        postgresql.ExcludeConstraint(
            (sa.text("worker_id"), "="),
            (sa.text("daterange(from_on, to_on, '[]')"), "&&"),
            using="gist",
            name="ex_absence_worker_id_days",
        ),
        sa.ForeignKeyConstraint(["deputy_id"], ["worker.id"], name=op.f("fk_absence_deputy_id_worker")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_absence_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_absence_worker_id_worker"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    for column in ("territory_id", "worker_id"):
        op.create_index(op.f(f"ix_absence_{column}"), "absence", [column], unique=False)
    op.create_index(
        "ix_task_live_worker_id",
        "task",
        ["territory_id", "worker_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('waiting', 'accepted', 'started')"),
    )
    grant("SELECT, INSERT, UPDATE, DELETE", "absence")
    grant_all_sequences()
    # Why somebody is away may be a matter of health: it stands in no record that nobody can change.
    record_table("absence", hidden="kind")
    _replace_guards(GUARDS_BEFORE, GUARDS)
    run_file("0007_workers.sql")


def downgrade() -> None:
    run_file("0007_workers_down.sql")
    _replace_guards(GUARDS, GUARDS_BEFORE)
    op.drop_index("ix_task_live_worker_id", table_name="task")
    op.drop_table("absence")
    for column in ("equipment", "employed_from", "employed_to"):
        op.drop_column("worker", column)
    op.execute("DROP EXTENSION btree_gist")


def _replace_guards(
    old: tuple[tuple[str, str, tuple[str, ...]], ...], new: tuple[tuple[str, str, tuple[str, ...]], ...]
) -> None:
    for table, event, _ in old:
        op.execute(f"DROP TRIGGER aa_guard_{_word(event)} ON {table}")
    for table, event, roles in new:
        arguments = ", ".join(f"'{role}'" for role in roles)
        op.execute(
            f"CREATE TRIGGER aa_guard_{_word(event)} BEFORE {event} ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION gk_guard({arguments})"
        )


def _word(event: str) -> str:
    return event.split()[0].lower()
