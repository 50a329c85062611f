"""Walls, basemaps of the city's own, feeds of traffic and what they told by the hour

Not recorded: how a feed answered, speeds by the hour, what is folded from them, and curves of foreign sensors; each is
measured or reckoned, not done by anybody. Who brought speeds in stands in the record of `traffic_load`.

Revision ID: 0057
Revises: 0055
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import announce_layer, grant, grant_all_sequences, record_table, run_file

revision = "0057"
down_revision = "0055"
branch_labels = None
depends_on = None

DATUM = "datum IN ('WGS-84', 'GCJ-02', 'BD-09')"
WORDS = "length(name) BETWEEN 1 AND 80 AND length(address) BETWEEN 1 AND 500"
BY_TERRITORY = ("wall_pass", "own_basemap", "traffic_feed", "traffic_hour", "road_speed", "sensor_curve")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    numbers = postgresql.ARRAY(sa.Float())
    op.create_table(
        "wall_pass",
        _id(),
        _territory(),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        *_made(),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("revoked_at", moment, nullable=True),
        sa.CheckConstraint("length(title) BETWEEN 1 AND 80", name=op.f("ck_wall_pass_title")),
        sa.CheckConstraint(
            "expires_at > made_at AND expires_at <= made_at + interval '92 days'", name=op.f("ck_wall_pass_span")
        ),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_wall_pass_secret_hash")),
        *_keys("wall_pass"),
    )
    op.create_table(
        "own_basemap",
        _id(),
        _territory(),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "kind", "address")),
        sa.Column("secret", sa.Text(), server_default="", nullable=False),
        sa.Column("datum", sa.Text(), server_default="WGS-84", nullable=False),
        sa.Column("attribution", sa.Text(), nullable=False),
        sa.Column("plan", postgresql.JSONB(), nullable=False),
        *_made(),
        sa.CheckConstraint(
            "kind IN ('xyz', 'wmts', 'wms', 'mbtiles', 'pmtiles', 'geotiff')", name=op.f("ck_own_basemap_kind")
        ),
        sa.CheckConstraint(DATUM, name=op.f("ck_own_basemap_datum")),
        sa.CheckConstraint(WORDS, name=op.f("ck_own_basemap_words")),
        sa.UniqueConstraint("territory_id", "name", name=op.f("uq_own_basemap_territory_id_name")),
        *_keys("own_basemap"),
    )
    op.create_table(
        "traffic_feed",
        _id(),
        _territory(),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "address")),
        sa.Column("secret", sa.Text(), server_default="", nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.JSONB(), nullable=False),
        sa.Column("datum", sa.Text(), server_default="WGS-84", nullable=False),
        sa.Column("every_s", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        *_made(),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("form IN ('csv', 'json')", name=op.f("ck_traffic_feed_form")),
        sa.CheckConstraint("every_s BETWEEN 60 AND 3600", name=op.f("ck_traffic_feed_every")),
        sa.CheckConstraint(DATUM, name=op.f("ck_traffic_feed_datum")),
        sa.CheckConstraint(WORDS, name=op.f("ck_traffic_feed_words")),
        sa.UniqueConstraint("territory_id", "name", name=op.f("uq_traffic_feed_territory_id_name")),
        *_keys("traffic_feed"),
    )
    op.create_table(
        "feed_run",
        sa.Column("feed_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("good_at", moment, nullable=True),
        *(sa.Column(name, sa.Integer(), server_default="0", nullable=False) for name in ("readings", "refused")),
        *(sa.Column(name, sa.Text(), server_default="", nullable=False) for name in ("wrong_en", "wrong_zh")),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["traffic_feed.id"], name=op.f("fk_feed_run_feed_id_traffic_feed"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("feed_id", name=op.f("pk_feed_run")),
    )
    op.create_table(
        "traffic_hour",
        sa.Column("road_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hour_at", moment, nullable=False),
        sa.Column("way", sa.SmallInteger(), autoincrement=False, nullable=False),
        _territory(),
        sa.Column("kmh", sa.Float(), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("way BETWEEN -1 AND 1 AND kmh > 0 AND readings > 0", name=op.f("ck_traffic_hour_numbers")),
        _of_territory("traffic_hour"),
        sa.PrimaryKeyConstraint("road_id", "hour_at", "way", name=op.f("pk_traffic_hour")),
    )
    op.create_table(
        "road_speed",
        sa.Column("road_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _territory(),
        sa.Column("free_kmh", sa.Float(), nullable=False),
        sa.Column("hours", numbers, nullable=False),
        sa.Column("rush", sa.Float(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("buffer", "planning")),
        sa.Column("days", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        _of_territory("road_speed"),
        sa.PrimaryKeyConstraint("road_id", name=op.f("pk_road_speed")),
    )
    op.create_table(
        "sensor_curve",
        _id(),
        _territory(),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("data_set", "sensor")),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("lon", "lat")),
        sa.Column("readings", sa.BigInteger(), nullable=False),
        sa.Column("days", sa.SmallInteger(), nullable=False),
        sa.Column("free_kmh", sa.Float(), nullable=False),
        sa.Column("ratios", numbers, nullable=False),
        sa.UniqueConstraint(
            "territory_id", "data_set", "sensor", name=op.f("uq_sensor_curve_territory_id_data_set_sensor")
        ),
        _of_territory("sensor_curve"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sensor_curve")),
    )
    for table in BY_TERRITORY:
        op.create_index(op.f(f"ix_{table}_territory_id"), table, ["territory_id"], unique=False)
    op.add_column("traffic_load", sa.Column("headings", numbers, nullable=True))
    run_file("0057_live.sql")
    record_table("wall_pass", hidden="secret_hash")
    record_table("own_basemap", hidden="secret")
    record_table("traffic_feed", hidden="secret")
    announce_layer("traffic_load", "traffic")
    announce_layer("road_speed", "traffic")
    grant("SELECT, INSERT, UPDATE, DELETE", "own_basemap", "traffic_feed", "feed_run", "traffic_hour", "road_speed")
    grant("SELECT, INSERT, UPDATE, DELETE", "sensor_curve")
    grant("SELECT, INSERT, UPDATE", "wall_pass")
    grant_all_sequences()


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False)


def _territory() -> sa.Column[int]:
    return sa.Column("territory_id", sa.Integer(), nullable=False)


def _made() -> tuple[sa.Column[int], sa.Column[sa.DateTime]]:
    return (
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )


def _of_territory(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_territory_id_territory")
    return sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=name, ondelete="CASCADE")


def _keys(table: str) -> tuple[sa.ForeignKeyConstraint | sa.PrimaryKeyConstraint, ...]:
    by = op.f(f"fk_{table}_made_by_app_user")
    return (
        sa.ForeignKeyConstraint(["made_by"], ["app_user.id"], name=by, ondelete="SET NULL"),
        _of_territory(table),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def downgrade() -> None:
    op.execute("DROP POLICY record_live ON record")
    for event in ("insert", "update", "delete"):
        op.execute(f"DROP TRIGGER zz_layer_{event} ON traffic_load")
    op.drop_column("traffic_load", "headings")
    for table in ("sensor_curve", "road_speed", "traffic_hour", "feed_run", "traffic_feed", "own_basemap", "wall_pass"):
        op.drop_table(table)
    op.execute("DROP FUNCTION gk_wall_pass_law")
    op.execute("DROP FUNCTION gk_made_by_hand")
