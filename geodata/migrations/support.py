"""What migrations share: running a SQL file, recording a table, announcing a layer, granting.

Changing these would change migrations that have run; add a new function instead.
"""

from __future__ import annotations

from alembic import op

from geodata.embedded import APP
from geodata.migrations import FOLDER


def run_file(name: str) -> None:
    """Run a SQL file of the folder ``sql``."""
    run_script((FOLDER / "sql" / name).read_text())


def run_script(script: str) -> None:
    """Run several statements as they stand; per cent signs mean nothing here."""
    cursor = op.get_bind().connection.cursor()
    cursor.execute(script)
    cursor.close()


def record_table(table: str, *, key: str = "id", hidden: str = "") -> None:
    """Let every insert, update and delete on ``table`` be recorded, without the ``hidden`` columns."""
    for event, references in (
        ("INSERT", "NEW TABLE AS new_rows"),
        ("UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
        ("DELETE", "OLD TABLE AS old_rows"),
    ):
        op.execute(
            f"CREATE TRIGGER zz_record_{event.lower()} AFTER {event} ON {table} REFERENCING {references}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION gk_record_change('{key}', '{hidden}')"
        )
    # TRUNCATE fires no row image; it is refused instead.
    op.execute(f"REVOKE TRUNCATE ON {table} FROM PUBLIC")


def announce_layer(table: str, layer: str) -> None:
    """Send a notification for ``layer`` after a commit that changed ``table``."""
    for event, reference in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        op.execute(
            f"CREATE TRIGGER zz_layer_{event.lower()} AFTER {event} ON {table} REFERENCING {reference} TABLE AS changed"
            f" FOR EACH STATEMENT EXECUTE FUNCTION gk_notify_layer('{layer}')"
        )


def grant(privileges: str, *tables: str) -> None:
    """Give the application's login ``privileges`` on tables."""
    op.execute(f"GRANT {privileges} ON {', '.join(tables)} TO {APP}")


def grant_all_sequences() -> None:
    """Let the application's login draw numbers."""
    op.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP}")
