"""Alembic's entry: all three GeoAlchemy2 helpers, our own filter, lock and statement time-outs."""

from __future__ import annotations

from typing import Any

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import text

from geodata.migrations import include_object
from geodata.tables import Base

LOCK_TIMEOUT = "10s"
STATEMENT_TIMEOUT = "30min"


def _included(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    return include_object(thing, name, kind, reflected, compare_to) and alembic_helpers.include_object(
        thing, name, kind, reflected, compare_to
    )


connection = context.config.attributes["connection"]
connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_object=_included,
    process_revision_directives=alembic_helpers.writer,
    render_item=alembic_helpers.render_item,
    compare_type=True,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
