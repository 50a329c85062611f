"""Facts of evaluation, folded from the record

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.migrations.support import grant, run_file

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "incident_fact",
        sa.Column("incident_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("grid_id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("worker_id", sa.Integer(), nullable=True),
        sa.Column("dispatched_by", sa.Integer(), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("reported_at", moment, nullable=False),
        sa.Column("filed_at", moment, nullable=True),
        sa.Column("dispatched_at", moment, nullable=True),
        sa.Column("handled_at", moment, nullable=True),
        sa.Column("closed_at", moment, nullable=True),
        sa.Column("due_at", moment, nullable=True),
        sa.Column("dispatches", sa.SmallInteger(), nullable=False),
        sa.Column("returns", sa.SmallInteger(), nullable=False),
        sa.Column("reworks", sa.SmallInteger(), nullable=False),
        sa.Column("postponed", sa.Boolean(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_incident_fact_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident_fact")),
    )
    op.create_index(
        op.f("ix_incident_fact_territory_id_reported_at"), "incident_fact", ["territory_id", "reported_at"]
    )
    op.create_table(
        "fact_fold",
        sa.Column("territory_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("folded_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_fact_fold_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("territory_id", name=op.f("pk_fact_fold")),
    )
    run_file("0017_insight.sql")
    grant("SELECT, INSERT, DELETE", "incident_fact")
    grant("SELECT, INSERT, UPDATE, DELETE", "fact_fold")


def downgrade() -> None:
    op.drop_table("fact_fold")
    op.drop_table("incident_fact")
