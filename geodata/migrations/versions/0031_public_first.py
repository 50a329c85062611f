"""What the public says is verified before it is filed, also when a supervisor takes it down

Revision ID: 0031
Revises: 0030
"""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

CHECK = """
CREATE FUNCTION gk_incident_public() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT gk_lawless(TG_RELID) THEN
        PERFORM gk_refuse('What the public says is verified before it is filed.', 'ck_incident_public');
    END IF;
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER yy_public AFTER INSERT ON incident FOR EACH ROW
WHEN (gk_role() = 'supervisor' AND NEW.status = 'filed' AND NEW.source IN ('hotline', 'web', 'media')
      AND NOT NEW.emergency AND NEW.duplicate_of IS NULL)
EXECUTE FUNCTION gk_incident_public()
"""


def upgrade() -> None:
    op.execute(
        "INSERT INTO transition (subject, act, source, target, role)"
        " VALUES ('incident', 'report', '', 'reported', 'supervisor')"
    )
    op.execute(CHECK)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER yy_public ON incident")
    op.execute("DROP FUNCTION gk_incident_public")
    op.execute(
        "DELETE FROM transition WHERE subject = 'incident' AND act = 'report' AND target = 'reported'"
        " AND role = 'supervisor'"
    )
