"""Access: invitations, acting roles with an end, reviews, handover

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file, run_script

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OWN_ROLE = "acting_for IS NULL AND valid_until IS NULL"


def upgrade() -> None:
    _add_to_roles()
    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('invite', 'reset', 'first')", name=op.f("ck_invitation_kind")),
        sa.CheckConstraint("(kind = 'first') = (user_id IS NULL)", name=op.f("ck_invitation_whose")),
        sa.ForeignKeyConstraint(
            ["made_by"], ["app_user.id"], name=op.f("fk_invitation_made_by_app_user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_invitation_user_id_app_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_invitation_code_hash")),
    )
    op.create_table(
        "standing_deputy",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("deputy_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("deputy_id <> user_id", name=op.f("ck_standing_deputy_deputy")),
        sa.ForeignKeyConstraint(
            ["deputy_id"], ["app_user.id"], name=op.f("fk_standing_deputy_deputy_id_app_user"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"],
            ["territory.id"],
            name=op.f("fk_standing_deputy_territory_id_territory"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_standing_deputy_user_id_app_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_deputy")),
        sa.UniqueConstraint(
            "territory_id", "user_id", "deputy_id", name=op.f("uq_standing_deputy_territory_id_user_id_deputy_id")
        ),
    )
    op.create_table(
        "access_review",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("reviewed_by", sa.Integer(), nullable=True),
        sa.Column("reviewed_label", sa.Text(), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["reviewed_by"], ["app_user.id"], name=op.f("fk_access_review_reviewed_by_app_user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_access_review_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_access_review_user_id_app_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_review")),
    )
    for table, column in (
        ("invitation", "user_id"),
        ("standing_deputy", "territory_id"),
        ("standing_deputy", "user_id"),
        ("standing_deputy", "deputy_id"),
        ("access_review", "territory_id"),
        ("access_review", "user_id"),
    ):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)
    grant("SELECT, INSERT, UPDATE, DELETE", "invitation", "standing_deputy")
    grant("SELECT, INSERT", "access_review")
    grant_all_sequences()
    record_table("invitation", hidden="code_hash")
    record_table("standing_deputy")
    record_table("access_review")
    run_file("0010_access.sql")


def _add_to_roles() -> None:
    op.drop_constraint(op.f("uq_user_role_user_id_territory_id_role"), "user_role", type_="unique")
    op.add_column("user_role", sa.Column("acting_for", sa.Integer(), nullable=True))
    op.add_column("user_role", sa.Column("reason", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "user_role",
        sa.Column("valid_from", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.add_column("user_role", sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("user_role", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.create_foreign_key(
        op.f("fk_user_role_acting_for_app_user"), "user_role", "app_user", ["acting_for"], ["id"], ondelete="CASCADE"
    )
    op.create_check_constraint(
        op.f("ck_user_role_acting"),
        "user_role",
        "acting_for IS NULL OR acting_for <> user_id AND valid_until IS NOT NULL AND reason <> ''"
        " AND extract(epoch FROM valid_until - valid_from) <= 7776000",
    )
    op.create_index(op.f("ix_user_role_acting_for"), "user_role", ["acting_for"], unique=False)
    op.create_index(
        "uq_user_role_own",
        "user_role",
        ["user_id", "territory_id", "role"],
        unique=True,
        postgresql_where=sa.text(OWN_ROLE),
    )


def downgrade() -> None:
    run_script(
        """
        DROP FUNCTION gk_hand_over;
        DROP FUNCTION gk_held;
        DROP FUNCTION gk_accounts;
        DROP POLICY record_access ON record;
        DROP POLICY user_role_review ON user_role;
        DROP POLICY user_session_own ON user_session;
        CREATE POLICY user_session_own ON user_session FOR UPDATE USING (user_id = (SELECT gk_user())) WITH CHECK (
            user_id = (SELECT gk_user())
            AND EXISTS (
                SELECT FROM user_role WHERE user_role.id = role_id AND user_role.user_id = (SELECT gk_user())
            )
        );
        """
    )
    for table in ("access_review", "standing_deputy", "invitation"):
        op.drop_table(table)
    # What the release before cannot say, a role of another or one that ended, it must not take for a lasting one.
    op.execute(f"DELETE FROM user_role WHERE NOT ({OWN_ROLE})")
    op.drop_index("uq_user_role_own", table_name="user_role")
    op.drop_index(op.f("ix_user_role_acting_for"), table_name="user_role")
    op.drop_constraint(op.f("ck_user_role_acting"), "user_role", type_="check")
    op.drop_constraint(op.f("fk_user_role_acting_for_app_user"), "user_role", type_="foreignkey")
    for column in ("version", "valid_until", "valid_from", "reason", "acting_for"):
        op.drop_column("user_role", column)
    op.create_unique_constraint(
        op.f("uq_user_role_user_id_territory_id_role"), "user_role", ["user_id", "territory_id", "role"]
    )
