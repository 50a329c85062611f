"""Rules: a change of classes, limits and calendars takes two persons

An incident remembers what it was filed under (`class_version`, `limit_id`). It cannot be told later
from dates: limits hold by the day and may change twice in one, and a deadline may have come with a
file. Both are empty for incidents of before, and where nothing of ours set the deadline.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file, run_script

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

RULES = ("incident_class", "time_limit", "calendar", "calendar_day")


def upgrade() -> None:
    op.add_column("incident", sa.Column("class_version", sa.Integer(), nullable=True))
    op.add_column("incident", sa.Column("limit_id", sa.Integer(), nullable=True))
    op.create_foreign_key(op.f("fk_incident_limit_id_time_limit"), "incident", "time_limit", ["limit_id"], ["id"])
    op.create_table(
        "rule_change",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("edits", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), server_default="proposed", nullable=False),
        sa.Column("proposed_by", sa.Integer(), nullable=True),
        sa.Column("proposed_label", sa.Text(), server_default="", nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_label", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "state IN ('proposed', 'approved', 'rejected', 'withdrawn')", name=op.f("ck_rule_change_state")
        ),
        sa.CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name=op.f("ck_rule_change_decided")),
        sa.CheckConstraint("decided_by <> proposed_by", name=op.f("ck_rule_change_two_persons")),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["app_user.id"], name=op.f("fk_rule_change_proposed_by_app_user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["app_user.id"], name=op.f("fk_rule_change_decided_by_app_user"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_change")),
    )
    op.create_index(op.f("ix_rule_change_state_proposed_at"), "rule_change", ["state", "proposed_at"], unique=False)
    # One limit of a kind goes on; the others were followed by it.
    op.create_index(
        "uq_time_limit_going_on",
        "time_limit",
        ["scheme", "scheme_version", sa.text("coalesce(class_id, 0)"), "stage", "condition"],
        unique=True,
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    grant("SELECT, INSERT, UPDATE, DELETE", "rule_change")
    grant_all_sequences()
    record_table("rule_change")
    run_file("0011_rules.sql")
    for table in RULES:
        op.execute(f"DROP TRIGGER aa_guard_insert ON {table}")
        op.execute(
            f"CREATE TRIGGER aa_guard_rule BEFORE INSERT OR UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION gk_rule_guard()"
        )


def downgrade() -> None:
    for table in RULES:
        op.execute(f"DROP TRIGGER aa_guard_rule ON {table}")
        op.execute(
            f"CREATE TRIGGER aa_guard_insert BEFORE INSERT OR UPDATE OR DELETE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION gk_guard('supervisor', 'administrator')"
        )
    op.drop_index("uq_time_limit_going_on", table_name="time_limit")
    run_script("DROP FUNCTION gk_rule_guard(); DROP FUNCTION gk_rule_names(jsonb, text, jsonb, jsonb);")
    op.drop_table("rule_change")
    run_script("DROP FUNCTION gk_rule_change();")
    op.drop_constraint(op.f("fk_incident_limit_id_time_limit"), "incident", type_="foreignkey")
    op.drop_column("incident", "limit_id")
    op.drop_column("incident", "class_version")
