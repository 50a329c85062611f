"""Layers of planning stay what they are; matrices of travel times are layers too

Revision ID: 0048
Revises: 0047
"""

from __future__ import annotations

from alembic import op

from geodata.migrations.support import grant, run_file

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

KINDS = "'demand', 'candidates', 'zones', 'slope'"


def upgrade() -> None:
    _kinds(f"{KINDS}, 'matrix'")
    run_file("0048_layers_stay.sql")


def downgrade() -> None:
    for name, table in (("aa_guard", "named_layer"), ("aa_guard", "layer_place"), ("ab_guard", "layer_place")):
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for name in ("gk_layer_stays", "gk_layer_place_stays", "gk_layer_place_comes"):
        op.execute(f"DROP FUNCTION {name}")
    grant("DELETE", "named_layer", "layer_place")
    op.execute("DELETE FROM named_layer WHERE kind = 'matrix'")
    _kinds(KINDS)


def _kinds(said: str) -> None:
    op.execute("ALTER TABLE named_layer DROP CONSTRAINT ck_named_layer_kind")
    op.execute(f"ALTER TABLE named_layer ADD CONSTRAINT ck_named_layer_kind CHECK (kind IN ({said}))")
