"""The register of components: fixed public assets with a 16-digit identifier and three owners."""

from __future__ import annotations

import datetime as dt

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId, BigInt, TerritoryId, geometry


class Component(Base):
    """A fixed public asset; restricted ones are seen by roles with incidents only."""

    __tablename__ = "component"
    __table_args__ = (
        UniqueConstraint("territory_id", "code"),
        CheckConstraint("code ~ '^[0-9]{16}$' AND substr(code, 11) <> '000000'", name="code"),
        CheckConstraint("state IN ('in_use', 'damaged', 'removed', 'planned')", name="state"),
        CheckConstraint("sensitivity IN ('open', 'restricted')", name="sensitivity"),
        CheckConstraint("valid_to >= valid_from", name="days"),
        Index(None, "territory_id", "square", "class_id"),
        Index(None, "community_id", "class_id"),
    )

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    code: Mapped[str] = mapped_column(doc="16 digits: district 6, major 2, minor 2, sequence 6")
    class_id: Mapped[int] = mapped_column(ForeignKey("incident_class.id"), index=True, doc="A component class")
    state: Mapped[str] = mapped_column(server_default="in_use", doc="in_use | damaged | removed | planned")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True, doc="Department in charge")
    property_unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True, doc="Owner of the property")
    upkeep_unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True, doc="Maintains it")
    sensitivity: Mapped[str] = mapped_column(
        server_default="open", doc="open | restricted; gas, power, telecom and water objects are always restricted"
    )
    place: Mapped[str] = mapped_column(server_default="", doc="Street or place, never a person")
    community_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    valid_from: Mapped[dt.date | None] = mapped_column(doc="First day; None when not known")
    valid_to: Mapped[dt.date | None] = mapped_column(doc="Last day, included; None while it stands")
    simulated: Mapped[bool] = mapped_column(server_default="false")
    version: Mapped[int] = mapped_column(server_default="1")
    square: Mapped[BigInt] = mapped_column(
        server_default="0", doc="Square of 0.002 degrees, set by a trigger: finds by place under a policy"
    )
    geom: Mapped[WKBElement] = geometry("POINT")
