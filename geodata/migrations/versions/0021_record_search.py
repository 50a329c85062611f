"""The record is searched by who, what and where; its heads by their time

Revision ID: 0021
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_record_actor_label_seq", "record", ["actor_label", "seq"])
    op.create_index("ix_record_subject_table_seq", "record", ["subject_table", "seq"])
    op.create_index("ix_record_action_seq", "record", ["action", "seq"])
    op.create_index(
        "ix_record_grid_id_seq", "record", ["grid_id", "seq"], postgresql_where=sa.text("grid_id IS NOT NULL")
    )
    op.create_index("ix_record_batch_sealed_at", "record_batch", ["sealed_at"])


def downgrade() -> None:
    op.drop_index("ix_record_batch_sealed_at", "record_batch")
    for name in ("grid_id", "action", "subject_table", "actor_label"):
        op.drop_index(f"ix_record_{name}_seq", "record")
