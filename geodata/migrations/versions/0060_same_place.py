"""The same place in two data sets: pairs with their decision, and the rows that count as one

Revision ID: 0060
Revises: 0059
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def _refers(table: str, column: str, other: str, ondelete: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)


def upgrade() -> None:
    op.create_table(
        "place_pair",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("one_set_id", sa.Integer(), nullable=False),
        sa.Column("one_key", sa.Text(), nullable=False),
        sa.Column("other_set_id", sa.Integer(), nullable=False),
        sa.Column("other_key", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_label", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("one_set_id < other_set_id", name=op.f("ck_place_pair_sets")),
        sa.CheckConstraint("state IN ('open', 'same', 'different', 'unsure')", name=op.f("ck_place_pair_state")),
        sa.CheckConstraint(
            "state = 'open' OR decided_at IS NOT NULL AND decided_label <> ''", name=op.f("ck_place_pair_decided")
        ),
        sa.CheckConstraint("state IN ('open', 'same') OR reason <> ''", name=op.f("ck_place_pair_reason")),
        _refers("place_pair", "territory_id", "territory", "CASCADE"),
        _refers("place_pair", "one_set_id", "data_set", "CASCADE"),
        _refers("place_pair", "other_set_id", "data_set", "CASCADE"),
        _refers("place_pair", "decided_by", "app_user", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_pair")),
        sa.UniqueConstraint("one_set_id", "one_key", "other_set_id", "other_key", name="uq_place_pair_rows"),
    )
    op.create_index(op.f("ix_place_pair_territory_id"), "place_pair", ["territory_id"])
    op.create_index(op.f("ix_place_pair_other_set_id"), "place_pair", ["other_set_id"])
    op.create_index(
        op.f("ix_place_pair_territory_id_state_score"), "place_pair", ["territory_id", "state", "score"]
    )
    op.create_table(
        "same_place",
        sa.Column("data_set_id", sa.Integer(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        _refers("same_place", "data_set_id", "data_set", "CASCADE"),
        _refers("same_place", "territory_id", "territory", "CASCADE"),
        sa.PrimaryKeyConstraint("data_set_id", "row_key", name=op.f("pk_same_place")),
    )
    op.create_index(op.f("ix_same_place_territory_id_place"), "same_place", ["territory_id", "place"])
    run_file("0060_same_place.sql")
    # Of same_place nothing is recorded: it follows from the pairs, whose decisions are.
    record_table("place_pair")
    grant("SELECT, INSERT, UPDATE, DELETE", "place_pair", "same_place")
    grant_all_sequences()


def downgrade() -> None:
    op.execute("DROP POLICY record_place_pair ON record")
    for table in ("same_place", "place_pair"):
        op.drop_table(table)
    op.execute("DROP FUNCTION gk_place_pair_law")
