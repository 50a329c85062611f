"""What is done with studies: the trail of one that runs, fronts, decisions on sites

Revision ID: 0043
Revises: 0042
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None
JSON = postgresql.JSONB(astext_type=sa.Text())


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def _foreign(table: str, column: str, to: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"), ondelete=ondelete)


def upgrade() -> None:
    op.create_table(
        "study_live",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("trail", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("enough", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("people", sa.Float(), server_default="0", nullable=False),
        _now("heard_at"),
        _foreign("study_live", "study_id", "study", "CASCADE"),
        _foreign("study_live", "territory_id", "territory", "CASCADE"),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_study_live")),
    )
    op.create_table(
        "study_front",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="asked", nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("fronts", JSON, server_default=sa.text("'[]'"), nullable=False),
        _now("asked_at"),
        sa.CheckConstraint("state IN ('asked', 'answered')", name=op.f("ck_study_front_state")),
        _foreign("study_front", "job_id", "job_run", "SET NULL"),
        _foreign("study_front", "study_id", "study", "CASCADE"),
        _foreign("study_front", "territory_id", "territory", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_front")),
        sa.UniqueConstraint("study_id", name=op.f("uq_study_front_study_id")),
    )
    op.create_index(op.f("ix_study_front_job_id"), "study_front", ["job_id"], unique=False)
    op.create_table(
        "study_decision",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="proposed", nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Integer(), nullable=True),
        sa.Column("proposed_label", sa.Text(), server_default="", nullable=False),
        _now("proposed_at"),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_label", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "state IN ('proposed', 'signed', 'refused', 'withdrawn')", name=op.f("ck_study_decision_state")
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_study_decision_reason")),
        sa.CheckConstraint(
            "state <> 'signed' OR decided_by IS NULL OR decided_by IS DISTINCT FROM proposed_by",
            name=op.f("ck_study_decision_two_persons"),
        ),
        _foreign("study_decision", "decided_by", "app_user", "SET NULL"),
        _foreign("study_decision", "proposed_by", "app_user", "SET NULL"),
        _foreign("study_decision", "study_id", "study", "CASCADE"),
        _foreign("study_decision", "territory_id", "territory", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_decision")),
    )
    op.create_index(op.f("ix_study_decision_study_id"), "study_decision", ["study_id"], unique=False)
    op.create_index(
        "uq_study_decision_open", "study_decision", ["study_id"], unique=True,
        postgresql_where=sa.text("state IN ('proposed', 'signed')"),
    )  # fmt: skip
    for table in ("study_live", "study_front", "study_decision"):
        op.create_index(op.f(f"ix_{table}_territory_id"), table, ["territory_id"], unique=False)
    run_file("0043_studies.sql")
    record_table("study_decision")
    grant("SELECT, INSERT, UPDATE, DELETE", "study_live", "study_front", "study_decision")
    grant_all_sequences()


def downgrade() -> None:
    op.execute("DROP POLICY record_study_decision ON record")
    for table in ("study_decision", "study_front", "study_live"):
        op.drop_table(table)
    op.execute("DROP FUNCTION gk_study_decision()")
