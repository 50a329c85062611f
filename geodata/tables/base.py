"""The declarative base, the naming convention and the column types shared by all tables."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, MetaData, SmallInteger, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all tables; one schema, one naming convention."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy reads this class attribute)
        str: Text(),
        dt.datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(),
    }


IntId = Annotated[int, mapped_column(Identity(), primary_key=True)]
BigId = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
BigInt = Annotated[int, mapped_column(BigInteger)]
SmallInt = Annotated[int, mapped_column(SmallInteger)]
TerritoryId = Annotated[int, mapped_column(ForeignKey("territory.id", ondelete="CASCADE"), index=True)]
CreatedAt = Annotated[dt.datetime, mapped_column(server_default=func.now())]


def geometry(kind: str, *, nullable: bool = False) -> Any:
    """Return a geometry column in EPSG:4326 with a GiST index."""
    return mapped_column(Geometry(kind, srid=4326, spatial_index=True), nullable=nullable)
