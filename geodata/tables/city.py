"""What stands in the city: facilities, roads, buildings, water and green."""

from __future__ import annotations

from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId, BigInt, IntId, SmallInt, TerritoryId, geometry


class Facility(Base):
    """A place that serves the public."""

    __tablename__ = "facility"
    __table_args__ = (UniqueConstraint("territory_id", "source", "source_ref"),)

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    source: Mapped[str] = mapped_column(doc="osm | file name of a table")
    source_ref: Mapped[str] = mapped_column(doc="Identity in the source, e.g. n123 or w45")
    kind: Mapped[str] = mapped_column(index=True, doc="school | clinic | hospital … see geodata.osm.FACILITY_KINDS")
    name: Mapped[str | None]
    name_zh: Mapped[str | None]
    capacity: Mapped[float | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    geom: Mapped[WKBElement] = geometry("POINT")


class Road(Base):
    """A stretch of road between two junctions (an edge of the road graph)."""

    __tablename__ = "road"
    __table_args__ = (UniqueConstraint("territory_id", "source", "source_ref", "piece"),)

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    source: Mapped[str]
    source_ref: Mapped[str] = mapped_column(doc="w and the OSM way id")
    piece: Mapped[int] = mapped_column(doc="Number of the stretch along its way, from 0")
    from_node: Mapped[BigInt] = mapped_column(doc="Node identity at the first point")
    to_node: Mapped[BigInt]
    road_class: Mapped[str] = mapped_column(doc="OSM highway value")
    name: Mapped[str | None]
    name_zh: Mapped[str | None]
    ref: Mapped[str | None]
    limit_kmh: Mapped[float | None] = mapped_column(doc="Signed limit; None when not given")
    speed_kmh: Mapped[float] = mapped_column(doc="Limit, or the default of the class")
    oneway: Mapped[SmallInt] = mapped_column(doc="1 along the line, -1 against it, 0 both ways")
    drivable: Mapped[bool]
    walkable: Mapped[bool]
    bridge: Mapped[bool] = mapped_column(server_default="false")
    tunnel: Mapped[bool] = mapped_column(server_default="false")
    length_m: Mapped[float]
    geom: Mapped[WKBElement] = geometry("LINESTRING")


class Railway(Base):
    """A railway above ground: where it runs, blocks end."""

    __tablename__ = "railway"
    __table_args__ = (UniqueConstraint("territory_id", "source", "source_ref"),)

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    source: Mapped[str]
    source_ref: Mapped[str] = mapped_column(doc="w and the OSM way id")
    railway_class: Mapped[str] = mapped_column(doc="OSM railway value")
    name: Mapped[str | None]
    geom: Mapped[WKBElement] = geometry("LINESTRING")


class Building(Base):
    """A building and the people it stands for."""

    __tablename__ = "building"
    __table_args__ = (UniqueConstraint("territory_id", "source", "source_ref"),)

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    source: Mapped[str]
    source_ref: Mapped[str]
    use: Mapped[str] = mapped_column(doc="residential | commercial | industrial | public | farm | other")
    name: Mapped[str | None]
    levels: Mapped[float] = mapped_column(doc="Tagged, or the default of the use")
    footprint_m2: Mapped[float]
    people: Mapped[float] = mapped_column(doc="Demand proxy: floor area × use, scaled to the territory's people")
    geom: Mapped[WKBElement] = geometry("MULTIPOLYGON")


class LandCover(Base):
    """Water and green areas, and lines of water, for the basemap and for 'buildable'."""

    __tablename__ = "land_cover"
    __table_args__ = (
        UniqueConstraint("territory_id", "source", "source_ref"),
        Index(None, "territory_id", "kind"),
    )

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    source: Mapped[str]
    source_ref: Mapped[str]
    kind: Mapped[str] = mapped_column(doc="water | waterway | green | wood | sand | farmland")
    name: Mapped[str | None]
    geom: Mapped[WKBElement] = geometry("GEOMETRY")


class PlaceName(Base):
    """A named settlement, for labels and for opening the map on a town."""

    __tablename__ = "place_name"
    __table_args__ = (UniqueConstraint("territory_id", "source", "source_ref"),)

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    source: Mapped[str]
    source_ref: Mapped[str]
    kind: Mapped[str] = mapped_column(doc="city | town | village | hamlet | suburb")
    name: Mapped[str]
    name_zh: Mapped[str | None]
    people: Mapped[int | None]
    geom: Mapped[WKBElement] = geometry("POINT")
