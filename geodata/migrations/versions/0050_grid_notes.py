"""Notes on a grid: recorded, never changed, struck out by their author or a supervisor

Revision ID: 0050
Revises: 0049
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "grid_note",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("unit_grid_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author_label", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("struck_by", sa.Integer(), nullable=True),
        sa.Column("struck_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(body) BETWEEN 1 AND 500", name=op.f("ck_grid_note_body")),
        sa.ForeignKeyConstraint(["author_id"], ["app_user.id"], name=op.f("fk_grid_note_author_id_app_user")),
        sa.ForeignKeyConstraint(["struck_by"], ["app_user.id"], name=op.f("fk_grid_note_struck_by_app_user")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_grid_note_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["unit_grid_id"], ["unit_grid.id"], name=op.f("fk_grid_note_unit_grid_id_unit_grid"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grid_note")),
    )
    for column in ("territory_id", "unit_grid_id"):
        op.create_index(op.f(f"ix_grid_note_{column}"), "grid_note", [column], unique=False)
    run_file("0050_grid_notes.sql")
    record_table("grid_note")
    grant("SELECT, INSERT, UPDATE", "grid_note")
    grant_all_sequences()


def downgrade() -> None:
    op.execute("DROP POLICY record_grid_note ON record")
    op.drop_table("grid_note")
    op.execute("DROP FUNCTION gk_grid_note_law")
