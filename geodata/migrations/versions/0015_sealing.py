"""The record is sealed in batches under one Merkle tree, each with a signed head

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.migrations.support import run_file, run_script

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("record_batch", sa.Column("tree_size", sa.BigInteger(), nullable=False))
    op.add_column("record_batch", sa.Column("peaks", sa.ARRAY(sa.LargeBinary()), nullable=False))
    op.add_column("record_batch", sa.Column("head", sa.Text(), nullable=False))
    op.create_unique_constraint(op.f("uq_record_batch_tree_size"), "record_batch", ["tree_size"])
    op.create_index("ix_record_unsealed", "record", ["seq"], postgresql_where=sa.text("batch_id IS NULL"))
    op.create_index(
        "ix_record_sealed", "record", ["batch_id", "seq"], postgresql_where=sa.text("batch_id IS NOT NULL")
    )
    run_file("0015_sealing.sql")


def downgrade() -> None:
    run_script(
        """
        DROP TRIGGER record_batch_no_truncate ON record_batch;
        DROP TRIGGER record_batch_append_only ON record_batch;
        DROP FUNCTION gk_seal;
        """
    )
    op.drop_index("ix_record_sealed", "record")
    op.drop_index("ix_record_unsealed", "record")
    op.drop_constraint(op.f("uq_record_batch_tree_size"), "record_batch")
    for column in ("tree_size", "peaks", "head"):
        op.drop_column("record_batch", column)
