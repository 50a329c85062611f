"""Components: the 16-digit identifier, the states, what is restricted, and the nouns (pure)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import InvalidInput
from geodata.record import RecordEntry
from people.unit_model import Violation

STATES = ("in_use", "damaged", "removed", "planned")
OPEN, RESTRICTED = "open", "restricted"
SENSITIVITIES = (OPEN, RESTRICTED)
LARGEST = 999_999
"""Highest sequence that six digits hold."""
NO_DISTRICT = "000000"
"""Stands for the district where the areas carry no GB/T 2260 code."""
PLACE_MOST = 200
OPEN_UTILITIES = frozenset({"01-03", "01-04", "01-18"})
"""Shipped public utilities that carry no gas, power, telecom or water: storm manhole, storm grate, lamp."""
SQUARES_A_DEGREE = 500
_CLASS_CODE = re.compile(r"([0-9]{2})-([0-9]{2})")


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier in its parts: 6 digits of district, 2 of major, 2 of minor, 6 of sequence."""

    district: str
    major: str
    minor: str
    sequence: int

    @property
    def text(self) -> str:
        """Return the sixteen digits, e.g. ``3205080101000001``."""
        return f"{self.district}{self.major}{self.minor}{self.sequence:06d}"

    @property
    def class_code(self) -> str:
        """Return major and minor as the catalogue writes them, e.g. ``01-01``."""
        return f"{self.major}-{self.minor}"


def read_identifier(text: str) -> Identifier:
    """Return the parts of an identifier; raise `InvalidInput` when it is none."""
    if not re.fullmatch(r"[0-9]{16}", text, re.ASCII):
        raise InvalidInput(
            f"{text[:40]!r} is no component identifier.",
            hint="It has 16 digits: district 6, major 2, minor 2, sequence 6.",
            zh=f"“{text[:40]}”不是部件标识码，应为 16 位数字：行政区划 6 位、大类 2 位、小类 2 位、顺序 6 位。",
        )
    sequence = int(text[10:])
    if not sequence:
        raise InvalidInput(
            f"The identifier {text} has the sequence 0.", hint="Sequences begin at 1.", zh="部件标识码顺序号从 1 开始。"
        )
    return Identifier(text[:6], text[6:8], text[8:10], sequence)


def make_identifier(district: str, class_code: str, sequence: int) -> Identifier:
    """Return a checked identifier.

    Raises
    ------
    InvalidInput
        When a part has not its digits, or the sequence does not fit six: it never runs over.
    """
    code = _CLASS_CODE.fullmatch(class_code)
    if code is None or not re.fullmatch(r"[0-9]{6}", district, re.ASCII):
        raise InvalidInput(
            f"District {district!r} and class {class_code!r} make no identifier.",
            hint="The district has 6 digits, the class two and two, e.g. 01-18.",
        )
    if not 1 <= sequence <= LARGEST:
        raise InvalidInput(
            f"The sequence {sequence:,} does not fit six digits: the numbers {district}{code[1]}{code[2]} are used up.",
            hint="Use another district code, or end and reuse no number: ask who keeps the scheme.",
            zh=f"顺序号 {sequence:,} 超出六位：{district}{code[1]}{code[2]} 的编号已用完。",
        )
    return Identifier(district, code[1], code[2], sequence)


def next_identifier(district: str, class_code: str, last: int) -> Identifier:
    """Return the identifier after the sequence ``last`` (0 when there is none yet)."""
    return make_identifier(district, class_code, last + 1)


def is_restricted(scheme: str, class_code: str) -> bool:
    """Return whether positions of a class are always restricted (gas, power, telecom, water).

    Other schemes give the digits other meanings, so there the whole major 01 is; the database has the
    same rule in ``gk_is_restricted``.
    """
    return class_code.startswith("01-") and (scheme != "gk" or class_code not in OPEN_UTILITIES)


@dataclass(frozen=True, slots=True)
class ComponentSpec:
    """What a component is to be.

    Attributes
    ----------
    class_key
        E.g. ``component-01-18``.
    unit_id, property_unit_id, upkeep_unit_id
        In charge, owner of the property, maintenance.
    """

    code: str
    class_key: str
    lon: float
    lat: float
    state: str = "in_use"
    unit_id: int | None = None
    property_unit_id: int | None = None
    upkeep_unit_id: int | None = None
    sensitivity: str = OPEN
    place: str = ""
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    @property
    def owners(self) -> tuple[int | None, int | None, int | None]:
        """Return the units in charge, of the property and of the maintenance."""
        return self.unit_id, self.property_unit_id, self.upkeep_unit_id


