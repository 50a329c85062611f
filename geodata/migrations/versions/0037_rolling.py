"""The standing plan of dispatch, closed streets, and the cost table of a territory

Revision ID: 0037
Revises: 0036
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import JSONB

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
ANNOUNCED = {"plan": "plan", "closure": "closures", "cost_table": "costs", "task": "tasks", "pin": "pins"}
"""Table to what its changes are told as; a pin only where there are pins."""


def upgrade() -> None:
    _plan()
    _plan_row()
    _closure()
    op.create_table(
        "cost_table",
        sa.Column("territory_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("weights", JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        _of_territory("cost_table"),
        sa.PrimaryKeyConstraint("territory_id", name=op.f("pk_cost_table")),
    )
    run_file("0037_rolling.sql")
    grant("SELECT, INSERT, UPDATE, DELETE", "plan", "closure", "cost_table")
    grant("SELECT, INSERT, DELETE", "plan_row")
    grant_all_sequences()
    record_table("closure")
    record_table("cost_table", key="territory_id")
    there = sa.inspect(op.get_bind()).get_table_names()
    for table, what in ANNOUNCED.items():
        if table in there:
            _announce(table, what)


def _of_territory(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_territory_id_territory")
    return sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=name, ondelete="CASCADE")


def _announce(table: str, what: str) -> None:
    for event, reference in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        op.execute(
            f"CREATE TRIGGER zz_dispatch_{event.lower()} AFTER {event} ON {table}"
            f" REFERENCING {reference} TABLE AS changed"
            f" FOR EACH STATEMENT EXECUTE FUNCTION gk_notify_dispatch('{what}')"
        )


def _plan() -> None:
    op.create_table(
        "plan",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("cost_s", sa.Float(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("cpu_s", sa.Float(), nullable=False),
        sa.Column("facts", JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("snapshot", sa.LargeBinary(), nullable=True),
        _of_territory("plan"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_index(op.f("ix_plan_territory_id"), "plan", ["territory_id"], unique=False)
    op.execute("ALTER TABLE plan ALTER COLUMN snapshot SET STORAGE EXTERNAL")  # it is compressed already


def _plan_row() -> None:
    op.create_table(
        "plan_row",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=True),
        sa.Column("worker_id", sa.Integer(), nullable=False),
        sa.Column("place_in_route", sa.SmallInteger(), nullable=False),
        *(sa.Column(name, MOMENT, nullable=False) for name in ("start_at", "end_at")),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("travel_s", "late_s")),
        sa.Column("slack_s", sa.Float(), nullable=True),
        sa.Column("incident_version", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("task_version", "was_worker_id")),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("safe", sa.Boolean(), nullable=False),
        sa.Column("needs", JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("change IN ('new', 'moved', 'retimed', 'kept', 'fixed')", name=op.f("ck_plan_row_change")),
        sa.CheckConstraint("end_at >= start_at", name=op.f("ck_plan_row_span")),
        sa.CheckConstraint("safe = (needs IS NULL)", name=op.f("ck_plan_row_safe")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_row_plan_id_plan"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_plan_row_incident_id_incident"), ondelete="CASCADE"
        ),
        _of_territory("plan_row"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_row")),
    )
    op.create_index("ix_plan_row_plan_id_incident_id", "plan_row", ["plan_id", "incident_id"], unique=False)
    op.create_index(op.f("ix_plan_row_incident_id"), "plan_row", ["incident_id"], unique=False)
    op.create_index(op.f("ix_plan_row_territory_id"), "plan_row", ["territory_id"], unique=False)


def _closure() -> None:
    op.create_geospatial_table(
        "closure",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("geom", Geometry("GEOMETRY", srid=4326, dimension=2, spatial_index=False), nullable=False),
        sa.Column("from_at", MOMENT, nullable=False),
        sa.Column("to_at", MOMENT, nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("to_at > from_at", name=op.f("ck_closure_span")),
        sa.CheckConstraint("GeometryType(geom) IN ('LINESTRING', 'POLYGON')", name=op.f("ck_closure_shape")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_closure_name")),
        sa.ForeignKeyConstraint(
            ["made_by"], ["app_user.id"], name=op.f("fk_closure_made_by_app_user"), ondelete="SET NULL"
        ),
        _of_territory("closure"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closure")),
    )
    op.create_geospatial_index(
        "idx_closure_geom", "closure", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_closure_territory_id_ended_at"), "closure", ["territory_id", "ended_at"], unique=False)


def downgrade() -> None:
    op.execute("DROP FUNCTION gk_notify_dispatch CASCADE")  # and its triggers
    op.execute("DROP POLICY record_dispatch ON record")
    op.drop_table("cost_table")
    op.drop_geospatial_index("idx_closure_geom", table_name="closure", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("closure")
    op.execute("DROP FUNCTION gk_closure")
    op.drop_table("plan_row")
    op.drop_table("plan")
