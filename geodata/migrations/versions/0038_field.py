"""Where a worker on shift was last: newest only, seen by who dispatches and by himself

Revision ID: 0038
Revises: 0037
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

from geodata.migrations.support import grant, run_file

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_geospatial_table(
        "worker_position",
        sa.Column("worker_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accuracy_m", sa.Float(), nullable=True),
        sa.Column("geom", Geometry(geometry_type="POINT", srid=4326, spatial_index=False), nullable=False),
        sa.CheckConstraint("accuracy_m >= 0", name=op.f("ck_worker_position_accuracy")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_worker_position_territory_id_territory"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_worker_position_worker_id_worker"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("worker_id", name=op.f("pk_worker_position")),
    )
    op.create_geospatial_index(
        "idx_worker_position_geom", "worker_position", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_worker_position_territory_id"), "worker_position", ["territory_id"], unique=False)
    run_file("0038_field.sql")
    # Not recorded, on purpose: a record of places would be a trace of somebody's day.
    grant("SELECT, INSERT, UPDATE, DELETE", "worker_position")


def downgrade() -> None:
    op.drop_geospatial_index(
        "idx_worker_position_geom", table_name="worker_position", postgresql_using="gist", column_name="geom"
    )
    op.drop_geospatial_table("worker_position")
