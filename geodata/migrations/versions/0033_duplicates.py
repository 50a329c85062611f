"""A duplicate launders nothing: hands, clock and look on site of its own stay with it

Revision ID: 0033
Revises: 0032
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.migrations import FOLDER
from geodata.migrations.support import run_file, run_script

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

REPLACED = (("0023_enforce.sql", "gk_has_handled", "\n$$;"), ("0025_desk.sql", "gk_duplicate", "\nEND $$;"))
"""File that made a function, its name, and how its text ends."""


def upgrade() -> None:
    for name in ("own_due_at", "own_filed_at"):
        op.add_column("incident", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    # Of what is linked already it is not known whether it was filed by itself, unless the time is not its root's.
    op.execute(
        "UPDATE incident AS d SET own_filed_at = d.filed_at FROM incident AS r"
        " WHERE r.id = d.duplicate_of AND d.filed_at <> greatest(d.reported_at, r.filed_at)"
    )
    op.create_check_constraint(
        op.f("ck_incident_own_course"),
        "incident",
        "duplicate_of IS NOT NULL OR own_due_at IS NULL AND own_filed_at IS NULL",
    )
    run_file("0033_duplicates.sql")


def downgrade() -> None:
    op.execute("DROP TRIGGER incident_duplicate_in_reach ON incident")
    op.execute("DROP TRIGGER yy_followed ON incident")
    op.execute("DROP FUNCTION gk_duplicate_in_reach")
    op.execute("DROP FUNCTION gk_incident_followed")
    for file, name, end in REPLACED:
        run_script(_as_it_was(file, name, end))
    op.drop_constraint(op.f("ck_incident_own_course"), "incident", type_="check")
    op.drop_column("incident", "own_filed_at")
    op.drop_column("incident", "own_due_at")


def _as_it_was(file: str, name: str, end: str) -> str:
    """Return the function as the file of an earlier migration made it."""
    script = (FOLDER / "sql" / file).read_text()
    start = script.index(f"CREATE FUNCTION {name}(")
    return "CREATE OR REPLACE" + script[start + len("CREATE") : script.index(end, start) + len(end)]
