"""Changes of grids: drafts, separated powers, parents of cells, and where incidents were before

Revision ID: 0046
Revises: 0045
"""

from __future__ import annotations

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "grid_change",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("area_ids", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remark", sa.Text(), server_default="", nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'published', 'withdrawn')", name=op.f("ck_grid_change_state")
        ),
        sa.CheckConstraint("decided_by <> author_id", name=op.f("ck_grid_change_separate_powers")),
        sa.CheckConstraint("(state = 'published') = (effective_on IS NOT NULL)", name=op.f("ck_grid_change_effective")),
        sa.CheckConstraint("title <> ''", name=op.f("ck_grid_change_title")),
        sa.ForeignKeyConstraint(["author_id"], ["app_user.id"], name=op.f("fk_grid_change_author_id_app_user")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_grid_change_decided_by_app_user")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_grid_change_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grid_change")),
    )
    op.create_index(op.f("ix_grid_change_territory_id"), "grid_change", ["territory_id"], unique=False)
    op.create_index(op.f("ix_grid_change_author_id"), "grid_change", ["author_id"], unique=False)
    op.create_index(
        "ix_grid_change_waiting",
        "grid_change",
        ["territory_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('draft', 'submitted')"),
    )
    op.create_geospatial_table(
        "grid_change_cell",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("unit_grid_id", sa.Integer(), nullable=True),
        sa.Column("area", sa.Text(), server_default="", nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("size_m", sa.Float(), nullable=True),
        sa.Column("area_m2", sa.Float(), nullable=False),
        sa.Column("people", sa.Float(), nullable=True),
        sa.Column(
            "geom",
            geoalchemy2.types.Geometry(
                geometry_type="POLYGON", srid=4326, dimension=2, spatial_index=False, nullable=False
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["change_id"],
            ["grid_change.id"],
            name=op.f("fk_grid_change_cell_change_id_grid_change"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["community_id"], ["area.id"], name=op.f("fk_grid_change_cell_community_id_area")),
        sa.ForeignKeyConstraint(
            ["unit_grid_id"],
            ["unit_grid.id"],
            name=op.f("fk_grid_change_cell_unit_grid_id_unit_grid"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"],
            ["territory.id"],
            name=op.f("fk_grid_change_cell_territory_id_territory"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grid_change_cell")),
    )
    op.create_geospatial_index(
        "idx_grid_change_cell_geom",
        "grid_change_cell",
        ["geom"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    for columns in (["territory_id"], ["unit_grid_id"], ["change_id", "community_id"]):
        name = f"ix_grid_change_cell_{'_'.join(columns)}"
        op.create_index(op.f(name), "grid_change_cell", columns, unique=False)
    op.create_table(
        "grid_parent",
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("shared_m2", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["unit_grid.id"], name=op.f("fk_grid_parent_child_id_unit_grid"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["unit_grid.id"], name=op.f("fk_grid_parent_parent_id_unit_grid"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_grid_parent_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["change_id"], ["grid_change.id"], name=op.f("fk_grid_parent_change_id_grid_change")),
        sa.PrimaryKeyConstraint("child_id", "parent_id", name=op.f("pk_grid_parent")),
    )
    for column in ("parent_id", "territory_id", "change_id"):
        op.create_index(op.f(f"ix_grid_parent_{column}"), "grid_parent", [column], unique=False)
    op.create_table(
        "incident_home",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("grid_id", sa.Integer(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_incident_home_incident_id_incident"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["grid_id"], ["unit_grid.id"], name=op.f("fk_incident_home_grid_id_unit_grid"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_incident_home_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["change_id"], ["grid_change.id"], name=op.f("fk_incident_home_change_id_grid_change")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_home")),
    )
    for column in ("incident_id", "territory_id", "grid_id", "change_id"):
        op.create_index(op.f(f"ix_incident_home_{column}"), "incident_home", [column], unique=False)
    run_file("0046_grids.sql")
    # The cells of a draft are no facts yet; parents and homes are written once and never changed: no record of theirs.
    record_table("grid_change")
    grant("SELECT, INSERT, UPDATE", "grid_change")
    grant("SELECT, INSERT, UPDATE, DELETE", "grid_change_cell")
    grant("SELECT, INSERT", "grid_parent", "incident_home")
    grant_all_sequences()


def downgrade() -> None:
    op.execute("DROP POLICY record_grid_change ON record")
    op.drop_table("incident_home")
    op.drop_table("grid_parent")
    op.drop_geospatial_index(
        "idx_grid_change_cell_geom", table_name="grid_change_cell", postgresql_using="gist", column_name="geom"
    )
    op.drop_geospatial_table("grid_change_cell")
    op.drop_table("grid_change")
    op.execute("DROP FUNCTION gk_grid_change_law")
