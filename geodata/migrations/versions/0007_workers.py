"""Workers: equipment, employment, absences with a deputy

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file, run_script

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


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
    grant("SELECT, INSERT, UPDATE, DELETE", "absence")
    grant_all_sequences()
    record_table("absence")
    run_file("0007_workers.sql")


def downgrade() -> None:
    run_script("DROP FUNCTION gk_away(integer, date, date);")
    op.drop_table("absence")
    for column in ("equipment", "employed_from", "employed_to"):
        op.drop_column("worker", column)
    op.execute("DROP EXTENSION btree_gist")
