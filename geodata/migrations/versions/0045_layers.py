"""Named layers of planning: demand, candidates, zones, slope

Revision ID: 0045
Revises: 0044
"""

from __future__ import annotations

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "named_layer",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("groups", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("grid", sa.LargeBinary(), nullable=True),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_label", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('demand', 'candidates', 'zones', 'slope')", name=op.f("ck_named_layer_kind")),
        sa.CheckConstraint("name <> '' AND revision > 0", name=op.f("ck_named_layer_words")),
        sa.ForeignKeyConstraint(
            ["made_by"], ["app_user.id"], name=op.f("fk_named_layer_made_by_app_user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_named_layer_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_named_layer")),
        sa.UniqueConstraint(
            "territory_id", "kind", "name", "revision", name=op.f("uq_named_layer_territory_id_kind_name_revision")
        ),
    )
    op.create_index(op.f("ix_named_layer_territory_id"), "named_layer", ["territory_id"], unique=False)
    op.create_table(
        "layer_place",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("layer_id", sa.Integer(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("weight", sa.Float(), server_default="0", nullable=False),
        sa.Column("groups", postgresql.ARRAY(sa.Float()), server_default="{}", nullable=False),
        sa.Column("geom", geoalchemy2.Geometry("GEOMETRY", srid=4326, spatial_index=False), nullable=False),
        sa.CheckConstraint("weight >= 0", name=op.f("ck_layer_place_weight")),
        sa.ForeignKeyConstraint(
            ["layer_id"], ["named_layer.id"], name=op.f("fk_layer_place_layer_id_named_layer"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_layer_place_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_layer_place")),
    )
    op.create_index("idx_layer_place_geom", "layer_place", ["geom"], unique=False, postgresql_using="gist")
    op.create_index(op.f("ix_layer_place_layer_id"), "layer_place", ["layer_id"], unique=False)
    op.create_index(op.f("ix_layer_place_territory_id"), "layer_place", ["territory_id"], unique=False)
    run_file("0045_layers.sql")
    record_table("named_layer", hidden="grid")
    grant("SELECT, INSERT, UPDATE, DELETE", "named_layer")
    grant("SELECT, INSERT, DELETE", "layer_place")
    grant_all_sequences()


def downgrade() -> None:
    op.execute("DROP POLICY record_named_layer ON record")
    op.drop_table("layer_place")
    op.drop_table("named_layer")
