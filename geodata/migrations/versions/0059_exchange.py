"""What the catalogue says, requests and grants of data, who used what, tokens of other systems

Revision ID: 0059
Revises: 0058
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

TABLES = ("catalogue_entry", "data_request", "data_grant", "data_use", "api_token")


def upgrade() -> None:
    op.create_table(
        "catalogue_entry",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("data_set_id", sa.Integer(), nullable=True),
        sa.Column("title_en", sa.Text(), server_default="", nullable=False),
        sa.Column("title_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("about_en", sa.Text(), server_default="", nullable=False),
        sa.Column("about_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("steward_id", sa.Integer(), nullable=True),
        sa.Column("licence", sa.Text(), server_default="", nullable=False),
        sa.Column("rhythm", sa.Text(), server_default="irregular", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("changed_label", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "rhythm IN ('once', 'continuous', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly', 'irregular')",
            name=op.f("ck_catalogue_entry_rhythm"),
        ),
        sa.ForeignKeyConstraint(
            ["data_set_id"], ["data_set.id"], name=op.f("fk_catalogue_entry_data_set_id_data_set"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["steward_id"], ["app_user.id"], name=op.f("fk_catalogue_entry_steward_id_app_user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"],
            ["territory.id"],
            name=op.f("fk_catalogue_entry_territory_id_territory"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_entry")),
        sa.UniqueConstraint("data_set_id", name=op.f("uq_catalogue_entry_data_set_id")),
        sa.UniqueConstraint("territory_id", "key", name=op.f("uq_catalogue_entry_territory_id_key")),
    )
    op.create_index(op.f("ix_catalogue_entry_steward_id"), "catalogue_entry", ["steward_id"], unique=False)
    op.create_index(op.f("ix_catalogue_entry_territory_id"), "catalogue_entry", ["territory_id"], unique=False)
    op.create_table(
        "data_request",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("data_set_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("asked_label", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_label", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("days BETWEEN 1 AND 366 AND purpose <> ''", name=op.f("ck_data_request_asked")),
        sa.CheckConstraint(
            "state IN ('waiting', 'granted', 'refused', 'withdrawn')", name=op.f("ck_data_request_state")
        ),
        sa.CheckConstraint(
            "state NOT IN ('granted', 'refused') OR reason <> '' AND decided_at IS NOT NULL",
            name=op.f("ck_data_request_reason"),
        ),
        sa.CheckConstraint("decided_by <> asked_by", name=op.f("ck_data_request_separate")),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["app_user.id"], name=op.f("fk_data_request_asked_by_app_user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["data_set_id"], ["data_set.id"], name=op.f("fk_data_request_data_set_id_data_set"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["app_user.id"], name=op.f("fk_data_request_decided_by_app_user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_data_request_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["unit.id"], name=op.f("fk_data_request_unit_id_unit"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_request")),
    )
    op.create_index(op.f("ix_data_request_asked_by"), "data_request", ["asked_by"], unique=False)
    op.create_index(op.f("ix_data_request_data_set_id"), "data_request", ["data_set_id"], unique=False)
    op.create_index(op.f("ix_data_request_territory_id"), "data_request", ["territory_id"], unique=False)
    op.create_index(op.f("ix_data_request_unit_id"), "data_request", ["unit_id"], unique=False)
    op.create_index(
        "uq_data_request_waiting",
        "data_request",
        ["data_set_id", "asked_by"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "data_grant",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("data_set_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_label", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "valid_until > valid_from AND valid_until <= valid_from + interval '367 days'",
            name=op.f("ck_data_grant_span"),
        ),
        sa.CheckConstraint("num_nonnulls(unit_id, user_id) = 1", name=op.f("ck_data_grant_whose")),
        sa.ForeignKeyConstraint(
            ["data_set_id"], ["data_set.id"], name=op.f("fk_data_grant_data_set_id_data_set"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["data_request.id"], name=op.f("fk_data_grant_request_id_data_request"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_data_grant_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_data_grant_unit_id_unit"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_data_grant_user_id_app_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_grant")),
        sa.UniqueConstraint("request_id", name=op.f("uq_data_grant_request_id")),
    )
    op.create_index(op.f("ix_data_grant_data_set_id"), "data_grant", ["data_set_id"], unique=False)
    op.create_index(op.f("ix_data_grant_territory_id"), "data_grant", ["territory_id"], unique=False)
    op.create_index(op.f("ix_data_grant_unit_id"), "data_grant", ["unit_id"], unique=False)
    op.create_index(op.f("ix_data_grant_user_id"), "data_grant", ["user_id"], unique=False)
    op.create_table(
        "data_use",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("joined", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("way IN ('page', 'api', 'tiles', 'export', 'map', 'study')", name=op.f("ck_data_use_way")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_data_use_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_use")),
        sa.UniqueConstraint(
            "territory_id",
            "key",
            "day",
            "label",
            "way",
            "joined",
            name=op.f("uq_data_use_territory_id_key_day_label_way_joined"),
        ),
    )
    op.create_index(op.f("ix_data_use_territory_id"), "data_use", ["territory_id"], unique=False)
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("expires_at <= created_at + interval '367 days'", name=op.f("ck_api_token_span")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_api_token_name")),
        sa.ForeignKeyConstraint(
            ["made_by"], ["app_user.id"], name=op.f("fk_api_token_made_by_app_user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["user_role.id"], name=op.f("fk_api_token_role_id_user_role"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_api_token_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_api_token_user_id_app_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index(op.f("ix_api_token_role_id"), "api_token", ["role_id"], unique=False)
    op.create_index(op.f("ix_api_token_territory_id"), "api_token", ["territory_id"], unique=False)
    op.create_index(op.f("ix_api_token_user_id"), "api_token", ["user_id"], unique=False)
    run_file("0059_exchange.sql")
    for table in ("catalogue_entry", "data_request", "data_grant"):
        record_table(table)
    record_table("api_token", hidden="token_hash,last_used_at")
    grant("SELECT, INSERT, UPDATE, DELETE", "catalogue_entry", "data_request", "data_grant", "api_token")
    grant("SELECT, DELETE", "data_use")
    grant_all_sequences()


def downgrade() -> None:
    run_file("0059_exchange_down.sql")
    for table in reversed(TABLES):
        op.drop_table(table)
    for name in ("gk_note_use", "gk_api_token_law", "gk_data_grant_law", "gk_data_request_law", "gk_is_steward"):
        op.execute(f"DROP FUNCTION {name}")