@dataclass(frozen=True, slots=True)
class ComponentRow:
    """A component as the register shows it."""

    id: int
    code: str
    class_id: int
    class_key: str
    class_en: str
    class_zh: str
    category: str
    state: str
    unit_id: int | None
    unit: str | None
    unit_zh: str | None
    property_unit_id: int | None
    upkeep_unit_id: int | None
    sensitivity: str
    place: str
    community_id: int
    community: str
    community_zh: str | None
    valid_from: dt.date | None
    valid_to: dt.date | None
    simulated: bool
    version: int
    lon: float
    lat: float

    def title(self, locale: str) -> str:
        """Return the name of the class in the language of ``locale``."""
        return self.class_zh if locale.startswith("zh") else self.class_en

    @property
    def restricted_by_class(self) -> bool:
        """Return whether its class is restricted whatever anybody says."""
        return is_restricted("gk", self.class_key.removeprefix("component-"))

    @property
    def spec(self) -> ComponentSpec:
        """Return what can be changed."""
        return ComponentSpec(
            self.code, self.class_key, self.lon, self.lat, self.state, self.unit_id, self.property_unit_id,
            self.upkeep_unit_id, self.sensitivity, self.place, self.valid_from, self.valid_to,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NearComponent:
    """A component near a place, with the distance over the ground."""

    row: ComponentRow
    metres: float


@dataclass(frozen=True, slots=True)
class ComponentFilter:
    """What the list shows; every field narrows, the default shows all but the removed ones.

    Attributes
    ----------
    unit_id
        Any of the three owners.
    text
        Part of an identifier or of a place.
    states
        Empty means all but removed.
    """

    class_ids: tuple[int, ...] = ()
    unit_id: int | None = None
    states: tuple[str, ...] = ()
    community_id: int | None = None
    grid_id: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class ComponentIncident:
    """An incident about a component, as far as the reader sees it."""

    id: int
    number: str
    class_en: str
    class_zh: str
    status: str
    reported_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ComponentDetail:
    """A component with what its page shows; ``grid`` is id and code of its unit grid, None outside every cell."""

    row: ComponentRow
    units: dict[int, tuple[str, str | None]]
    grid: tuple[int, str] | None
    incidents: tuple[ComponentIncident, ...]
    history: tuple[RecordEntry, ...]


def broken_rules(spec: ComponentSpec) -> list[Violation]:
    """Return every rule that the fields of a component break by themselves."""
    said: list[Violation] = []
    try:
        digits = read_identifier(spec.code).class_code
    except InvalidInput as error:
        said.append(Violation(str(error).rstrip("."), error.zh.rstrip("。")))
    else:
        if f"component-{digits}" != spec.class_key:
            said.append(
                Violation(
                    f"the identifier {spec.code} says class {digits}, not {spec.class_key.removeprefix('component-')}",
                    f"标识码 {spec.code} 的类别为 {digits}，与 {spec.class_key.removeprefix('component-')} 不符",
                )
            )
    if spec.state not in STATES:
        said.append(
            Violation(f"there is no state {spec.state!r}; known are {', '.join(STATES)}", f"没有状态“{spec.state}”")
        )
    if spec.sensitivity not in SENSITIVITIES:
        said.append(Violation(f"there is no sensitivity {spec.sensitivity!r}", f"没有敏感级别“{spec.sensitivity}”"))
    if not (-180 <= spec.lon <= 180 and -90 <= spec.lat <= 90):
        said.append(Violation("the point lies nowhere on earth", "坐标无效"))
    if len(spec.place) > PLACE_MOST:
        said.append(Violation(f"the place is longer than {PLACE_MOST} characters", "地点过长"))
    if "\x00" in spec.place:
        said.append(Violation("the place holds a sign that cannot be kept", "地点有无法保存的字符"))
    if spec.valid_from and spec.valid_to and spec.valid_to < spec.valid_from:
        said.append(Violation("the last day lies before the first", "结束日期早于开始日期"))
    return said


def sentence(violations: Sequence[Violation]) -> str:
    """Return broken rules as one sentence."""
    return "; ".join(violations)
