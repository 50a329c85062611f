"""Codes of grids: schemes, official codes, older lists; settled incidents on today's ground; facts of a past day

Revision ID: 0049
Revises: 0048
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.embedded import APP
from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

_OLD = "ac_back_home"
_DAYS = ("gk_ground_days (integer)", "gk_days_on (integer, date)", "gk_stood_open (bigint, timestamptz)")


def upgrade() -> None:
    _codes()
    op.create_table(
        "incident_ground",
        sa.Column("incident_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("grid_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_incident_ground_incident_id_incident"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["grid_id"], ["unit_grid.id"], name=op.f("fk_incident_ground_grid_id_unit_grid"), ondelete="CASCADE"
        ),
        _home("incident_ground"),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident_ground")),
    )
    for column in ("territory_id", "grid_id"):
        op.create_index(op.f(f"ix_incident_ground_{column}"), "incident_ground", [column], unique=False)
    op.execute("CREATE TABLE incident_fact_past (day date NOT NULL, LIKE incident_fact)")
    for column in ("word_at", "word_closed_at", "word_reached", "word_solved", "word_satisfied"):
        op.alter_column("incident_fact_past", column, nullable=True)
    op.create_primary_key(op.f("pk_incident_fact_past"), "incident_fact_past", ["day", "incident_id"])
    op.create_foreign_key(
        op.f("fk_incident_fact_past_territory_id_territory"),
        "incident_fact_past",
        "territory",
        ["territory_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index(
        op.f("ix_incident_fact_past_territory_id_day_incident_id"),
        "incident_fact_past",
        ["territory_id", "day", "incident_id"],
        unique=False,
    )
    op.alter_column("incident_home", "change_id", nullable=True)
    run_file("0049_codes.sql")
    # Links of older lists come in files whose load is recorded; on whose ground something lies follows from places.
    for table in ("code_scheme", "official_code"):
        record_table(table)
    grant("SELECT, INSERT", "code_scheme")
    grant("SELECT, INSERT, UPDATE", "official_code")
    grant("SELECT, INSERT, DELETE", "code_link", "incident_fact_past")
    grant("SELECT, INSERT, UPDATE, DELETE", "incident_ground")
    for function in _DAYS:
        op.execute(f"GRANT EXECUTE ON FUNCTION {function.replace(' ', '')} TO {APP}")
    grant_all_sequences()


def downgrade() -> None:
    op.execute("DROP POLICY record_code_scheme ON record")
    op.execute(f"DROP TRIGGER {_OLD} ON incident")
    op.execute("DROP FUNCTION gk_incident_back_home")
    for function in _DAYS:
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DELETE FROM incident_home WHERE change_id IS NULL")
    op.alter_column("incident_home", "change_id", nullable=False)
    for table in ("incident_fact_past", "incident_ground", "code_link", "official_code", "code_scheme"):
        op.drop_table(table)
    op.execute("DROP FUNCTION gk_official_code_law")


def _home(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_territory_id_territory")
    return sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=name, ondelete="CASCADE")


def _codes() -> None:
    op.create_table(
        "code_scheme",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("name ~ '^[a-z][a-z0-9-]{1,30}$'", name=op.f("ck_code_scheme_name")),
        sa.ForeignKeyConstraint(["made_by"], ["app_user.id"], name=op.f("fk_code_scheme_made_by_app_user")),
        _home("code_scheme"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_scheme")),
        sa.UniqueConstraint("territory_id", "name", "version", name=op.f("uq_code_scheme_territory_id_name_version")),
    )
    op.create_table(
        "official_code",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("area_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("change_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("code ~ '^[0-9]{12}$'", name=op.f("ck_official_code_code")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_official_code_span")),
        sa.ForeignKeyConstraint(
            ["area_id"], ["area.id"], name=op.f("fk_official_code_area_id_area"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["change_id"], ["grid_change.id"], name=op.f("fk_official_code_change_id_grid_change")),
        _home("official_code"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_official_code")),
    )
    holds = sa.text("valid_to IS NULL")
    op.create_index("uq_official_code_area", "official_code", ["area_id"], unique=True, postgresql_where=holds)
    op.create_index(
        "uq_official_code_now", "official_code", ["territory_id", "code"], unique=True, postgresql_where=holds
    )
    op.create_table(
        "code_link",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("old_scheme", sa.Text(), nullable=False),
        sa.Column("old_code", sa.Text(), nullable=False),
        sa.Column("unit_grid_id", sa.Integer(), nullable=False),
        sa.Column("new_code", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["unit_grid_id"], ["unit_grid.id"], name=op.f("fk_code_link_unit_grid_id_unit_grid"), ondelete="CASCADE"
        ),
        _home("code_link"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_link")),
        sa.UniqueConstraint(
            "territory_id",
            "old_scheme",
            "old_code",
            "unit_grid_id",
            name=op.f("uq_code_link_territory_id_old_scheme_old_code_unit_grid_id"),
        ),
    )
    op.create_index(op.f("ix_code_link_unit_grid_id"), "code_link", ["unit_grid_id"], unique=False)
    for table in ("code_scheme", "official_code", "code_link"):
        op.create_index(op.f(f"ix_{table}_territory_id"), table, ["territory_id"], unique=False)
