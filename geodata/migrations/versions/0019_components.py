"""Components: the register of fixed public assets, and the component an incident is about

Revision ID: 0019
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

from geodata.migrations.support import announce_layer, grant, grant_all_sequences, record_table, run_file, run_script

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None

UNITS = ("unit_id", "property_unit_id", "upkeep_unit_id")


def upgrade() -> None:
    op.create_geospatial_table(
        "component",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="in_use", nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in UNITS),
        sa.Column("sensitivity", sa.Text(), server_default="open", nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("simulated", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("square", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("geom", Geometry("POINT", srid=4326, dimension=2, spatial_index=False), nullable=False),
        sa.CheckConstraint("code ~ '^[0-9]{16}$' AND substr(code, 11) <> '000000'", name=op.f("ck_component_code")),
        sa.CheckConstraint("state IN ('in_use', 'damaged', 'removed', 'planned')", name=op.f("ck_component_state")),
        sa.CheckConstraint("sensitivity IN ('open', 'restricted')", name=op.f("ck_component_sensitivity")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_component_days")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_component_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["community_id"], ["area.id"], name=op.f("fk_component_community_id_area")),
        sa.ForeignKeyConstraint(["class_id"], ["incident_class.id"], name=op.f("fk_component_class_id_incident_class")),
        *(sa.ForeignKeyConstraint([name], ["unit.id"], name=op.f(f"fk_component_{name}_unit")) for name in UNITS),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_component")),
        sa.UniqueConstraint("territory_id", "code", name=op.f("uq_component_territory_id_code")),
    )
    op.create_geospatial_index(
        "idx_component_geom", "component", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    for columns in (
        ("territory_id",), ("class_id",), *((name,) for name in UNITS), ("community_id", "class_id"),
        ("territory_id", "square", "class_id"),
    ):  # fmt: skip
        op.create_index(op.f(f"ix_component_{'_'.join(columns)}"), "component", list(columns), unique=False)
    op.add_column("incident", sa.Column("component_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_incident_component_id_component"), "incident", "component", ["component_id"], ["id"])
    op.create_index(
        op.f("ix_incident_component_id"),
        "incident",
        ["component_id"],
        unique=False,
        postgresql_where=sa.text("component_id IS NOT NULL"),
    )
    run_file("0019_components.sql")
    record_table("component")
    announce_layer("component", "components")
    grant("SELECT, INSERT, UPDATE, DELETE", "component")
    grant_all_sequences()


def downgrade() -> None:
    op.execute("DROP POLICY record_component ON record")
    op.execute("DROP POLICY load_row_component ON load_row")
    op.drop_column("incident", "component_id")
    op.drop_geospatial_index("idx_component_geom", table_name="component", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("component")
    run_script(
        """
        DROP FUNCTION gk_component;
        DROP FUNCTION gk_is_restricted;
        DROP FUNCTION gk_squares;
        DROP FUNCTION gk_square;
        """
    )
