"""The same rules and rows in fewer steps, and changes that nobody has to announce

Revision ID: 0041
Revises: 0040
"""

from __future__ import annotations

from geodata.migrations import FOLDER
from geodata.migrations.support import run_file, run_script

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

REPLACED = (
    ("0001_record.sql", "gk_record_stamp"),
    ("0029_quick_record.sql", "gk_record_change"),
    ("0036_execution.sql", "gk_incident_changed"),
    ("0026_queues.sql", "gk_incident_marks"),
    ("0023_enforce.sql", "gk_incident_step"),
)
"""Where what is replaced stands as it was."""
END = "\nEND $$;"


def upgrade() -> None:
    run_file("0041_cheaper_changes.sql")
    run_file("0041_publish.sql")


def downgrade() -> None:
    run_file("0041_cheaper_changes_down.sql")
    for file, name in REPLACED:
        script = (FOLDER / "sql" / file).read_text()
        start = script.index(f"FUNCTION {name}(")
        run_script("CREATE OR REPLACE " + script[start : script.index(END, start) + len(END)])
