"""What a class of incident needs of whoever handles it, and how fast cars go

Classes that stand already need nothing but one worker until somebody proposes otherwise.

Revision ID: 0042
Revises: 0041
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

CHECKS = {"workers": "workers BETWEEN 1 AND 6", "service_min": "service_min BETWEEN 0 AND 480"}


def upgrade() -> None:
    labels = postgresql.ARRAY(sa.Text())
    for column in (
        sa.Column("skills", labels, server_default="{}", nullable=False),
        sa.Column("equipment", labels, server_default="{}", nullable=False),
        sa.Column("workers", sa.Integer(), server_default="1", nullable=False),
        sa.Column("service_min", sa.Float(), server_default="0", nullable=False),
    ):
        op.add_column("incident_class", column)
    for name, rule in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_incident_class_{name}"), "incident_class", rule)
    numbers = postgresql.ARRAY(sa.Float())
    op.create_table(
        "traffic_load",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("loaded_by", sa.Integer(), nullable=True),
        sa.Column("newest_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        *(sa.Column(name, numbers, nullable=False) for name in ("lons", "lats", "kmhs", "ages_s")),
        sa.CheckConstraint("readings > 0 AND refused >= 0", name=op.f("ck_traffic_load_counts")),
        sa.CheckConstraint("source <> ''", name=op.f("ck_traffic_load_source")),
        sa.ForeignKeyConstraint(
            ["loaded_by"], ["app_user.id"], name=op.f("fk_traffic_load_loaded_by_app_user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_traffic_load_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_traffic_load")),
    )
    op.create_index(
        op.f("ix_traffic_load_territory_id_newest_at"), "traffic_load", ["territory_id", "newest_at"], unique=False
    )
    run_file("0042_traffic.sql")
    # Who brought what in stands in the record; thousands of speeds do not.
    record_table("traffic_load", hidden="lons,lats,kmhs,ages_s")
    grant("SELECT, INSERT, DELETE", "traffic_load")
    grant_all_sequences()


def downgrade() -> None:
    op.execute("DROP POLICY record_traffic ON record")
    op.drop_table("traffic_load")
    op.execute("DROP FUNCTION gk_traffic_hand")
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_incident_class_{name}"), "incident_class", type_="check")
    for column in ("service_min", "workers", "equipment", "skills"):
        op.drop_column("incident_class", column)
