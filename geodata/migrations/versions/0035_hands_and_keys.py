"""Who had a hand in the work, keys of their own for evidence, what was blurred, and words of danger nobody mutes alone

Revision ID: 0035
Revises: 0034
"""

from __future__ import annotations

from alembic import op

from geodata.migrations import FOLDER
from geodata.migrations.support import run_file, run_script

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

REPLACED = (
    ("0016_reach.sql", "gk_draft_key", "\nEND $$;"),
    ("0023_enforce.sql", "gk_task_hands", "\nEND $$;"),
    ("0024_evidence.sql", "gk_evidence_blurred", "\nEND $$;"),
    ("0033_duplicates.sql", "gk_has_handled", "\n$$;"),
)
"""File that made a function as it was before, its name, and how its text ends."""


def upgrade() -> None:
    op.create_unique_constraint(op.f("uq_evidence_subject_id"), "evidence", ["subject_id"])
    op.create_index(op.f("ix_quarantine_subject_id"), "quarantine", ["subject_id"])
    run_file("0035_hands_and_keys.sql")


def downgrade() -> None:
    run_script(
        "DROP TRIGGER ab_shipped ON emergency_rule; DROP FUNCTION gk_emergency_rule; DROP FUNCTION gk_plain;"
        " DROP FUNCTION gk_shipped_alarms; DROP TRIGGER ac_key ON evidence; DROP FUNCTION gk_evidence_key;"
        " DROP TRIGGER yy_shown ON incident; DROP FUNCTION gk_incident_shown;"
    )
    for file, name, end in REPLACED:
        run_script(_as_it_was(file, name, end))
    op.drop_index(op.f("ix_quarantine_subject_id"), "quarantine")
    op.drop_constraint(op.f("uq_evidence_subject_id"), "evidence", type_="unique")


def _as_it_was(file: str, name: str, end: str) -> str:
    """Return the function as the file of an earlier migration made it."""
    script = (FOLDER / "sql" / file).read_text()
    start = script.index(f"FUNCTION {name}(")
    return "CREATE OR REPLACE " + script[start : script.index(end, start) + len(end)]
