"""All tables, one file a subject; importing this package completes ``Base.metadata``."""

from geodata.tables.access import AccessReview, Invitation, StandingDeputy
from geodata.tables.acts import Command, Draft
from geodata.tables.base import Base
from geodata.tables.catalogue import Calendar, CalendarDay, ClassOwner, IncidentClass, TimeLimit
from geodata.tables.city import Building, Facility, LandCover, PlaceName, Railway, Road
from geodata.tables.component import Component
from geodata.tables.data_exchange import ApiToken, CatalogueEntry, DataGrant, DataRequest, DataUse
from geodata.tables.data_rules import DataRuleVersion
from geodata.tables.data_set import DataBatch, DataMapping, DataSet, DataSetRow, QuarantinedRow
from geodata.tables.desk import EmergencyRule, HandOver, UpstreamAnswer, UpstreamItem
from geodata.tables.evidence import Evidence, EvidenceBlur, EvidenceImage
from geodata.tables.execution import Notice, Outbox, Pin
from geodata.tables.field import WorkerPosition
from geodata.tables.grid import ResponsibilityGrid, UnitGrid
from geodata.tables.grid_border import GridBinding, GridBorder, GridChangeBorder
from geodata.tables.grid_change import GridChange, GridChangeCell, GridParent, IncidentHome
from geodata.tables.grid_code import CodeLink, CodeScheme, IncidentGround, OfficialCode
from geodata.tables.grid_note import GridNote
from geodata.tables.incident import OPEN_STATUSES, STATUSES, Incident, IncidentDay, IncidentPersonal, Task
from geodata.tables.insight import Appeal, CitizenWord, EvaluationRule, FactFold, IncidentFact, IncidentFactPast
from geodata.tables.jobs import JobRun
from geodata.tables.layer import LayerPlace, NamedLayer
from geodata.tables.lifecycle import AllowedStep, ExtensionRequest
from geodata.tables.live import FeedRun, OwnBasemap, RoadSpeed, SensorCurve, TrafficFeed, TrafficHour, WallPass
from geodata.tables.people import Absence, AppUser, Person, PersonKey, Unit, UserRole, UserSession, Worker
from geodata.tables.plan import Closure, CostTable, Plan, PlanRow
from geodata.tables.queue import SavedQueue
from geodata.tables.reach import AccessAnswer, Norm
from geodata.tables.record import LoadRow, Record, RecordBatch
from geodata.tables.retention import RetentionRun, SizeDay
from geodata.tables.review import Review, ReviewExplanation, ReviewRun, ReviewThreshold
from geodata.tables.roster import RosterException, RosterRule, ShiftPattern, WorkerPattern
from geodata.tables.rules import RuleChange
from geodata.tables.same_place import PlacePair, SamePlace
from geodata.tables.study import Study, StudyGround, StudySite
from geodata.tables.study_acts import StudyDecision, StudyFront, StudyLive
from geodata.tables.study_files import StudyFile
from geodata.tables.territory import Area, Load, Quarantine, Territory
from geodata.tables.traffic import TrafficLoad
from geodata.tables.upkeep import PURPOSES, Backup, Erasure

__all__ = [
    "OPEN_STATUSES",
    "PURPOSES",
    "STATUSES",
    "Absence",
    "AccessAnswer",
    "AccessReview",
    "AllowedStep",
    "ApiToken",
    "AppUser",
    "Appeal",
    "Area",
    "Backup",
    "Base",
    "Building",
    "Calendar",
    "CalendarDay",
    "CatalogueEntry",
    "CitizenWord",
    "ClassOwner",
    "Closure",
    "CodeLink",
    "CodeScheme",
    "Command",
    "Component",
    "CostTable",
    "DataBatch",
    "DataGrant",
    "DataMapping",
    "DataRequest",
    "DataRuleVersion",
    "DataSet",
    "DataSetRow",
    "DataUse",
    "Draft",
    "EmergencyRule",
    "Erasure",
    "EvaluationRule",
    "Evidence",
    "EvidenceBlur",
    "EvidenceImage",
    "ExtensionRequest",
    "Facility",
    "FactFold",
    "FeedRun",
    "GridBinding",
    "GridBorder",
    "GridChange",
    "GridChangeBorder",
    "GridChangeCell",
    "GridNote",
    "GridParent",
    "HandOver",
    "Incident",
    "IncidentClass",
    "IncidentDay",
    "IncidentFact",
    "IncidentFactPast",
    "IncidentGround",
    "IncidentHome",
    "IncidentPersonal",
    "Invitation",
    "JobRun",
    "LandCover",
    "LayerPlace",
    "Load",
    "LoadRow",
    "NamedLayer",
    "Norm",
    "Notice",
    "OfficialCode",
    "Outbox",
    "OwnBasemap",
    "Person",
    "PersonKey",
    "Pin",
    "PlaceName",
    "PlacePair",
    "Plan",
    "PlanRow",
    "Quarantine",
    "QuarantinedRow",
    "Railway",
    "Record",
    "RecordBatch",
    "ResponsibilityGrid",
    "RetentionRun",
    "Review",
    "ReviewExplanation",
    "ReviewRun",
    "ReviewThreshold",
    "Road",
    "RoadSpeed",
    "RosterException",
    "RosterRule",
    "RuleChange",
    "SamePlace",
    "SavedQueue",
    "SensorCurve",
    "ShiftPattern",
    "SizeDay",
    "StandingDeputy",
    "Study",
    "StudyDecision",
    "StudyFile",
    "StudyFront",
    "StudyGround",
    "StudyLive",
    "StudySite",
    "Task",
    "Territory",
    "TimeLimit",
    "TrafficFeed",
    "TrafficHour",
    "TrafficLoad",
    "Unit",
    "UnitGrid",
    "UpstreamAnswer",
    "UpstreamItem",
    "UserRole",
    "UserSession",
    "WallPass",
    "Worker",
    "WorkerPattern",
    "WorkerPosition",
]
