"""The offices of a demo city: units, duty list, accounts (pure data)."""

from __future__ import annotations

from dataclasses import dataclass

from core.identity import Role


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """A unit to be made; ``parent`` is the code of the unit above."""

    code: str
    kind: str
    name: str
    name_zh: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class StreetOffice:
    """A street office with its seat; a community belongs to the office whose seat is nearest."""

    name: str
    name_zh: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """A demo account; grid manager and grid worker reach the focus communities, the handler one department."""

    login: str
    role: Role
    title_en: str
    title_zh: str


GOVERNANCE, SUPERVISION, COMMAND = "GOV", "SC", "CC"
HANDLER_UNIT = "PG"
SLOW_UNIT = "PG"
SLOW_FACTOR = 1.9
"""The department that takes its time, and how much more than the others."""

CENTRES = (
    UnitSpec(GOVERNANCE, "centre", "City Governance Office", "城市运行管理办公室"),
    UnitSpec(SUPERVISION, "centre", "Supervision Centre", "监督中心", GOVERNANCE),
    UnitSpec(COMMAND, "centre", "Command Centre", "指挥中心", GOVERNANCE),
)
DEPARTMENTS = (
    UnitSpec("HW", "department", "Highways", "公路与市政设施局", GOVERNANCE),
    UnitSpec("WM", "department", "Waste and Street Cleaning", "环境卫生管理局", GOVERNANCE),
    UnitSpec("PG", "department", "Parks and Greenery", "园林绿化局", GOVERNANCE),
    UnitSpec("TP", "department", "Traffic and Parking", "交通管理局", GOVERNANCE),
    UnitSpec("SO", "department", "Street Order Office", "综合执法局", GOVERNANCE),
    UnitSpec("EN", "department", "Environment and Noise", "生态环境局", GOVERNANCE),
    UnitSpec("HB", "department", "Housing and Building Control", "住房和建设局", GOVERNANCE),
    UnitSpec("FS", "department", "Fire Safety", "消防安全局", GOVERNANCE),
    UnitSpec("WA", "company", "Water Company", "供排水公司", GOVERNANCE),
    UnitSpec("EL", "company", "Electricity Company", "供电公司", GOVERNANCE),
    UnitSpec("GS", "company", "Gas Company", "燃气公司", GOVERNANCE),
)
TEAMS = (
    UnitSpec("HW-R", "team", "Roads Team", "道路养护班组", "HW"),
    UnitSpec("HW-D", "team", "Drains Team", "排水养护班组", "HW"),
    UnitSpec("PG-T", "team", "Tree Team", "树木养护班组", "PG"),
    UnitSpec("PM", "partner", "Harbour Property Management", "港湾物业管理公司", GOVERNANCE),
    UnitSpec("VO", "partner", "Street Volunteers", "街道志愿者服务队", GOVERNANCE),
)
CONTACTS = {
    "centre": ("Shift leader", "值班长"),
    "department": ("Duty desk", "值班室"),
    "company": ("Control room", "调度室"),
    "street_office": ("Reception of reports", "受理窗口"),
    "team": ("Team leader on duty", "当班班长"),
    "partner": ("Coordinator", "联络岗"),
}
"""Kind of unit to the function that is asked for, in English and Chinese."""
ALWAYS_OPEN = frozenset({"SC", "CC", "FS", "WA", "EL", "GS"})
PHONE = "+44 1632 960{rank:03d}"
"""Numbers of a range that is kept free for fiction."""
LEGAL_BASIS = "Duty list of the demo city (fictional)"

ACCOUNTS = (
    AccountSpec("manager", Role.GRID_MANAGER, "Grid manager, {focus}", "网格长（{focus}）"),
    AccountSpec("dispatcher", Role.DISPATCHER, "Dispatcher, Command Centre", "指挥中心派遣员"),
    AccountSpec("supervisor", Role.SUPERVISOR, "Supervisor, Supervision Centre", "监督中心监督员"),
    AccountSpec("planner", Role.PLANNER, "City planner", "规划师"),
    AccountSpec("worker", Role.GRID_WORKER, "Grid worker {code}", "网格员 {code}"),
    AccountSpec("handler", Role.HANDLER, "Handler, Parks and Greenery", "园林绿化局处置人员"),
    AccountSpec("auditor", Role.AUDITOR, "Auditor", "审计员"),
    AccountSpec("administrator", Role.ADMINISTRATOR, "Administrator", "系统管理员"),
)

SKILLS = ("roads", "drains", "refuse", "greenery", "lighting", "street_order", "buildings")
LANGUAGES = ("en", "en", "zh", "en", "en", "zh")


TOOLS = {"greenery": "chainsaw", "lighting": "ladder", "drains": "pump"}


def equipment_of(index: int) -> list[str]:
    """Return what the worker of this rank carries: the tools of the skills, a chainsaw not for everybody."""
    skills = skills_of(index)
    return sorted(TOOLS[each] for each in skills if each in TOOLS and (each != "greenery" or index % 3))


def skills_of(index: int) -> list[str]:
    """Return two or three skills of the worker of this rank."""
    return sorted({SKILLS[index % 7], SKILLS[(index * 3 + 1) % 7], SKILLS[(index * 5 + 2) % 7]})
