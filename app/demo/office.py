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
LEGAL_BASIS = "Duty list of the demo city (fictional)"

ACCOUNTS = (
    AccountSpec("manager", Role.GRID_MANAGER, "Grid manager, {focus}", "网格长（{focus}）"),
    AccountSpec("dispatcher", Role.DISPATCHER, "Dispatcher, Command Centre", "指挥中心派遣员"),
    AccountSpec("supervisor", Role.SUPERVISOR, "Supervisor, Supervision Centre", "监督中心监督员"),
    AccountSpec("planner", Role.PLANNER, "City planner", "规划师"),
    AccountSpec("worker", Role.GRID_WORKER, "Grid worker {code}", "网格员 {code}"),
    AccountSpec("handler", Role.HANDLER, "Handler, Parks and Greenery", "园林绿化局经办人"),
    AccountSpec("auditor", Role.AUDITOR, "Auditor", "审计员"),
    AccountSpec("administrator", Role.ADMINISTRATOR, "Administrator", "系统管理员"),
)

SKILLS = ("roads", "drains", "refuse", "greenery", "lighting", "street_order", "buildings")
LANGUAGES = ("en", "en", "zh", "en", "en", "zh")


def skills_of(index: int) -> list[str]:
    """Return two or three skills of the worker of this rank."""
    return sorted({SKILLS[index % 7], SKILLS[(index * 3 + 1) % 7], SKILLS[(index * 5 + 2) % 7]})
