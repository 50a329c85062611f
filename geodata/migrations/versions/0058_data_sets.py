"""Data sets: rows by version, batches, mappings, quarantined rows

Revision ID: 0058
Revises: 0057
"""

from __future__ import annotations

from typing import Any

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import announce_layer, grant, grant_all_sequences, record_table, run_file

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())
NOW = sa.text("now()")
FUNCTIONS = (
    "gk_data_set_in(integer, geometry)",
    "gk_data_set_gone()",
    "gk_data_set_attach(integer)",
    "gk_data_set_table(integer)",
    "gk_may_load_for(integer)",
    "gk_data_sets_read()",
    "gk_may_read_data_set(integer)",
)


def _refers(table: str, column: str, other: str, ondelete: str | None) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)


def _counted(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def upgrade() -> None:
    op.create_table(
        "data_set",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("geometry_type", sa.Text(), nullable=True),
        sa.Column("fields", JSONB, server_default="[]", nullable=False),
        sa.Column("rules", JSONB, server_default="[]", nullable=False),
        sa.Column("natural_key", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("owner_unit_id", sa.Integer(), nullable=True),
        sa.Column("sensitivity", sa.Text(), server_default="internal", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('places', 'table')", name=op.f("ck_data_set_kind")),
        sa.CheckConstraint(
            "sensitivity IN ('public', 'internal', 'restricted')", name=op.f("ck_data_set_sensitivity")
        ),
        sa.CheckConstraint("key ~ '^[a-z0-9][a-z0-9-]{0,59}$'", name=op.f("ck_data_set_key")),
        _refers("data_set", "territory_id", "territory", "CASCADE"),
        _refers("data_set", "owner_unit_id", "unit", "SET NULL"),
        _refers("data_set", "created_by", "app_user", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_set")),
        sa.UniqueConstraint("territory_id", "key", name=op.f("uq_data_set_territory_id_key")),
    )
    op.create_index(op.f("ix_data_set_territory_id"), "data_set", ["territory_id"])
    op.create_index(op.f("ix_data_set_owner_unit_id"), "data_set", ["owner_unit_id"])
    op.create_table(
        "data_mapping",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("spec", JSONB, nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_label", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        _refers("data_mapping", "territory_id", "territory", "CASCADE"),
        _refers("data_mapping", "made_by", "app_user", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_mapping")),
        sa.UniqueConstraint(
            "territory_id", "name", "version", name=op.f("uq_data_mapping_territory_id_name_version")
        ),
    )
    op.create_index(op.f("ix_data_mapping_territory_id"), "data_mapping", ["territory_id"])
    op.create_table(
        "data_batch",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("data_set_id", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("mapping_id", sa.Integer(), nullable=True),
        sa.Column("retry_of", sa.Integer(), nullable=True),
        *(_counted(name) for name in ("read", "loaded", "changed", "duplicates", "rejected", "placed")),
        sa.Column("rows_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("format", sa.Text(), server_default="", nullable=False),
        sa.Column("crs", sa.Text(), server_default="", nullable=False),
        sa.Column("encoding", sa.Text(), server_default="", nullable=False),
        sa.Column("guesses", JSONB, server_default="[]", nullable=False),
        sa.Column("scores", JSONB, server_default="{}", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("loaded_by", sa.Integer(), nullable=True),
        sa.Column("loaded_label", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status IN ('loading', 'loaded', 'undone', 'failed')", name=op.f("ck_data_batch_status")),
        _refers("data_batch", "territory_id", "territory", "CASCADE"),
        _refers("data_batch", "data_set_id", "data_set", "CASCADE"),
        _refers("data_batch", "mapping_id", "data_mapping", None),
        _refers("data_batch", "retry_of", "data_batch", "SET NULL"),
        _refers("data_batch", "loaded_by", "app_user", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_batch")),
    )
    op.create_index(op.f("ix_data_batch_territory_id"), "data_batch", ["territory_id"])
    op.create_index(op.f("ix_data_batch_data_set_id_id"), "data_batch", ["data_set_id", "id"])
    op.create_table(
        "data_set_row",
        sa.Column("data_set_id", sa.Integer(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("row_number", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("properties", JSONB, nullable=False),
        sa.Column("geom", geoalchemy2.Geometry("GEOMETRY", srid=4326, spatial_index=False), nullable=True),
        sa.Column("unit_grid_id", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("data_set_id", "row_key", "batch_id", name=op.f("pk_data_set_row")),
        postgresql_partition_by="LIST (data_set_id)",
    )
    op.create_index("idx_data_set_row_geom", "data_set_row", ["geom"], postgresql_using="gist")
    op.create_index(
        op.f("ix_data_set_row_data_set_id_unit_grid_id"), "data_set_row", ["data_set_id", "unit_grid_id"]
    )
    op.create_table(
        "quarantined_row",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("data_set_id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("row_number", sa.BigInteger(), nullable=False),
        sa.Column("raw", JSONB, nullable=False),
        sa.Column("violations", JSONB, server_default="[]", nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("fixed_batch_id", sa.Integer(), nullable=True),
        sa.Column("changed_by", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("state IN ('open', 'fixed', 'dropped')", name=op.f("ck_quarantined_row_state")),
        _refers("quarantined_row", "territory_id", "territory", "CASCADE"),
        _refers("quarantined_row", "data_set_id", "data_set", "CASCADE"),
        _refers("quarantined_row", "batch_id", "data_batch", "CASCADE"),
        sa.ForeignKeyConstraint(
            ["fixed_batch_id"],
            ["data_batch.id"],
            name=op.f("fk_quarantined_row_fixed_batch_id_data_batch"),
            ondelete="SET NULL",
        ),
        _refers("quarantined_row", "changed_by", "app_user", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined_row")),
    )
    op.create_index(op.f("ix_quarantined_row_territory_id"), "quarantined_row", ["territory_id"])
    op.create_index(op.f("ix_quarantined_row_batch_id_row_number"), "quarantined_row", ["batch_id", "row_number"])
    op.create_index(op.f("ix_quarantined_row_data_set_id_state"), "quarantined_row", ["data_set_id", "state"])
    run_file("0058_data_sets.sql")
    for table in ("data_set", "data_mapping", "data_batch"):
        record_table(table)
    announce_layer("data_batch", "data_sets")
    grant("SELECT, INSERT, UPDATE, DELETE", "data_set", "data_batch", "data_set_row", "quarantined_row")
    grant("SELECT, INSERT, DELETE", "data_mapping")
    grant_all_sequences()


def downgrade() -> None:
    op.execute("DROP POLICY record_data_set ON record")
    op.execute("DROP FUNCTION gk_data_set_in(integer, geometry)")  # returns rows of the table
    for table in ("quarantined_row", "data_set_row", "data_batch", "data_mapping", "data_set"):
        op.drop_table(table)
    for name in FUNCTIONS[1:]:
        op.execute(f"DROP FUNCTION {name}")
