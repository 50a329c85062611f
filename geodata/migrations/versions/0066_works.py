"""Planned works that slow a street without closing it; who draws the map is told of works

Revision ID: 0066
Revises: 0063
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0063"
branch_labels = None
depends_on = None

TABLE_OF = {"insert": "NEW", "update": "NEW", "delete": "OLD"}


def upgrade() -> None:
    op.add_column("closure", sa.Column("speed_kmh", sa.SmallInteger(), nullable=True))
    op.create_check_constraint(op.f("ck_closure_speed"), "closure", "speed_kmh BETWEEN 3 AND 120")
    for what, which in TABLE_OF.items():
        op.execute(
            f"CREATE TRIGGER zz_layer_{what} AFTER {what.upper()} ON closure REFERENCING {which} TABLE AS changed"
            " FOR EACH STATEMENT EXECUTE FUNCTION gk_notify_layer('traffic')"
        )


def downgrade() -> None:
    for what in TABLE_OF:
        op.execute(f"DROP TRIGGER zz_layer_{what} ON closure")
    # Without its speed a street that is only slowed would be taken for a closed one.
    op.execute(
        "UPDATE closure SET ended_at = greatest(now(), made_at), version = version + 1"
        " WHERE speed_kmh IS NOT NULL AND ended_at IS NULL"
    )
    op.drop_constraint(op.f("ck_closure_speed"), "closure", type_="check")
    op.drop_column("closure", "speed_kmh")
