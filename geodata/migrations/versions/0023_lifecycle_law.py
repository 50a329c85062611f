"""The law of an incident's life in the database: allowed steps, more time, joint handling, separate hands

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

LIVE = "state IN ('waiting', 'accepted', 'started')"


def upgrade() -> None:
    _add_columns()
    op.create_table(
        "transition",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("subject", "act", "source", "target", "role")),
        sa.PrimaryKeyConstraint("subject", "act", "source", "target", "role", name=op.f("pk_transition")),
    )
    op.create_table(
        "extension_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'granted', 'refused')", name=op.f("ck_extension_request_state")),
        sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name=op.f("ck_extension_request_decided")),
        sa.CheckConstraint("decided_by <> asked_by", name=op.f("ck_extension_request_two_persons")),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_extension_request_{column}_{table}"), ondelete=ondelete
            )
            for column, table, ondelete in (
                ("territory_id", "territory", "CASCADE"),
                ("incident_id", "incident", "CASCADE"),
                ("asked_by", "app_user", None),
                ("decided_by", "app_user", None),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension_request")),
    )
    for column in ("incident_id", "territory_id"):
        op.create_index(op.f(f"ix_extension_request_{column}"), "extension_request", [column], unique=False)
    op.create_index(
        "uq_extension_request_waiting",
        "extension_request",
        ["incident_id"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    run_file("0023_transitions.sql")
    run_file("0023_enforce.sql")
    grant("SELECT", "transition")
    grant("SELECT, INSERT, UPDATE, DELETE", "extension_request")
    grant_all_sequences()
    record_table("extension_request")


def _add_columns() -> None:
    op.add_column("incident", sa.Column("reported_by", sa.Integer(), nullable=True))
    op.add_column("incident", sa.Column("sampled_by", sa.Integer(), nullable=True))
    for column in ("reported_by", "sampled_by"):
        op.create_foreign_key(op.f(f"fk_incident_{column}_app_user"), "incident", "app_user", [column], ["id"])
    for column in ("postponed_at", "postponed_until", "urged_at"):
        op.add_column("incident", sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    op.add_column("incident", sa.Column("urges", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("incident", sa.Column("urge_reason", sa.Text(), server_default="", nullable=False))
    op.add_column("incident", sa.Column("self_handled", sa.Boolean(), server_default="false", nullable=False))
    op.create_check_constraint(op.f("ck_incident_sampled_by_another"), "incident", "sampled_by <> closed_by")
    op.create_check_constraint(op.f("ck_incident_postponed_span"), "incident", "postponed_until >= postponed_at")
    op.add_column("task", sa.Column("joint", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("task", sa.Column("outcome", sa.Text(), server_default="", nullable=False))
    op.add_column("task", sa.Column("handled_by", sa.ARRAY(sa.Integer()), server_default="{}", nullable=False))
    op.drop_index("uq_task_live_handle", table_name="task")
    op.create_index(
        "uq_task_live_handle",
        "task",
        ["incident_id"],
        unique=True,
        postgresql_where=sa.text(f"kind = 'handle' AND NOT joint AND {LIVE}"),
    )
    op.create_index(
        "uq_task_live_joint",
        "task",
        ["incident_id", "unit_id"],
        unique=True,
        postgresql_where=sa.text(f"joint AND {LIVE}"),
    )
    op.create_index("ix_task_joint_unit_id", "task", ["unit_id"], postgresql_where=sa.text("joint"))


def downgrade() -> None:
    run_file("0023_enforce_down.sql")
    op.drop_index("ix_task_joint_unit_id", table_name="task")
    op.drop_index("uq_task_live_joint", table_name="task")
    op.drop_index("uq_task_live_handle", table_name="task")
    op.execute(f"UPDATE task SET state = 'cancelled', finished_at = now() WHERE joint AND {LIVE}")
    op.create_index(
        "uq_task_live_handle",
        "task",
        ["incident_id"],
        unique=True,
        postgresql_where=sa.text(f"kind = 'handle' AND {LIVE}"),
    )
    for column in ("handled_by", "outcome", "joint"):
        op.drop_column("task", column)
    op.drop_constraint(op.f("ck_incident_postponed_span"), "incident", type_="check")
    op.drop_constraint(op.f("ck_incident_sampled_by_another"), "incident", type_="check")
    for column in ("self_handled", "urge_reason", "urges", "urged_at", "postponed_until", "postponed_at"):
        op.drop_column("incident", column)
    for column in ("sampled_by", "reported_by"):
        op.drop_column("incident", column)
