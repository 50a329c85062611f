"""What a worker settles on the spot needs the evidence that its class demands

Revision ID: 0032
Revises: 0031
"""

from __future__ import annotations

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

FINISHED = "NEW.status = 'checking' AND OLD.status IN ('dispatched', 'handling')"
SETTLED = "NEW.status = 'closed' AND OLD.status = 'filed'"
"""Only its finder brings a filed incident to its end; there is no task then, so the round is the incident's."""


def upgrade() -> None:
    _asks(f"({FINISHED} OR {SETTLED})")


def downgrade() -> None:
    _asks(FINISHED)


def _asks(when: str) -> None:
    op.execute("DROP TRIGGER yy_evidence ON incident")
    op.execute(
        "CREATE TRIGGER yy_evidence AFTER UPDATE OF status ON incident FOR EACH ROW"
        f" WHEN ({when} AND gk_role() <> 'system') EXECUTE FUNCTION gk_incident_evidence()"
    )
