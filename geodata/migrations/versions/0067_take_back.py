"""A dispatcher takes back by hand who was called in; a plan takes nobody back while his incident is in other hands

Revision ID: 0067
Revises: 0066
"""

from __future__ import annotations

from alembic import op

from geodata.migrations import FOLDER
from geodata.migrations.support import run_file, run_script

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

PUBLISH = "0063_publish.sql"
CHANGES = (
    # Whom a plan takes back: not where somebody was changing the incident, for that waited for him, and he for it.
    (
        "WHERE fresh AND t.incident_id = ANY (the_asked) AND t.territory_id = home AND t.joint",
        "WHERE fresh AND t.incident_id = ANY (the_locked) AND t.territory_id = home AND t.joint",
    ),
    # Nor does he lead whom the clock of answers called in after the plan was made: he would be twice at one incident.
    (
        "AND h.worker_id = r.worker_id AND (h.state = 'started'",
        "AND h.worker_id = r.worker_id AND (h.state = 'started'"
        " OR h.state IN ('waiting', 'accepted') AND h.created_at > the_moment",
    ),
)
"""Of publishing: as it was, and as it is."""


def upgrade() -> None:
    op.execute(
        "INSERT INTO transition (subject, act, source, target, role) VALUES"
        " ('incident', 'take_back', 'dispatched', 'dispatched', 'dispatcher'),"
        " ('incident', 'take_back', 'handling', 'handling', 'dispatcher')"
    )
    script = (FOLDER / "sql" / PUBLISH).read_text()
    for before, after in CHANGES:
        head, tail = script.split(before)
        script = head + after + tail
    run_script(script)


def downgrade() -> None:
    run_file(PUBLISH)
    op.execute("DELETE FROM transition WHERE subject = 'incident' AND act = 'take_back'")
