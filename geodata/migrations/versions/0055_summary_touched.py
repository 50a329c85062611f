"""Which transaction last touched a row of the summary, so that what is kept in memory is brought up to date by rows

Revision ID: 0055
Revises: 0054
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.migrations.support import FOLDER, run_script

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

_BEFORE = "closed_within = gk_add(old.closed_within, excluded.closed_within);"
_AFTER = _BEFORE.replace(";", ", touched = excluded.touched;")
_PATH = "ALTER FUNCTION gk_change_incident_days SET search_path = pg_catalog, public, pg_temp"


def upgrade() -> None:
    # The default is stable, so the table is not written anew.
    op.add_column(
        "incident_day",
        sa.Column(
            "touched", sa.BigInteger(), server_default=sa.text("(pg_current_xact_id()::text::bigint)"), nullable=False
        ),
    )
    op.create_index(op.f("ix_incident_day_territory_id_touched"), "incident_day", ["territory_id", "touched"])
    _write(_function().replace(_BEFORE, _AFTER))
    # A row that is there no more has no transaction to be found by; it is rare, so whoever keeps the rows is told.
    op.execute(
        "CREATE TRIGGER zz_layer_delete AFTER DELETE ON incident_day REFERENCING OLD TABLE AS changed"
        " FOR EACH STATEMENT EXECUTE FUNCTION gk_notify_layer('summary')"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER zz_layer_delete ON incident_day")
    _write(_function())
    op.drop_index(op.f("ix_incident_day_territory_id_touched"), table_name="incident_day")
    op.drop_column("incident_day", "touched")


def _function() -> str:
    """Return the function as it was made first."""
    made = (FOLDER / "sql" / "0002_incident_day.sql").read_text()
    start = made.index("CREATE FUNCTION gk_change_incident_days")
    return made[start : made.index("END $$;", start) + len("END $$;")]


def _write(function: str) -> None:
    run_script(function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))
    op.execute(_PATH)
