"""The first tables

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import announce_layer, grant, grant_all_sequences, record_table, run_file, run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

EDITED = (
    "territory",
    "area",
    "load",
    "quarantine",
    "responsibility_grid",
    "unit_grid",
    "facility",
    "unit",
    "person",
    "worker",
    "app_user",
    "user_role",
    "calendar",
    "calendar_day",
    "incident_class",
    "time_limit",
    "class_owner",
    "incident",
    "task",
)
HIDDEN = {"app_user": "password_hash"}


def upgrade() -> None:
    op.create_table(
        "calendar",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("hours", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("holidays_source", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar")),
        sa.UniqueConstraint("code", name=op.f("uq_calendar_code")),
    )
    op.create_table(
        "incident_class",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("scheme_version", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("category_en", sa.Text(), nullable=False),
        sa.Column("category_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), server_default="3", nullable=False),
        sa.Column("emergency", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("kind IN ('component', 'event')", name=op.f("ck_incident_class_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_class")),
        sa.UniqueConstraint(
            "scheme", "scheme_version", "kind", "code", name=op.f("uq_incident_class_scheme_scheme_version_kind_code")
        ),
    )
    op.create_table(
        "load_row",
        sa.Column("record_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("row_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("grid_id", sa.Integer(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("row_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("record_seq", "row_no", name=op.f("pk_load_row")),
    )
    op.create_index(op.f("ix_load_row_subject_id"), "load_row", ["subject_id"], unique=False)
    op.create_table(
        "person_key",
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_person_key")),
    )
    op.create_table(
        "record_batch",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("root_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_batch")),
    )
    op.create_geospatial_table(
        "territory",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column(
            "boundary",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("metric_srid", sa.Integer(), nullable=False),
        sa.Column("code_scheme", sa.Text(), server_default="local", nullable=False),
        sa.Column("timezone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("opens_lon", sa.Double(), nullable=True),
        sa.Column("opens_lat", sa.Double(), nullable=True),
        sa.Column("opens_zoom", sa.SmallInteger(), nullable=True),
        sa.Column("is_demo", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("attribution", sa.Text(), server_default="", nullable=False),
        sa.Column("people_note", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territory")),
        sa.UniqueConstraint("name", name=op.f("uq_territory_name")),
    )
    op.create_geospatial_index(
        "idx_territory_boundary", "territory", ["boundary"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_geospatial_table(
        "area",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=True),
        sa.Column("settlement", sa.Text(), server_default="town", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=True),
        sa.Column(
            "boundary",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("level IN ('district', 'street', 'community')", name=op.f("ck_area_level")),
        sa.ForeignKeyConstraint(["parent_id"], ["area.id"], name=op.f("fk_area_parent_id_area")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_area_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area")),
        sa.UniqueConstraint("territory_id", "level", "code", name=op.f("uq_area_territory_id_level_code")),
    )
    op.create_geospatial_index(
        "idx_area_boundary", "area", ["boundary"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_area_parent_id"), "area", ["parent_id"], unique=False)
    op.create_index(op.f("ix_area_territory_id"), "area", ["territory_id"], unique=False)
    op.create_geospatial_table(
        "building",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=False),
        sa.Column("use", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("levels", sa.Double(), nullable=False),
        sa.Column("footprint_m2", sa.Double(), nullable=False),
        sa.Column("people", sa.Double(), nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_building_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_building")),
        sa.UniqueConstraint(
            "territory_id", "source", "source_ref", name=op.f("uq_building_territory_id_source_source_ref")
        ),
    )
    op.create_geospatial_index(
        "idx_building_geom", "building", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_building_territory_id"), "building", ["territory_id"], unique=False)
    op.create_table(
        "calendar_day",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("calendar_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendar.id"], name=op.f("fk_calendar_day_calendar_id_calendar"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_day")),
        sa.UniqueConstraint("calendar_id", "day", name=op.f("uq_calendar_day_calendar_id_day")),
    )
    op.create_geospatial_table(
        "facility",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("name_zh", sa.Text(), nullable=True),
        sa.Column("capacity", sa.Double(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_facility_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility")),
        sa.UniqueConstraint(
            "territory_id", "source", "source_ref", name=op.f("uq_facility_territory_id_source_source_ref")
        ),
    )
    op.create_geospatial_index(
        "idx_facility_geom", "facility", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_facility_kind"), "facility", ["kind"], unique=False)
    op.create_index(op.f("ix_facility_territory_id"), "facility", ["territory_id"], unique=False)
    op.create_geospatial_table(
        "land_cover",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_land_cover_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_land_cover")),
        sa.UniqueConstraint(
            "territory_id", "source", "source_ref", name=op.f("uq_land_cover_territory_id_source_source_ref")
        ),
    )
    op.create_geospatial_index(
        "idx_land_cover_geom", "land_cover", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_land_cover_territory_id"), "land_cover", ["territory_id"], unique=False)
    op.create_index(op.f("ix_land_cover_territory_id_kind"), "land_cover", ["territory_id", "kind"], unique=False)
    op.create_table(
        "load",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("actor_label", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_load_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_load")),
    )
    op.create_index(op.f("ix_load_territory_id"), "load", ["territory_id"], unique=False)
    op.create_index(
        op.f("ix_load_territory_id_kind_content_sha256"),
        "load",
        ["territory_id", "kind", "content_sha256"],
        unique=False,
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("name_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("phone_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("phone_hash", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_person_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("subject_id", name=op.f("uq_person_subject_id")),
    )
    op.create_index(op.f("ix_person_phone_hash"), "person", ["phone_hash"], unique=False)
    op.create_index(op.f("ix_person_territory_id"), "person", ["territory_id"], unique=False)
    op.create_geospatial_table(
        "place_name",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=True),
        sa.Column("people", sa.Integer(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_place_name_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_name")),
        sa.UniqueConstraint(
            "territory_id", "source", "source_ref", name=op.f("uq_place_name_territory_id_source_source_ref")
        ),
    )
    op.create_geospatial_index(
        "idx_place_name_geom", "place_name", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_place_name_territory_id"), "place_name", ["territory_id"], unique=False)
    op.create_table(
        "record",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=True),
        sa.Column("actor_user_id", sa.Integer(), nullable=True),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("actor_label", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("command_id", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_table", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=True),
        sa.Column("grid_id", sa.Integer(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=True),
        sa.Column("row_hash", sa.LargeBinary(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["record_batch.id"], name=op.f("fk_record_batch_id_record_batch")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_record")),
    )
    op.create_index(op.f("ix_record_command_id"), "record", ["command_id"], unique=False)
    op.create_index(
        op.f("ix_record_subject_table_subject_id_seq"), "record", ["subject_table", "subject_id", "seq"], unique=False
    )
    op.create_index(op.f("ix_record_territory_id_seq"), "record", ["territory_id", "seq"], unique=False)
    op.create_geospatial_table(
        "road",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=False),
        sa.Column("piece", sa.Integer(), nullable=False),
        sa.Column("from_node", sa.BigInteger(), nullable=False),
        sa.Column("to_node", sa.BigInteger(), nullable=False),
        sa.Column("road_class", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("name_zh", sa.Text(), nullable=True),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("limit_kmh", sa.Double(), nullable=True),
        sa.Column("speed_kmh", sa.Double(), nullable=False),
        sa.Column("oneway", sa.SmallInteger(), nullable=False),
        sa.Column("drivable", sa.Boolean(), nullable=False),
        sa.Column("walkable", sa.Boolean(), nullable=False),
        sa.Column("bridge", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("tunnel", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("length_m", sa.Double(), nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="LINESTRING",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_road_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_road")),
        sa.UniqueConstraint(
            "territory_id", "source", "source_ref", "piece", name=op.f("uq_road_territory_id_source_source_ref_piece")
        ),
    )
    op.create_geospatial_index(
        "idx_road_geom", "road", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_road_territory_id"), "road", ["territory_id"], unique=False)
    op.create_table(
        "time_limit",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("scheme_version", sa.Text(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=True),
        sa.Column("condition", sa.Text(), server_default="", nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("closing_condition_en", sa.Text(), server_default="", nullable=False),
        sa.Column("closing_condition_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("responsible_kind", sa.Text(), server_default="department", nullable=False),
        sa.Column("calendar_id", sa.Integer(), nullable=True),
        sa.Column("verified", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "unit IN ('urgent_hours', 'working_hours', 'working_days', 'calendar_days')",
            name=op.f("ck_time_limit_unit"),
        ),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendar.id"], name=op.f("fk_time_limit_calendar_id_calendar")),
        sa.ForeignKeyConstraint(
            ["class_id"], ["incident_class.id"], name=op.f("fk_time_limit_class_id_incident_class")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_limit")),
    )
    op.create_index(op.f("ix_time_limit_class_id"), "time_limit", ["class_id"], unique=False)
    op.create_table(
        "unit",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("calendar_id", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendar.id"], name=op.f("fk_unit_calendar_id_calendar")),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name=op.f("fk_unit_parent_id_unit")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_unit_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("territory_id", "code", name=op.f("uq_unit_territory_id_code")),
    )
    op.create_index(op.f("ix_unit_parent_id"), "unit", ["parent_id"], unique=False)
    op.create_index(op.f("ix_unit_territory_id"), "unit", ["territory_id"], unique=False)
    op.create_table(
        "class_owner",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("area_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("legal_basis", sa.Text(), server_default="", nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_class_owner_area_id_area")),
        sa.ForeignKeyConstraint(
            ["class_id"], ["incident_class.id"], name=op.f("fk_class_owner_class_id_incident_class")
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_class_owner_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_class_owner_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_class_owner")),
    )
    op.create_index(op.f("ix_class_owner_class_id"), "class_owner", ["class_id"], unique=False)
    op.create_index(op.f("ix_class_owner_territory_id"), "class_owner", ["territory_id"], unique=False)
    op.create_index(op.f("ix_class_owner_unit_id"), "class_owner", ["unit_id"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=True),
        sa.Column("row_no", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("raw_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["load_id"], ["load.id"], name=op.f("fk_quarantine_load_id_load"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_quarantine_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("territory_id", "fingerprint", name=op.f("uq_quarantine_territory_id_fingerprint")),
    )
    op.create_index(op.f("ix_quarantine_load_id"), "quarantine", ["load_id"], unique=False)
    op.create_index(op.f("ix_quarantine_territory_id"), "quarantine", ["territory_id"], unique=False)
    op.create_geospatial_table(
        "responsibility_grid",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column(
            "boundary",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id"],
            ["territory.id"],
            name=op.f("fk_responsibility_grid_territory_id_territory"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_responsibility_grid_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responsibility_grid")),
        sa.UniqueConstraint("territory_id", "code", name=op.f("uq_responsibility_grid_territory_id_code")),
    )
    op.create_geospatial_index(
        "idx_responsibility_grid_boundary",
        "responsibility_grid",
        ["boundary"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(op.f("ix_responsibility_grid_territory_id"), "responsibility_grid", ["territory_id"], unique=False)
    op.create_index(op.f("ix_responsibility_grid_unit_id"), "responsibility_grid", ["unit_id"], unique=False)
    op.create_geospatial_table(
        "unit_grid",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("responsibility_grid_id", sa.Integer(), nullable=True),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("size_m", sa.Double(), nullable=True),
        sa.Column("area_m2", sa.Double(), nullable=False),
        sa.Column("people", sa.Double(), nullable=True),
        sa.Column("land_use", sa.Text(), nullable=True),
        sa.Column("management_level", sa.Text(), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["community_id"], ["area.id"], name=op.f("fk_unit_grid_community_id_area")),
        sa.ForeignKeyConstraint(
            ["responsibility_grid_id"],
            ["responsibility_grid.id"],
            name=op.f("fk_unit_grid_responsibility_grid_id_responsibility_grid"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_unit_grid_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_grid")),
    )
    op.create_geospatial_index(
        "idx_unit_grid_geom", "unit_grid", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_unit_grid_community_id"), "unit_grid", ["community_id"], unique=False)
    op.create_index(op.f("ix_unit_grid_responsibility_grid_id"), "unit_grid", ["responsibility_grid_id"], unique=False)
    op.create_index(op.f("ix_unit_grid_territory_id"), "unit_grid", ["territory_id"], unique=False)
    op.create_index(
        "uq_unit_grid_live_code",
        "unit_grid",
        ["territory_id", "code"],
        unique=True,
        postgresql_where=sa.text("ended_on IS NULL"),
    )
    op.create_table(
        "worker",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("responsibility_grid_id", sa.Integer(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        sa.Column("skills", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("shift_start", sa.Time(), nullable=True),
        sa.Column("shift_end", sa.Time(), nullable=True),
        sa.Column("shift_weekdays", sa.ARRAY(sa.Integer()), server_default="{1,2,3,4,5}", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_worker_person_id_person")),
        sa.ForeignKeyConstraint(
            ["responsibility_grid_id"],
            ["responsibility_grid.id"],
            name=op.f("fk_worker_responsibility_grid_id_responsibility_grid"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_worker_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_worker_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
        sa.UniqueConstraint("territory_id", "code", name=op.f("uq_worker_territory_id_code")),
    )
    op.create_index(op.f("ix_worker_responsibility_grid_id"), "worker", ["responsibility_grid_id"], unique=False)
    op.create_index(op.f("ix_worker_territory_id"), "worker", ["territory_id"], unique=False)
    op.create_index(op.f("ix_worker_unit_id"), "worker", ["unit_id"], unique=False)
    op.create_table(
        "app_user",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("worker_id", sa.Integer(), nullable=True),
        sa.Column("locale", sa.Text(), server_default="en", nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("failed_logins", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_app_user_person_id_person")),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f("fk_app_user_worker_id_worker")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("login", name=op.f("uq_app_user_login")),
    )
    op.create_geospatial_table(
        "incident",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_system", sa.Text(), server_default="", nullable=False),
        sa.Column("external_ref", sa.Text(), nullable=True),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("emergency", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("grid_id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("worker_id", sa.Integer(), nullable=True),
        sa.Column("reworks", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("simulated", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "status IN ('reported', 'filed', 'dispatched', 'handling', 'checking', 'closed', 'void')",
            name=op.f("ck_incident_status"),
        ),
        sa.ForeignKeyConstraint(["class_id"], ["incident_class.id"], name=op.f("fk_incident_class_id_incident_class")),
        sa.ForeignKeyConstraint(["community_id"], ["area.id"], name=op.f("fk_incident_community_id_area")),
        sa.ForeignKeyConstraint(["grid_id"], ["unit_grid.id"], name=op.f("fk_incident_grid_id_unit_grid")),
        sa.ForeignKeyConstraint(["load_id"], ["load.id"], name=op.f("fk_incident_load_id_load")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_incident_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_incident_unit_id_unit")),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f("fk_incident_worker_id_worker")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint("territory_id", "number", name=op.f("uq_incident_territory_id_number")),
    )
    op.create_geospatial_index(
        "idx_incident_geom", "incident", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_incident_class_id"), "incident", ["class_id"], unique=False)
    op.create_index(op.f("ix_incident_community_id"), "incident", ["community_id"], unique=False)
    op.create_index(op.f("ix_incident_grid_id_reported_at"), "incident", ["grid_id", "reported_at"], unique=False)
    op.create_index(
        "ix_incident_open_due",
        "incident",
        ["territory_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("status NOT IN ('closed', 'void')"),
    )
    op.create_index(op.f("ix_incident_territory_id"), "incident", ["territory_id"], unique=False)
    op.create_index(
        op.f("ix_incident_territory_id_reported_at"), "incident", ["territory_id", "reported_at"], unique=False
    )
    op.create_index(op.f("ix_incident_unit_id"), "incident", ["unit_id"], unique=False)
    op.create_index(op.f("ix_incident_worker_id"), "incident", ["worker_id"], unique=False)
    op.create_index(
        "uq_incident_external_ref",
        "incident",
        ["territory_id", "source_system", "external_ref"],
        unique=True,
        postgresql_where=sa.text("external_ref IS NOT NULL"),
    )
    op.create_table(
        "incident_day",
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("grid_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Integer(), nullable=False),
        sa.Column("void", sa.Integer(), nullable=False),
        sa.Column("closed_within", sa.ARRAY(sa.Integer()), nullable=False),
        sa.ForeignKeyConstraint(
            ["grid_id"], ["unit_grid.id"], name=op.f("fk_incident_day_grid_id_unit_grid"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_incident_day_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("territory_id", "day", "grid_id", "category", name=op.f("pk_incident_day")),
    )
    op.create_index(op.f("ix_incident_day_territory_id_day"), "incident_day", ["territory_id", "day"], unique=False)
    op.create_table(
        "incident_personal",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("note_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("reporter_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("phone_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("phone_hash", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_incident_personal_incident_id_incident"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"],
            ["territory.id"],
            name=op.f("fk_incident_personal_territory_id_territory"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident_personal")),
    )
    op.create_index(op.f("ix_incident_personal_phone_hash"), "incident_personal", ["phone_hash"], unique=False)
    op.create_index(op.f("ix_incident_personal_subject_id"), "incident_personal", ["subject_id"], unique=False)
    op.create_index(op.f("ix_incident_personal_territory_id"), "incident_personal", ["territory_id"], unique=False)
    op.create_table(
        "job_run",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("step", sa.Text(), server_default="", nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_job_run_state")
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_job_run_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_job_run_user_id_app_user"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
    )
    op.create_index(op.f("ix_job_run_territory_id"), "job_run", ["territory_id"], unique=False)
    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("worker_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("kind IN ('verify', 'handle', 'check', 'visit', 'patrol')", name=op.f("ck_task_kind")),
        sa.CheckConstraint(
            "state IN ('waiting', 'accepted', 'started', 'done', 'returned', 'cancelled')", name=op.f("ck_task_state")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_task_incident_id_incident"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_task_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_task_unit_id_unit")),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f("fk_task_worker_id_worker")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index(op.f("ix_task_incident_id"), "task", ["incident_id"], unique=False)
    op.create_index(op.f("ix_task_territory_id"), "task", ["territory_id"], unique=False)
    op.create_index(op.f("ix_task_unit_id"), "task", ["unit_id"], unique=False)
    op.create_index(op.f("ix_task_worker_id"), "task", ["worker_id"], unique=False)
    op.create_table(
        "user_role",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("area_ids", sa.ARRAY(sa.Integer()), server_default="{}", nullable=False),
        sa.Column("unit_ids", sa.ARRAY(sa.Integer()), server_default="{}", nullable=False),
        sa.CheckConstraint(
            "role IN ('grid_worker', 'grid_manager', 'handler', 'dispatcher', 'supervisor', 'planner', 'auditor', 'administrator')",
            name=op.f("ck_user_role_role"),
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_user_role_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_user_role_user_id_app_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_role")),
        sa.UniqueConstraint("user_id", "territory_id", "role", name=op.f("uq_user_role_user_id_territory_id_role")),
    )
    op.create_index(op.f("ix_user_role_territory_id"), "user_role", ["territory_id"], unique=False)
    op.create_table(
        "user_session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["role_id"], ["user_role.id"], name=op.f("fk_user_session_role_id_user_role"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_user_session_user_id_app_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
    )
    op.create_index(op.f("ix_user_session_user_id"), "user_session", ["user_id"], unique=False)

    run_file("0001_scope.sql")
    run_file("0001_record.sql")
    for table in EDITED:
        record_table(table, hidden=HIDDEN.get(table, ""))
    record_table("incident_personal", key="incident_id")
    for table, layer in (
        ("incident", "incidents"),
        ("unit_grid", "grids"),
        ("responsibility_grid", "grids"),
        ("facility", "facilities"),
        ("road", "roads"),
        ("building", "basemap"),
        ("land_cover", "basemap"),
        ("place_name", "basemap"),
        ("area", "basemap"),
    ):
        announce_layer(table, layer)
    run_script(SchemaManager.get_schema())
    grant(
        "SELECT, INSERT, UPDATE, DELETE",
        *EDITED,
        "incident_personal",
        "person_key",
        "road",
        "building",
        "land_cover",
        "place_name",
        "user_session",
        "job_run",
    )
    grant(
        "SELECT, INSERT, UPDATE, DELETE",
        "procrastinate_jobs",
        "procrastinate_events",
        "procrastinate_workers",
        "procrastinate_periodic_defers",
    )
    grant("SELECT", "record", "record_batch", "load_row", "incident_day", "alembic_version")
    grant_all_sequences()


def downgrade() -> None:
    _drop_queue()
    op.execute("DROP POLICY load_row_here ON load_row")
    op.execute("DROP POLICY record_here ON record")
    for function in (
        "gk_record_event",
        "gk_record_change",
        "gk_append_only",
        "gk_record_stamp",
        "gk_record_text",
        "gk_notify_layer",
    ):
        op.execute(f"DROP FUNCTION {function} CASCADE")
    op.drop_index(op.f("ix_user_session_user_id"), table_name="user_session")
    op.drop_table("user_session")
    op.drop_index(op.f("ix_user_role_territory_id"), table_name="user_role")
    op.drop_table("user_role")
    op.drop_index(op.f("ix_task_worker_id"), table_name="task")
    op.drop_index(op.f("ix_task_unit_id"), table_name="task")
    op.drop_index(op.f("ix_task_territory_id"), table_name="task")
    op.drop_index(op.f("ix_task_incident_id"), table_name="task")
    op.drop_table("task")
    op.drop_index(op.f("ix_job_run_territory_id"), table_name="job_run")
    op.drop_table("job_run")
    op.drop_index(op.f("ix_incident_personal_territory_id"), table_name="incident_personal")
    op.drop_index(op.f("ix_incident_personal_subject_id"), table_name="incident_personal")
    op.drop_index(op.f("ix_incident_personal_phone_hash"), table_name="incident_personal")
    op.drop_table("incident_personal")
    op.drop_index(op.f("ix_incident_day_territory_id_day"), table_name="incident_day")
    op.drop_table("incident_day")
    op.drop_index(
        "uq_incident_external_ref", table_name="incident", postgresql_where=sa.text("external_ref IS NOT NULL")
    )
    op.drop_index(op.f("ix_incident_worker_id"), table_name="incident")
    op.drop_index(op.f("ix_incident_unit_id"), table_name="incident")
    op.drop_index(op.f("ix_incident_territory_id_reported_at"), table_name="incident")
    op.drop_index(op.f("ix_incident_territory_id"), table_name="incident")
    op.drop_index(
        "ix_incident_open_due", table_name="incident", postgresql_where=sa.text("status NOT IN ('closed', 'void')")
    )
    op.drop_index(op.f("ix_incident_grid_id_reported_at"), table_name="incident")
    op.drop_index(op.f("ix_incident_community_id"), table_name="incident")
    op.drop_index(op.f("ix_incident_class_id"), table_name="incident")
    op.drop_geospatial_index("idx_incident_geom", table_name="incident", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("incident")
    op.drop_table("app_user")
    op.drop_index(op.f("ix_worker_unit_id"), table_name="worker")
    op.drop_index(op.f("ix_worker_territory_id"), table_name="worker")
    op.drop_index(op.f("ix_worker_responsibility_grid_id"), table_name="worker")
    op.drop_table("worker")
    op.drop_index("uq_unit_grid_live_code", table_name="unit_grid", postgresql_where=sa.text("ended_on IS NULL"))
    op.drop_index(op.f("ix_unit_grid_territory_id"), table_name="unit_grid")
    op.drop_index(op.f("ix_unit_grid_responsibility_grid_id"), table_name="unit_grid")
    op.drop_index(op.f("ix_unit_grid_community_id"), table_name="unit_grid")
    op.drop_geospatial_index("idx_unit_grid_geom", table_name="unit_grid", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("unit_grid")
    op.drop_index(op.f("ix_responsibility_grid_unit_id"), table_name="responsibility_grid")
    op.drop_index(op.f("ix_responsibility_grid_territory_id"), table_name="responsibility_grid")
    op.drop_geospatial_index(
        "idx_responsibility_grid_boundary",
        table_name="responsibility_grid",
        postgresql_using="gist",
        column_name="boundary",
    )
    op.drop_geospatial_table("responsibility_grid")
    op.drop_index(op.f("ix_quarantine_territory_id"), table_name="quarantine")
    op.drop_index(op.f("ix_quarantine_load_id"), table_name="quarantine")
    op.drop_table("quarantine")
    op.drop_index(op.f("ix_class_owner_unit_id"), table_name="class_owner")
    op.drop_index(op.f("ix_class_owner_territory_id"), table_name="class_owner")
    op.drop_index(op.f("ix_class_owner_class_id"), table_name="class_owner")
    op.drop_table("class_owner")
    op.drop_index(op.f("ix_unit_territory_id"), table_name="unit")
    op.drop_index(op.f("ix_unit_parent_id"), table_name="unit")
    op.drop_table("unit")
    op.drop_index(op.f("ix_time_limit_class_id"), table_name="time_limit")
    op.drop_table("time_limit")
    op.drop_index(op.f("ix_road_territory_id"), table_name="road")
    op.drop_geospatial_index("idx_road_geom", table_name="road", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("road")
    op.drop_index(op.f("ix_record_territory_id_seq"), table_name="record")
    op.drop_index(op.f("ix_record_subject_table_subject_id_seq"), table_name="record")
    op.drop_index(op.f("ix_record_command_id"), table_name="record")
    op.drop_table("record")
    op.drop_index(op.f("ix_place_name_territory_id"), table_name="place_name")
    op.drop_geospatial_index(
        "idx_place_name_geom", table_name="place_name", postgresql_using="gist", column_name="geom"
    )
    op.drop_geospatial_table("place_name")
    op.drop_index(op.f("ix_person_territory_id"), table_name="person")
    op.drop_index(op.f("ix_person_phone_hash"), table_name="person")
    op.drop_table("person")
    op.drop_index(op.f("ix_load_territory_id_kind_content_sha256"), table_name="load")
    op.drop_index(op.f("ix_load_territory_id"), table_name="load")
    op.drop_table("load")
    op.drop_index(op.f("ix_land_cover_territory_id_kind"), table_name="land_cover")
    op.drop_index(op.f("ix_land_cover_territory_id"), table_name="land_cover")
    op.drop_geospatial_index(
        "idx_land_cover_geom", table_name="land_cover", postgresql_using="gist", column_name="geom"
    )
    op.drop_geospatial_table("land_cover")
    op.drop_index(op.f("ix_facility_territory_id"), table_name="facility")
    op.drop_index(op.f("ix_facility_kind"), table_name="facility")
    op.drop_geospatial_index("idx_facility_geom", table_name="facility", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("facility")
    op.drop_table("calendar_day")
    op.drop_index(op.f("ix_building_territory_id"), table_name="building")
    op.drop_geospatial_index("idx_building_geom", table_name="building", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("building")
    op.drop_index(op.f("ix_area_territory_id"), table_name="area")
    op.drop_index(op.f("ix_area_parent_id"), table_name="area")
    op.drop_geospatial_index("idx_area_boundary", table_name="area", postgresql_using="gist", column_name="boundary")
    op.drop_geospatial_table("area")
    op.drop_geospatial_index(
        "idx_territory_boundary", table_name="territory", postgresql_using="gist", column_name="boundary"
    )
    op.drop_geospatial_table("territory")
    op.drop_table("record_batch")
    op.drop_table("person_key")
    op.drop_index(op.f("ix_load_row_subject_id"), table_name="load_row")
    op.drop_table("load_row")
    op.drop_table("incident_class")
    op.drop_table("calendar")
    for function in ("gk_units", "gk_areas", "gk_role", "gk_territory", "gk_setting"):
        op.execute(f"DROP FUNCTION {function}")


def _drop_queue() -> None:
    """Drop everything the job queue made; it ships no downgrade of its own."""
    op.execute(
        """
        DO $$
        DECLARE thing text;
        BEGIN
            FOR thing IN SELECT 'TABLE ' || quote_ident(relname) FROM pg_class
                         WHERE relkind = 'r' AND relname LIKE 'procrastinate\\_%' LOOP
                EXECUTE 'DROP ' || thing || ' CASCADE';
            END LOOP;
            FOR thing IN SELECT 'FUNCTION ' || oid::regprocedure FROM pg_proc WHERE proname LIKE 'procrastinate\\_%' LOOP
                EXECUTE 'DROP ' || thing || ' CASCADE';
            END LOOP;
            FOR thing IN SELECT 'TYPE ' || quote_ident(typname) FROM pg_type
                         WHERE typname LIKE 'procrastinate\\_%' AND typtype IN ('e', 'c') LOOP
                EXECUTE 'DROP ' || thing || ' CASCADE';
            END LOOP;
        END $$
        """
    )
