"""Names found by parts and by near misses: trigrams of roads, facilities and settlements

Revision ID: 0051
Revises: 0050
"""

from __future__ import annotations

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

NAMED = ("road", "facility", "place_name")


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for table in NAMED:
        op.execute(
            f"CREATE INDEX {table}_by_name ON {table}"  # no ix_: the models do not know it
            " USING gin (name gin_trgm_ops, name_zh gin_trgm_ops) WITH (fastupdate = off)"
        )


def downgrade() -> None:
    for table in NAMED:
        op.execute(f"DROP INDEX {table}_by_name")
    op.execute("DROP EXTENSION pg_trgm")
