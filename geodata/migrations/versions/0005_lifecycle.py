"""What the acts on incidents need: commands, drafts, who sent out and who closed

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import grant, grant_all_sequences, run_file, run_script

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "command",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_command_incident_id_incident"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_command_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_command_user_id_app_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command")),
    )
    for column in ("incident_id", "territory_id", "user_id"):
        op.create_index(op.f(f"ix_command_{column}"), "command", [column], unique=False)
    op.create_table(
        "draft",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("content_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_draft_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_draft_user_id_app_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sa.UniqueConstraint("user_id", "territory_id", "kind", name=op.f("uq_draft_user_id_territory_id_kind")),
    )
    op.create_index(op.f("ix_draft_territory_id"), "draft", ["territory_id"], unique=False)

    for table, column in (("incident", "dispatched_by"), ("incident", "closed_by"), ("task", "assigned_by")):
        op.add_column(table, sa.Column(column, sa.Integer(), nullable=True))
        op.create_foreign_key(op.f(f"fk_{table}_{column}_app_user"), table, "app_user", [column], ["id"])
    op.create_check_constraint(op.f("ck_incident_separate_duties"), "incident", "dispatched_by <> closed_by")
    # Where a database holds doubles from before the rule, the newest stays alive.
    op.execute(
        "UPDATE task SET state = 'cancelled', finished_at = now(), version = version + 1 WHERE id IN ("
        " SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY incident_id ORDER BY created_at DESC, id DESC) AS n"
        " FROM task WHERE kind = 'handle' AND state IN ('waiting', 'accepted', 'started')) AS live WHERE n > 1)"
    )
    op.create_index(
        "uq_task_live_handle",
        "task",
        ["incident_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'handle' AND state IN ('waiting', 'accepted', 'started')"),
    )
    run_file("0005_lifecycle.sql")
    grant("SELECT, INSERT, UPDATE", "command")
    grant("SELECT, INSERT, UPDATE, DELETE", "draft")
    grant_all_sequences()


def downgrade() -> None:
    run_script(
        """
        DROP POLICY person_key_of_draft ON person_key;
        DROP TRIGGER incident_closed ON incident;
        DROP TRIGGER incident_dispatched ON incident;
        DROP TRIGGER task_assigner ON task;
        DROP FUNCTION gk_incident_closed();
        DROP FUNCTION gk_incident_dispatched();
        DROP FUNCTION gk_task_assigner();
        DROP POLICY incident_see ON incident;
        CREATE POLICY incident_see ON incident FOR SELECT USING (
            (SELECT gk_role()) = 'system'
            OR territory_id = (SELECT gk_territory()) AND (
                (SELECT gk_role()) IN ('dispatcher', 'supervisor', 'auditor')
                OR (SELECT gk_role()) IN ('grid_manager', 'grid_worker')
                AND community_id = ANY ((SELECT gk_areas())::integer[])
                OR (SELECT gk_role()) = 'handler' AND unit_id = ANY ((SELECT gk_units())::integer[])
            )
        );
        DROP POLICY incident_update ON incident;
        CREATE POLICY incident_update ON incident FOR UPDATE USING (
            (SELECT gk_role()) = 'system'
            OR territory_id = (SELECT gk_territory()) AND (
                (SELECT gk_role()) IN ('dispatcher', 'supervisor')
                OR (SELECT gk_role()) IN ('grid_manager', 'grid_worker')
                AND community_id = ANY ((SELECT gk_areas())::integer[])
                OR (SELECT gk_role()) = 'handler' AND unit_id = ANY ((SELECT gk_units())::integer[])
            )
        ) WITH CHECK ((SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()));
        DROP POLICY record_here ON record;
        CREATE POLICY record_here ON record FOR SELECT USING (
            (SELECT gk_role()) = 'system'
            OR territory_id = (SELECT gk_territory()) AND (
                (SELECT gk_role()) IN ('supervisor', 'auditor')
                OR subject_id IS NULL AND (SELECT gk_role()) <> 'nobody'
                OR subject_table = 'incident' AND EXISTS (SELECT FROM incident WHERE incident.id = subject_id::bigint)
            )
        );
        DROP POLICY load_row_here ON load_row;
        CREATE POLICY load_row_here ON load_row FOR SELECT USING (
            (SELECT gk_role()) = 'system'
            OR (SELECT gk_role()) IN ('supervisor', 'auditor') AND EXISTS (SELECT FROM record WHERE seq = record_seq)
            OR EXISTS (SELECT FROM record WHERE seq = record_seq AND subject_table = 'incident')
            AND EXISTS (SELECT FROM incident WHERE incident.id = subject_id::bigint)
        );
        DROP FUNCTION gk_worker();
        """
    )
    op.drop_index("uq_task_live_handle", table_name="task")
    op.drop_constraint(op.f("ck_incident_separate_duties"), "incident", type_="check")
    for table, column in (("incident", "dispatched_by"), ("incident", "closed_by"), ("task", "assigned_by")):
        op.drop_column(table, column)
    op.drop_table("draft")
    op.drop_table("command")
