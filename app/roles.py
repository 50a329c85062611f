"""The roles in words: their name and what each comes for."""

from __future__ import annotations

from app.i18n import t
from core.identity import Role

CARD_ORDER = (
    Role.GRID_MANAGER,
    Role.DISPATCHER,
    Role.SUPERVISOR,
    Role.HANDLER,
    Role.PLANNER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
    Role.GRID_WORKER,
)


def role_name(role: Role) -> str:
    """Return the role's name in the language in use."""
    return {
        Role.GRID_MANAGER: t("Grid manager"),
        Role.DISPATCHER: t("Dispatcher"),
        Role.SUPERVISOR: t("Supervisor"),
        Role.HANDLER: t("Department handler"),
        Role.PLANNER: t("Planner"),
        Role.AUDITOR: t("Auditor"),
        Role.ADMINISTRATOR: t("Administrator"),
        Role.GRID_WORKER: t("Grid worker"),
        Role.SYSTEM: t("System"),
    }[role]


def role_purpose(role: Role) -> str:
    """Return in half a sentence what the role comes for."""
    return {
        Role.GRID_MANAGER: t("What is late in my grids, who is on duty"),
        Role.DISPATCHER: t("What waits for a unit, what runs out of time"),
        Role.SUPERVISOR: t("Was it done, on time, by the rules"),
        Role.HANDLER: t("The work of my unit: late, due, waiting"),
        Role.PLANNER: t("Facilities and people on the map, no single reports"),
        Role.AUDITOR: t("Who did what and when, without notes"),
        Role.ADMINISTRATOR: t("Data, accounts and sessions, no incidents"),
        Role.GRID_WORKER: t("My next task"),
        Role.SYSTEM: "",
    }[role]
