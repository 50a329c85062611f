"""What is shown on walls, drawn from the city's own map servers, and heard of traffic."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Float, ForeignKey, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigInt, CreatedAt, IntId, SmallInt, TerritoryId


class WallPass(Base):
    """An address that shows the Wall without a login until it ends; only the hash of its secret is kept."""

    __tablename__ = "wall_pass"
    __table_args__ = (
        CheckConstraint("length(title) BETWEEN 1 AND 80", name="title"),
        CheckConstraint("expires_at > made_at AND expires_at <= made_at + interval '92 days'", name="span"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    title: Mapped[str] = mapped_column(doc="Where the screen hangs, never a person")
    secret_hash: Mapped[str] = mapped_column(unique=True, doc="SHA-256 of the secret; excluded from the record")
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    made_at: Mapped[CreatedAt]
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]


class OwnBasemap(Base):
    """A map of the city's own under our layers: a service on its network, or a file beside the platform."""

    __tablename__ = "own_basemap"
    __table_args__ = (
        UniqueConstraint("territory_id", "name"),
        CheckConstraint("kind IN ('xyz', 'wmts', 'wms', 'mbtiles', 'pmtiles', 'geotiff')", name="kind"),
        CheckConstraint("datum IN ('WGS-84', 'GCJ-02', 'BD-09')", name="datum"),
        CheckConstraint("length(name) BETWEEN 1 AND 80 AND length(address) BETWEEN 1 AND 500", name="words"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(doc="xyz | wmts | wms | mbtiles | pmtiles | geotiff")
    address: Mapped[str] = mapped_column(doc="Address of the service, or name of the file in the folder of basemaps")
    secret: Mapped[str] = mapped_column(server_default="", doc="Query of the service's key; excluded from the record")
    datum: Mapped[str] = mapped_column(server_default="WGS-84", doc="WGS-84 | GCJ-02 | BD-09")
    attribution: Mapped[str] = mapped_column(doc="Whose map it is; stands on the map")
    plan: Mapped[dict[str, Any]] = mapped_column(doc="What the service said of itself: levels, layer, system, box")
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    made_at: Mapped[CreatedAt]


class TrafficFeed(Base):
    """An address that is asked for speeds again and again."""

    __tablename__ = "traffic_feed"
    __table_args__ = (
        UniqueConstraint("territory_id", "name"),
        CheckConstraint("form IN ('csv', 'json')", name="form"),
        CheckConstraint("every_s BETWEEN 60 AND 3600", name="every"),
        CheckConstraint("datum IN ('WGS-84', 'GCJ-02', 'BD-09')", name="datum"),
        CheckConstraint("length(name) BETWEEN 1 AND 80 AND length(address) BETWEEN 1 AND 500", name="words"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    name: Mapped[str]
    address: Mapped[str]
    secret: Mapped[str] = mapped_column(server_default="", doc="Query of the feed's key; excluded from the record")
    form: Mapped[str] = mapped_column(doc="csv | json")
    fields: Mapped[dict[str, Any]] = mapped_column(doc="Our names to the feed's: time, kmh, lon, lat, street, heading")
    datum: Mapped[str] = mapped_column(server_default="WGS-84")
    every_s: Mapped[int]
    active: Mapped[bool] = mapped_column(server_default="true")
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    made_at: Mapped[CreatedAt]
    version: Mapped[int] = mapped_column(server_default="1")


class FeedRun(Base):
    """How a feed answered last; one row a feed."""

    __tablename__ = "feed_run"

    feed_id: Mapped[int] = mapped_column(
        ForeignKey("traffic_feed.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    asked_at: Mapped[dt.datetime]
    good_at: Mapped[dt.datetime | None] = mapped_column(doc="When it last brought a reading")
    readings: Mapped[int] = mapped_column(server_default="0", doc="Of the last good answer")
    refused: Mapped[int] = mapped_column(server_default="0")
    wrong_en: Mapped[str] = mapped_column(server_default="", doc="Why the last answer was of no use; empty when it was")
    wrong_zh: Mapped[str] = mapped_column(server_default="")


class TrafficHour(Base):
    """The speed that was measured on a stretch of road in an hour, by direction."""

    __tablename__ = "traffic_hour"
    __table_args__ = (CheckConstraint("way BETWEEN -1 AND 1 AND kmh > 0 AND readings > 0", name="numbers"),)

    road_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, doc="No foreign key: bulk")
    hour_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    way: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False, doc="1 along the line, -1 against it, 0 not said"
    )
    territory_id: Mapped[TerritoryId]
    kmh: Mapped[float] = mapped_column(doc="Mean of the readings")
    readings: Mapped[int]
    source: Mapped[str] = mapped_column(doc="Name of the feed or file; a transplanted curve says so")


class RoadSpeed(Base):
    """How fast a stretch of road usually is at each hour, and how reliably: folded from `traffic_hour`."""

    __tablename__ = "road_speed"

    road_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    territory_id: Mapped[TerritoryId]
    free_kmh: Mapped[float] = mapped_column(doc="When the road is free")
    hours: Mapped[list[float | None]] = mapped_column(ARRAY(Float), doc="24 usual speeds by local hour, km/h")
    rush: Mapped[float] = mapped_column(doc="Travel time of the slowest usual hour over that when free")
    buffer: Mapped[float | None] = mapped_column(doc="Buffer index; None of too few days")
    planning: Mapped[float | None] = mapped_column(doc="Planning time index; None of too few days")
    days: Mapped[SmallInt] = mapped_column(doc="Days with a reading")
    source: Mapped[str]
    made_at: Mapped[dt.datetime]


class SensorCurve(Base):
    """The usual day of a traffic sensor of another city, from a data set that was brought in."""

    __tablename__ = "sensor_curve"
    __table_args__ = (UniqueConstraint("territory_id", "data_set", "sensor"),)

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    data_set: Mapped[str] = mapped_column(doc="Name of the file")
    sensor: Mapped[str]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    readings: Mapped[BigInt]
    days: Mapped[SmallInt]
    free_kmh: Mapped[float] = mapped_column(doc="85th percentile of its readings")
    ratios: Mapped[list[float]] = mapped_column(ARRAY(Float), doc="By hour: speed over that when free")
