"""Studies of every proved kind, with their terms, and plans that answer another study

Revision ID: 0039
Revises: 0038
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None
KINDS = (
    "p-median", "mclp", "p-center", "lscp", "cpmp", "cmclp", "backup", "p-dispersion", "fixed-charge", "huff",
)  # fmt: skip


def upgrade() -> None:
    op.add_column("study", sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False))
    op.add_column("study", sa.Column("parent_id", sa.Integer(), nullable=True))
    op.create_foreign_key(
        op.f("fk_study_parent_id_study"), "study", "study", ["parent_id"], ["id"], ondelete="SET NULL"
    )
    op.create_index(op.f("ix_study_parent_id"), "study", ["parent_id"], unique=False)
    _checks(f"kind IN ({', '.join(repr(each) for each in KINDS)})",
            "p <= candidates AND (p > 0 OR p = 0 AND kind IN ('lscp', 'fixed-charge'))")


def downgrade() -> None:
    # What the older version has no word for goes; its history stays in the record.
    op.execute("DELETE FROM study WHERE kind NOT IN ('p-median', 'mclp') OR p = 0 OR terms <> '{}'")
    _checks("kind IN ('p-median', 'mclp')", "p > 0 AND p <= candidates")
    op.drop_index(op.f("ix_study_parent_id"), table_name="study")
    op.drop_constraint(op.f("fk_study_parent_id_study"), "study", type_="foreignkey")
    op.drop_column("study", "parent_id")
    op.drop_column("study", "terms")


def _checks(kind: str, sites: str) -> None:
    for name, rule in (("kind", kind), ("sites", sites)):
        op.drop_constraint(op.f(f"ck_study_{name}"), "study", type_="check")
        op.create_check_constraint(op.f(f"ck_study_{name}"), "study", rule)
