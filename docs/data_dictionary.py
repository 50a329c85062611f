"""Writes docs/data-dictionary.md from the tables; run by ``make docs``."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

from sqlalchemy import Table
from sqlalchemy.engine import make_url
from sqlalchemy.schema import Column

from geodata.tables import Base

TARGET = Path(__file__).with_name("data-dictionary.md")
DIALECT = make_url("postgresql+psycopg://").get_dialect()()
HEAD = """# Data dictionary

Written by `make docs` from `geodata/tables`; do not edit. Geometries are EPSG:4326; times carry a zone; primary keys
are bold. The column `territory_id` keeps the territories of one platform apart.
"""


def data_dictionary() -> str:
    """Return the dictionary as Markdown: a section per table, a row per column."""
    parts = [HEAD]
    for mapper in sorted(Base.registry.mappers, key=lambda m: m.class_.__tablename__):
        table = mapper.local_table
        if not isinstance(table, Table):
            continue
        parts.append(f"\n## {table.name}\n\n{_summary(mapper.class_)}\n")
        parts.append("\n| Column | Type | Empty | Refers to | Meaning |\n|---|---|---|---|---|\n")
        parts.extend(_row(column) for column in table.columns)
    return "".join(parts)


def _summary(table_class: type) -> str:
    return (inspect.getdoc(table_class) or "").split("\n\n", maxsplit=1)[0].replace("\n", " ")


def _row(column: Column[object]) -> str:
    refers = ", ".join(sorted(key.target_fullname for key in column.foreign_keys))
    kind = column.type.compile(dialect=DIALECT).replace("geometry(", "").removesuffix(",4326)")
    name = f"**{column.name}**" if column.primary_key else column.name
    meaning = (column.doc or "").replace("|", "\\|")
    return f"| {name} | {kind.lower()} | {'yes' if column.nullable else ''} | {refers} | {meaning} |\n"


if __name__ == "__main__":
    TARGET.write_text(data_dictionary())
    sys.stdout.write(f"{TARGET} written\n")
