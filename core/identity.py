"""Who acts: the actor, the roles, and what each role may do."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass

from core.errors import NotPermitted


class Role(enum.StrEnum):
    """The roles of grid governance; SYSTEM is the jobs process and the command line."""

    GRID_WORKER = "grid_worker"
    GRID_MANAGER = "grid_manager"
    HANDLER = "handler"
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"
    PLANNER = "planner"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"


class May(enum.StrEnum):
    """Capabilities that a use case asks for with `require`."""

    SEE_MAP = "see_map"
    SEE_INCIDENTS = "see_incidents"
    SEE_INCIDENT_POINTS = "see_incident_points"
    REPORT_INCIDENTS = "report_incidents"
    MANAGE_COMPONENTS = "manage_components"
    ADD_EVIDENCE = "add_evidence"
    VERIFY = "verify"
    DISPATCH = "dispatch"
    READ_NOTE = "read_note"
    EDIT_GRIDS = "edit_grids"
    PROPOSE_GRIDS = "propose_grids"
    NOTE_GRIDS = "note_grids"
    LOAD_DATA = "load_data"
    BRING_DATA = "bring_data"
    SEE_STUDIES = "see_studies"
    MAKE_STUDIES = "make_studies"
    PROPOSE_SITES = "propose_sites"
    SIGN_SITES = "sign_sites"
    SEE_RECORD = "see_record"
    SEE_REVIEWS = "see_reviews"
    READ_REPORTER = "read_reporter"
    SEE_SCORES = "see_scores"
    SEE_PEOPLE = "see_people"
    MANAGE_UNITS = "manage_units"
    MANAGE_DUTIES = "manage_duties"
    MANAGE_WORKERS = "manage_workers"
    MANAGE_USERS = "manage_users"
    REVIEW_USERS = "review_users"
    SEE_RULES = "see_rules"
    PROPOSE_RULES = "propose_rules"
    APPROVE_RULES = "approve_rules"
    SET_UP = "set_up"
    KEEP_RUNNING = "keep_running"
    OPEN_WALLS = "open_walls"
    SEE_CATALOGUE = "see_catalogue"
    KEEP_CATALOGUE = "keep_catalogue"
    TAKE_DATA = "take_data"


_R = Role
_ALL_OFFICERS = frozenset(_R) - {_R.SYSTEM}
_SEES_INCIDENTS = frozenset(
    {_R.GRID_WORKER, _R.GRID_MANAGER, _R.HANDLER, _R.DISPATCHER, _R.SUPERVISOR, _R.AUDITOR},
)
ALLOWED: dict[May, frozenset[Role]] = {
    May.SEE_MAP: _ALL_OFFICERS,
    May.SEE_INCIDENTS: _SEES_INCIDENTS,
    May.SEE_INCIDENT_POINTS: _SEES_INCIDENTS,
    May.REPORT_INCIDENTS: frozenset({_R.GRID_WORKER, _R.GRID_MANAGER, _R.DISPATCHER, _R.SUPERVISOR}),
    May.MANAGE_COMPONENTS: frozenset({_R.GRID_MANAGER, _R.HANDLER, _R.SUPERVISOR}),
    May.ADD_EVIDENCE: _SEES_INCIDENTS - {_R.AUDITOR},
    May.VERIFY: frozenset({_R.SUPERVISOR}),
    May.DISPATCH: frozenset({_R.DISPATCHER}),
    May.READ_NOTE: _SEES_INCIDENTS - {_R.AUDITOR},
    May.EDIT_GRIDS: frozenset({_R.SUPERVISOR}),
    May.PROPOSE_GRIDS: frozenset({_R.GRID_MANAGER, _R.PLANNER, _R.SUPERVISOR}),
    May.NOTE_GRIDS: frozenset({_R.GRID_WORKER, _R.GRID_MANAGER, _R.DISPATCHER, _R.SUPERVISOR}),
    May.LOAD_DATA: frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    May.BRING_DATA: frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR, _R.HANDLER}),
    May.SEE_STUDIES: frozenset({_R.PLANNER, _R.GRID_MANAGER, _R.SUPERVISOR, _R.AUDITOR}),
    May.MAKE_STUDIES: frozenset({_R.PLANNER}),
    May.PROPOSE_SITES: frozenset({_R.PLANNER}),
    May.SIGN_SITES: frozenset({_R.SUPERVISOR}),
    May.SEE_RECORD: frozenset({_R.AUDITOR, _R.SUPERVISOR}),
    May.SEE_REVIEWS: frozenset({_R.AUDITOR, _R.SUPERVISOR}),
    May.READ_REPORTER: frozenset({_R.GRID_WORKER, _R.DISPATCHER, _R.SUPERVISOR, _R.AUDITOR}),
    May.SEE_SCORES: _ALL_OFFICERS - {_R.ADMINISTRATOR},
    May.SEE_PEOPLE: _ALL_OFFICERS - {_R.PLANNER, _R.GRID_WORKER},
    May.MANAGE_UNITS: frozenset({_R.ADMINISTRATOR}),
    May.MANAGE_DUTIES: frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    May.MANAGE_WORKERS: frozenset({_R.GRID_MANAGER, _R.HANDLER, _R.SUPERVISOR, _R.ADMINISTRATOR}),
    May.MANAGE_USERS: frozenset({_R.ADMINISTRATOR}),
    May.REVIEW_USERS: frozenset({_R.ADMINISTRATOR, _R.AUDITOR}),
    May.SEE_RULES: _ALL_OFFICERS,
    May.PROPOSE_RULES: frozenset({_R.SUPERVISOR, _R.ADMINISTRATOR}),
    May.APPROVE_RULES: frozenset({_R.SUPERVISOR}),
    May.SET_UP: frozenset({_R.ADMINISTRATOR}),
    May.KEEP_RUNNING: frozenset({_R.ADMINISTRATOR}),
    May.OPEN_WALLS: frozenset({_R.SUPERVISOR}),
    May.SEE_CATALOGUE: _ALL_OFFICERS,
    May.KEEP_CATALOGUE: frozenset({_R.SUPERVISOR}),
    May.TAKE_DATA: _ALL_OFFICERS - {_R.GRID_WORKER},
}
"""The table of `DOMAIN` as far as built; SYSTEM may do everything it is called for."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or process an act is done by, with the reach of the role acted in.

    Attributes
    ----------
    territory_id
        None only for acts before a territory exists.
    area_ids
        Communities a grid manager or grid worker reaches; empty for other roles.
    unit_ids
        Units a handler reaches; empty for other roles.
    """

    user_id: int | None
    label: str
    role: Role
    territory_id: int | None
    area_ids: tuple[int, ...] = ()
    unit_ids: tuple[int, ...] = ()
    worker_id: int | None = None
    locale: str = "en"

    @property
    def scope_key(self) -> str:
        """Return a short key, equal for actors that may see the same rows; caches are keyed by it."""
        parts = f"{self.territory_id}|{self.role}|{sorted(self.area_ids)}|{sorted(self.unit_ids)}|{self.worker_id}"
        return hashlib.blake2b(parts.encode(), digest_size=8).hexdigest()

    def may(self, capability: May) -> bool:
        """Return whether the role allows ``capability``."""
        return self.role is Role.SYSTEM or self.role in ALLOWED[capability]


def system_actor(territory_id: int | None = None, label: str = "system") -> Actor:
    """Return the actor of the jobs process and of the command line."""
    return Actor(user_id=None, label=label, role=Role.SYSTEM, territory_id=territory_id)


def require(actor: Actor, capability: May) -> None:
    """Return when the actor may, else raise `NotPermitted` naming role and capability."""
    if not actor.may(capability):
        role = actor.role.replace("_", " ")
        raise NotPermitted(
            f"As {role} you may not {capability.replace('_', ' ')}.",
            hint="Ask an administrator for the role if it is yours to do.",
        )
