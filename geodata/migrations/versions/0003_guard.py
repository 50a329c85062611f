"""Who may write which table, and who may read accounts, keys and jobs

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

from alembic import op

from geodata.migrations.support import run_file

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LOADERS = ("supervisor", "administrator")
REPORTERS = ("grid_worker", "grid_manager", "dispatcher", "supervisor")
WRITERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("area", "facility", "road", "building", "land_cover", "place_name", "load"), LOADERS),
    **dict.fromkeys(("calendar", "calendar_day", "incident_class", "time_limit", "class_owner"), LOADERS),
    **dict.fromkeys(("unit_grid", "responsibility_grid"), ("supervisor",)),
    **dict.fromkeys(("unit", "worker"), ("administrator",)),
}
"""Roles that may write a table besides the system; later use cases widen it in their own migrations."""
PARTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("territory", "INSERT OR UPDATE", LOADERS),
    ("territory", "DELETE", ()),
    ("person", "INSERT", (*REPORTERS, "administrator")),
    ("person", "UPDATE OR DELETE", ("administrator",)),
    ("incident", "DELETE", ()),
    ("incident_personal", "DELETE", ()),
    ("task", "DELETE", ()),
)
"""The same where the events differ; deleting what a cascade would take along is the system's alone."""
READ_BY_ROW = ("incident_day", "person_key", "app_user", "user_role", "user_session", "job_run")
POLICIES = (
    ("incident_day", ("see",)),
    ("person_key", ("see", "insert", "erase")),
    ("app_user", ("manage", "own")),
    ("user_role", ("manage", "own")),
    ("user_session", ("manage", "see", "own")),
    ("job_run", ("here",)),
)
OWNERS_FUNCTIONS = (
    "gk_record_change",
    "gk_record_event",
    "gk_incident_changed",
    "gk_change_incident_days",
    "gk_recount_incident_days",
    "gk_time_zone_changed",
    "gk_take_numbers",
)


def upgrade() -> None:
    run_file("0003_guard.sql")
    for table, event, roles in _guards():
        arguments = ", ".join(f"'{role}'" for role in roles)
        op.execute(
            f"CREATE TRIGGER aa_guard_{_word(event)} BEFORE {event} ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION gk_guard({arguments})"
        )


def downgrade() -> None:
    for table, event, _ in _guards():
        op.execute(f"DROP TRIGGER aa_guard_{_word(event)} ON {table}")
    for table, names in POLICIES:
        for name in names:
            op.execute(f"DROP POLICY {table}_{name} ON {table}")
    for table in READ_BY_ROW:
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for function in OWNERS_FUNCTIONS:
        op.execute(f"ALTER FUNCTION {function} SET search_path = public, pg_catalog, pg_temp")
    for function in ("gk_record_change", "gk_incident_changed", "gk_time_zone_changed"):
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO PUBLIC")
    for function in ("gk_record_event", "gk_take_numbers"):
        op.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM gridkeeper_app")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO PUBLIC")
    op.execute("GRANT DELETE ON person_key TO gridkeeper_app")
    run_file("0003_guard_down.sql")
    op.execute("DROP FUNCTION gk_user")
    op.execute("DROP FUNCTION gk_guard")


def _guards() -> list[tuple[str, str, tuple[str, ...]]]:
    whole = [(table, "INSERT OR UPDATE OR DELETE", roles) for table, roles in WRITERS.items()]
    return [*whole, *PARTS]


def _word(event: str) -> str:
    return event.split()[0].lower()
