"""Siting studies: the question, the answer, its sites and grounds

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "study",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("facility_kind", sa.Text(), nullable=True),
        sa.Column("p", sa.Integer(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("limit_min", sa.Float(), nullable=False),
        sa.Column("keep_existing", sa.Boolean(), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="asked", nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("asked_label", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("objective", sa.Float(), nullable=True),
        sa.Column("bound", sa.Float(), nullable=True),
        sa.Column("gap", sa.Float(), nullable=True),
        sa.Column("unserved", sa.Float(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("kind IN ('p-median', 'mclp')", name=op.f("ck_study_kind")),
        sa.CheckConstraint("mode IN ('walk', 'drive')", name=op.f("ck_study_mode")),
        sa.CheckConstraint("p > 0 AND p <= candidates", name=op.f("ck_study_sites")),
        sa.CheckConstraint("state IN ('asked', 'answered', 'infeasible')", name=op.f("ck_study_state")),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["app_user.id"], name=op.f("fk_study_asked_by_app_user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job_run.id"], name=op.f("fk_study_job_id_job_run"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_study_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study")),
    )
    op.create_index(op.f("ix_study_territory_id"), "study", ["territory_id"], unique=False)
    op.create_index(op.f("ix_study_territory_id_created_at"), "study", ["territory_id", "created_at"], unique=False)
    op.create_geospatial_table(
        "study_site",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("people", sa.Float(), nullable=False),
        sa.Column("within", sa.Float(), nullable=False),
        sa.Column("mean_s", sa.Float(), nullable=True),
        sa.Column("farthest_s", sa.Float(), nullable=True),
        sa.Column("street", sa.Text(), server_default="", nullable=False),
        sa.Column("street_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=True),
        sa.Column("grid_id", sa.Integer(), nullable=True),
        sa.Column("geom", Geometry("POINT", srid=4326, dimension=2, spatial_index=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["area.id"], name=op.f("fk_study_site_community_id_area"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["grid_id"], ["unit_grid.id"], name=op.f("fk_study_site_grid_id_unit_grid"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["study_id"], ["study.id"], name=op.f("fk_study_site_study_id_study"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_study_site_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_site")),
        sa.UniqueConstraint("study_id", "number", name=op.f("uq_study_site_study_id_number")),
    )
    op.create_geospatial_index(
        "idx_study_site_geom", "study_site", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_study_site_territory_id"), "study_site", ["territory_id"], unique=False)
    op.create_geospatial_table(
        "study_ground",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("site_number", sa.SmallInteger(), nullable=True),
        sa.Column("people", sa.Float(), nullable=False),
        sa.Column("geom", Geometry("MULTIPOLYGON", srid=4326, dimension=2, spatial_index=False), nullable=False),
        sa.CheckConstraint(
            "kind IN ('catchment', 'existing', 'left_out', 'unreachable')", name=op.f("ck_study_ground_kind")
        ),
        sa.ForeignKeyConstraint(
            ["study_id"], ["study.id"], name=op.f("fk_study_ground_study_id_study"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_study_ground_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_ground")),
    )
    op.create_geospatial_index(
        "idx_study_ground_geom", "study_ground", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_study_ground_study_id"), "study_ground", ["study_id"], unique=False)
    op.create_index(op.f("ix_study_ground_territory_id"), "study_ground", ["territory_id"], unique=False)
    run_file("0006_studies.sql")
    record_table("study")
    record_table("study_site")
    grant("SELECT, INSERT, UPDATE, DELETE", "study", "study_site", "study_ground")
    grant_all_sequences()


def downgrade() -> None:
    op.execute("DROP POLICY record_study ON record")
    for table in ("study_ground", "study_site"):
        op.drop_geospatial_index(f"idx_{table}_geom", table_name=table, postgresql_using="gist", column_name="geom")
        op.drop_geospatial_table(table)
    op.drop_table("study")
