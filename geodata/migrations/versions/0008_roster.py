"""Roster: shift patterns, who works by them from when, exceptions

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OF_TERRITORY = ("shift_pattern", "roster_rule")
OF_WORKERS = ("worker_pattern", "roster_exception")
WRITERS = {
    **dict.fromkeys(OF_TERRITORY, ("supervisor", "administrator")),
    **dict.fromkeys(OF_WORKERS, ("supervisor", "administrator", "grid_manager", "handler")),
}
"""Roles that may write at all; which rows, a trigger over each statement asks beside it."""


def upgrade() -> None:
    op.create_table(
        "shift_pattern",
        *_begin(),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=True),
        sa.Column("cycle_days", sa.SmallInteger(), nullable=False),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("cycle_days BETWEEN 1 AND 366", name=op.f("ck_shift_pattern_cycle")),
        sa.UniqueConstraint("territory_id", "code", name=op.f("uq_shift_pattern_territory_id_code")),
        *_end("shift_pattern"),
    )
    op.create_table(
        "worker_pattern",
        *_begin(),
        sa.Column("worker_id", sa.Integer(), nullable=False),
        sa.Column("pattern_id", sa.Integer(), nullable=False),
        sa.Column("anchor_on", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_worker_pattern_days")),
        postgresql.ExcludeConstraint(
            (sa.text("worker_id"), "="),
            (sa.text("daterange(valid_from, valid_to, '[]')"), "&&"),
            using="gist",
            name="ex_worker_pattern_worker_id_days",
        ),
        sa.ForeignKeyConstraint(
            ["pattern_id"], ["shift_pattern.id"], name=op.f("fk_worker_pattern_pattern_id_shift_pattern")
        ),
        _of_worker("worker_pattern"),
        *_end("worker_pattern"),
    )
    op.create_table(
        "roster_exception",
        *_begin(),
        sa.Column("worker_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("start_min", sa.SmallInteger(), nullable=True),
        sa.Column("end_min", sa.SmallInteger(), nullable=True),
        sa.Column("break_min", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "reason IN ('free', 'change', 'extra', 'swap', 'cover', 'plan')", name=op.f("ck_roster_exception_reason")
        ),
        sa.CheckConstraint(
            "start_min IS NULL AND end_min IS NULL OR start_min BETWEEN 0 AND 1439"
            " AND end_min > start_min AND end_min - start_min <= 1440",
            name=op.f("ck_roster_exception_times"),
        ),
        sa.CheckConstraint("break_min >= 0", name=op.f("ck_roster_exception_break")),
        sa.UniqueConstraint("worker_id", "day", name=op.f("uq_roster_exception_worker_id_day")),
        _of_worker("roster_exception"),
        *_end("roster_exception"),
    )
    op.create_table(
        "roster_rule",
        *_begin(),
        sa.Column("max_day_h", sa.Float(), server_default="10", nullable=False),
        sa.Column("max_week_h", sa.Float(), server_default="48", nullable=False),
        sa.Column("min_rest_h", sa.Float(), server_default="11", nullable=False),
        sa.Column("max_days_row", sa.SmallInteger(), server_default="6", nullable=False),
        sa.Column("break_after_h", sa.Float(), server_default="6", nullable=False),
        sa.Column("min_break_min", sa.SmallInteger(), server_default="30", nullable=False),
        sa.Column("cover_from_min", sa.SmallInteger(), server_default="480", nullable=False),
        sa.Column("cover_to_min", sa.SmallInteger(), server_default="1080", nullable=False),
        sa.CheckConstraint("cover_to_min > cover_from_min", name=op.f("ck_roster_rule_cover")),
        sa.UniqueConstraint("territory_id", name=op.f("uq_roster_rule_territory_id")),
        *_end("roster_rule"),
    )
    for table in (*OF_TERRITORY, *OF_WORKERS):
        op.create_index(op.f(f"ix_{table}_territory_id"), table, ["territory_id"], unique=False)
    for column in ("worker_id", "pattern_id"):
        op.create_index(op.f(f"ix_worker_pattern_{column}"), "worker_pattern", [column], unique=False)
    op.create_index("ix_roster_exception_territory_id_day", "roster_exception", ["territory_id", "day"], unique=False)
    op.add_column(
        "responsibility_grid", sa.Column("min_workers", sa.SmallInteger(), server_default="1", nullable=False)
    )
    run_file("0008_roster.sql")
    for column in ("shift_start", "shift_end", "shift_weekdays"):
        op.drop_column("worker", column)
    for table, roles in WRITERS.items():
        _guard(table, roles, "gk_roster_reach" if table in OF_WORKERS else "gk_own_territory")
        record_table(table)
        grant("SELECT, INSERT, UPDATE, DELETE", table)
    grant_all_sequences()


def downgrade() -> None:
    op.add_column("worker", sa.Column("shift_start", sa.Time(), nullable=True))
    op.add_column("worker", sa.Column("shift_end", sa.Time(), nullable=True))
    op.add_column(
        "worker", sa.Column("shift_weekdays", sa.ARRAY(sa.Integer()), server_default="{1,2,3,4,5}", nullable=False)
    )
    run_file("0008_roster_down.sql")
    op.drop_column("responsibility_grid", "min_workers")
    for table in ("roster_rule", "roster_exception", "worker_pattern", "shift_pattern"):
        op.drop_table(table)
    op.execute("DROP FUNCTION gk_roster_reach")
    op.execute("DROP FUNCTION gk_own_territory")


def _begin() -> tuple[sa.Column[int], ...]:
    return (
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
    )


def _of_worker(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["worker_id"], ["worker.id"], name=op.f(f"fk_{table}_worker_id_worker"), ondelete="CASCADE"
    )


def _end(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f(f"fk_{table}_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def _guard(table: str, roles: tuple[str, ...], reach: str) -> None:
    """Let only ``roles`` write a table, and of its rows only those that ``reach`` lets them."""
    arguments = ", ".join(f"'{role}'" for role in roles)
    op.execute(
        f"CREATE TRIGGER aa_guard_insert BEFORE INSERT OR UPDATE OR DELETE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION gk_guard({arguments})"
    )
    for event, name, references in (
        ("INSERT", "insert", "NEW"),
        ("UPDATE", "old", "OLD"),
        ("UPDATE", "new", "NEW"),
        ("DELETE", "delete", "OLD"),
    ):
        op.execute(
            f"CREATE TRIGGER ab_reach_{name} AFTER {event} ON {table} REFERENCING {references} TABLE AS changed"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {reach}()"
        )
