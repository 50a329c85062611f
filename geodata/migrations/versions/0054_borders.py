"""Why borders of cells are there, railways, and the responsibility grid of a cell by day

Revision ID: 0054
Revises: 0052
"""

from __future__ import annotations

import geoalchemy2
import sqlalchemy as sa
from alembic import op

from geodata.migrations.support import announce_layer, grant, grant_all_sequences, run_file

revision = "0054"
down_revision = "0052"
branch_labels = None
depends_on = None

KINDS = "kind IN ('street', 'railway', 'river', 'path', 'community', 'city', 'hand', 'method', 'cut')"


def upgrade() -> None:
    _borders("grid_border", "unit_grid")
    _borders("grid_change_border", "grid_change_cell", "change_id")
    op.create_geospatial_index(
        "idx_grid_change_border_geom",
        "grid_change_border",
        ["geom"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_table(
        "grid_binding",
        sa.Column("unit_grid_id", sa.Integer(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("responsibility_grid_id", sa.Integer(), nullable=True),
        _key("grid_binding", "unit_grid_id", "unit_grid", ondelete="CASCADE"),
        _key("grid_binding", "territory_id", "territory", ondelete="CASCADE"),
        _key("grid_binding", "responsibility_grid_id", "responsibility_grid"),
        sa.PrimaryKeyConstraint("unit_grid_id", "started_on", name=op.f("pk_grid_binding")),
    )
    for column in ("territory_id", "responsibility_grid_id"):
        op.create_index(op.f(f"ix_grid_binding_{column}"), "grid_binding", [column], unique=False)
    op.create_geospatial_table(
        "railway",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=False),
        sa.Column("railway_class", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        _lines("LINESTRING"),
        _key("railway", "territory_id", "territory", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_railway")),
        sa.UniqueConstraint(
            "territory_id", "source", "source_ref", name=op.f("uq_railway_territory_id_source_source_ref")
        ),
    )
    op.create_geospatial_index(
        "idx_railway_geom", "railway", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_railway_territory_id"), "railway", ["territory_id"], unique=False)
    run_file("0054_borders.sql")
    announce_layer("railway", "basemap")
    # Borders and bindings follow from cells, whose changes are recorded; railways come by loads, like roads.
    grant("SELECT, INSERT", "grid_border")
    grant("SELECT, INSERT, DELETE", "grid_change_border")
    grant("SELECT", "grid_binding")
    grant("SELECT, INSERT, UPDATE, DELETE", "railway")
    grant_all_sequences()


def downgrade() -> None:
    for event in ("insert", "update"):
        op.execute(f"DROP TRIGGER zb_binding_{event} ON unit_grid")
    op.execute("DROP FUNCTION gk_note_binding")
    op.drop_table("grid_binding")
    for table in ("railway", "grid_change_border"):
        op.drop_geospatial_index(f"idx_{table}_geom", table_name=table, postgresql_using="gist", column_name="geom")
    for table in ("railway", "grid_change_border", "grid_border"):
        op.drop_geospatial_table(table)


def _key(table: str, column: str, other: str, *, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"), ondelete=ondelete
    )


def _lines(kind: str) -> sa.Column:
    shape = geoalchemy2.types.Geometry(geometry_type=kind, srid=4326, dimension=2, spatial_index=False, nullable=False)
    return sa.Column("geom", shape, nullable=False)


def _borders(table: str, cells: str, *more: str) -> None:
    op.create_geospatial_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *(sa.Column(column, sa.Integer(), nullable=False) for column in more),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("left_id", sa.Integer(), nullable=False),
        sa.Column("right_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("length_m", sa.Float(), nullable=False),
        _lines("MULTILINESTRING"),
        sa.CheckConstraint(KINDS, name=op.f(f"ck_{table}_kind")),
        *(_key(table, column, "grid_change", ondelete="CASCADE") for column in more),
        _key(table, "territory_id", "territory", ondelete="CASCADE"),
        _key(table, "left_id", cells, ondelete="CASCADE"),
        _key(table, "right_id", cells, ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    for column in (*more, "territory_id", "left_id", "right_id"):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)
