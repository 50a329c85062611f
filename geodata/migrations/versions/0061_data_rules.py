"""Rules of a data set by version, with who set them and why

Not recorded: a version is only ever added, and says itself who made it; that the rules of a data set changed stands in
the record of `data_set`.

Revision ID: 0061
Revises: 0060
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import grant, grant_all_sequences, run_script

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None

POLICIES = """
ALTER TABLE data_rule_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_rule_version_see ON data_rule_version FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR data_set_id = ANY ((SELECT gk_data_sets_read())::integer[])
);
CREATE POLICY data_rule_version_add ON data_rule_version FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
"""


def upgrade() -> None:
    op.create_table(
        "data_rule_version",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("data_set_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_label", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("length(reason) <= 500", name=op.f("ck_data_rule_version_reason")),
        sa.ForeignKeyConstraint(
            ["data_set_id"], ["data_set.id"], name=op.f("fk_data_rule_version_data_set_id_data_set"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["app_user.id"], name=op.f("fk_data_rule_version_made_by_app_user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"],
            ["territory.id"],
            name=op.f("fk_data_rule_version_territory_id_territory"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_rule_version")),
        sa.UniqueConstraint("data_set_id", "version", name=op.f("uq_data_rule_version_data_set_id_version")),
    )
    op.create_index(op.f("ix_data_rule_version_territory_id"), "data_rule_version", ["territory_id"])
    run_script(POLICIES)
    grant("SELECT, INSERT", "data_rule_version")
    grant_all_sequences()


def downgrade() -> None:
    op.drop_table("data_rule_version")
