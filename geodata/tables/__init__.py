"""All tables, one file a subject; importing this package completes ``Base.metadata``."""

from geodata.tables.access import AccessReview, Invitation, StandingDeputy
from geodata.tables.acts import Command, Draft
from geodata.tables.base import Base
from geodata.tables.catalogue import Calendar, CalendarDay, ClassOwner, IncidentClass, TimeLimit
from geodata.tables.city import Building, Facility, LandCover, PlaceName, Road
from geodata.tables.component import Component
from geodata.tables.grid import ResponsibilityGrid, UnitGrid
from geodata.tables.incident import OPEN_STATUSES, STATUSES, Incident, IncidentDay, IncidentPersonal, Task
from geodata.tables.insight import FactFold, IncidentFact
from geodata.tables.jobs import JobRun
from geodata.tables.people import Absence, AppUser, Person, PersonKey, Unit, UserRole, UserSession, Worker
from geodata.tables.record import LoadRow, Record, RecordBatch
from geodata.tables.retention import RetentionRun, SizeDay
from geodata.tables.roster import RosterException, RosterRule, ShiftPattern, WorkerPattern
from geodata.tables.rules import RuleChange
from geodata.tables.study import Study, StudyGround, StudySite
from geodata.tables.territory import Area, Load, Quarantine, Territory
from geodata.tables.upkeep import PURPOSES, Backup, Erasure

__all__ = [
    "OPEN_STATUSES",
    "PURPOSES",
    "STATUSES",
    "Absence",
    "AccessReview",
    "AppUser",
    "Area",
    "Backup",
    "Base",
    "Building",
    "Calendar",
    "CalendarDay",
    "ClassOwner",
    "Command",
    "Component",
    "Draft",
    "Erasure",
    "Facility",
    "FactFold",
    "Incident",
    "IncidentClass",
    "IncidentDay",
    "IncidentFact",
    "IncidentPersonal",
    "Invitation",
    "JobRun",
    "LandCover",
    "Load",
    "LoadRow",
    "Person",
    "PersonKey",
    "PlaceName",
    "Quarantine",
    "Record",
    "RecordBatch",
    "ResponsibilityGrid",
    "RetentionRun",
    "Road",
    "RosterException",
    "RosterRule",
    "RuleChange",
    "ShiftPattern",
    "SizeDay",
    "StandingDeputy",
    "Study",
    "StudyGround",
    "StudySite",
    "Task",
    "Territory",
    "TimeLimit",
    "Unit",
    "UnitGrid",
    "UserRole",
    "UserSession",
    "Worker",
    "WorkerPattern",
]
