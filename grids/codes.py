"""Codes of unit grids: the sequence inside a community, and the schemes that print and read it.

The sequence follows DB11 / GB/T 30428.1: from west to east, then from north to south. It is read as
lines of a page are: rows (bands of the lattice) from north to south, and inside a row from west to
east. A scheme is always stored beside the code, because lengths do not tell schemes apart: 14, 15
and 20 digits are all in use, and cities have their own. A scheme is a pattern, e.g.
``{district:6}{street:3}{community:3}{sequence:3}``; what stands outside the braces is printed as it is.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput

PARTS = ("object", "district", "street", "community", "sequence")
_PARTS_ZH = {"object": "部件", "district": "区", "street": "街道", "community": "社区"}
_ROOMIER_ZH = "请扩大网格、拆分社区，或使用本地编码方案。"
_FIELD = re.compile(r"\{([a-z]+)(?::([0-9]{1,2}))?\}")
_LITERAL = re.compile(r"[A-Za-z0-9./_-]*")


@dataclass(frozen=True)
class Scheme:
    """How a code is put together; two of the same name and version are the same."""

    name: str
    pattern: str
    version: int = 1

    def __str__(self) -> str:
        """Return the key it is stored by: its name, from the second version on with the version."""
        return self.name if self.version == 1 else f"{self.name}@{self.version}"

    @property
    def widths(self) -> dict[str, int | None]:
        """Return digits of each part in their order; None of a community code of any length."""
        return {name: int(digits) if digits else None for name, digits in _FIELD.findall(self.pattern)}

    @property
    def largest(self) -> int:
        """Return the highest sequence that it can print."""
        return int(10 ** (self.widths["sequence"] or 1) - 1)

    @property
    def official(self) -> bool:
        """Return whether it prints the codes of the state: district, street and community in digits."""
        return {"district", "street", "community"} <= {name for name, digits in self.widths.items() if digits}

    @property
    def length(self) -> int | None:
        """Return the length of its codes; None where it varies."""
        widths = list(self.widths.values())
        if None in widths:
            return None
        return sum(each or 0 for each in widths) + len(_FIELD.sub("", self.pattern))


LOCAL = Scheme("local", "{community}-{sequence:5}")
CN14 = Scheme("cn14", "{district:6}{street:3}{community:3}{sequence:2}")
CN15 = Scheme("cn15", "{district:6}{street:3}{community:3}{sequence:3}")
CN20 = Scheme("cn20", "{object:6}{district:6}{street:3}{community:3}{sequence:2}")
BUILT_IN = {scheme.name: scheme for scheme in (LOCAL, CN14, CN15, CN20)}
"""Schemes that every territory knows; what the object digits of ``cn20`` are, a city says by a scheme of its own."""


@dataclass(frozen=True)
class CodeParts:
    """A grid code in its parts.

    Attributes
    ----------
    object, district, street
        Empty where the scheme has no such part.
    community
        Digits in ``cn14``, ``cn15`` and ``cn20``; in the local scheme any code without blanks.
    """

    scheme: Scheme
    community: str
    sequence: int
    district: str = ""
    street: str = ""
    object: str = ""

    @property
    def text(self) -> str:
        """Return the code as printed, e.g. ``NEWPORT-00042``, ``110101001002042`` or ``11010100100242``."""

        def part(found: re.Match[str]) -> str:
            name, digits = found.groups()
            return f"{self.sequence:0{digits}d}" if name == "sequence" else str(getattr(self, name))

        return _FIELD.sub(part, self.scheme.pattern)


def scheme_of(name: str, known: dict[str, Scheme] | None = None) -> Scheme:
    """Return the scheme of that key among the built-in or the given ones; raise `InvalidInput` listing them."""
    schemes = BUILT_IN if known is None else known
    if name not in schemes:
        raise InvalidInput(
            f"There is no code scheme “{name}”.",
            hint=f"Known are: {', '.join(schemes)}.",
            zh=f"没有编码方案“{name}”，可用方案：{'、'.join(schemes)}。",
        )
    return schemes[name]


def make_scheme(name: str, pattern: str, version: int = 1) -> Scheme:
    """Return a checked scheme of a city.

    Raises
    ------
    InvalidInput
        When the pattern cannot print every cell in one way and read it back.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]{1,30}", name):
        raise InvalidInput(
            f"“{name}” cannot be the name of a code scheme.",
            hint="Take 2 to 31 small letters, digits and hyphens, e.g. harbour-2026.",
            zh=f"“{name}”不能作方案名称，请用 2 至 31 个小写字母、数字或连字符。",
        )
    found = _FIELD.findall(pattern)
    names = [part for part, _ in found]
    wrong = (
        "it has parts twice"
        if len(set(names)) < len(names)
        else f"it has a part “{next(part for part in names if part not in PARTS)}” that is not known"
        if not set(names) <= set(PARTS)
        else "it has no part {sequence:…} with its digits"
        if not dict(found).get("sequence")
        else "it has no part {community}"
        if "community" not in names
        else "only the community may come without its digits"
        if any(not digits and part != "community" for part, digits in found)
        else "between its parts stand other signs than letters, digits, - . / and _"
        if not _LITERAL.fullmatch(_FIELD.sub("", pattern))
        else "a part has more than 12 digits, or none"
        if any(digits and not 1 <= int(digits) <= 12 for _, digits in found)
        else ""
    )
    if wrong:
        raise InvalidInput(
            f"The pattern “{pattern}” is no code scheme: {wrong}.",
            hint=f"Write it like {CN15.pattern} or {LOCAL.pattern}; parts are: {', '.join(PARTS)}.",
            zh=f"“{pattern}”不是有效的编码格式，请仿照 {CN15.pattern} 书写。",
        )
    return Scheme(name, pattern, version)


def make_code(
    scheme: Scheme,
    *,
    community: str,
    sequence: int,
    district: str = "",
    street: str = "",
    object: str = "",  # noqa: A002  (the standard's word)
) -> CodeParts:
    """Return checked parts of a code.

    Raises
    ------
    InvalidInput
        When a part does not fit the scheme, with the way out.
    """
    if not 1 <= sequence <= scheme.largest:
        raise InvalidInput(
            f"Sequence {sequence} does not fit the code scheme {scheme} (1 to {scheme.largest:,}).",
            hint=_way_out(scheme),
            zh=f"序号 {sequence} 超出编码方案 {scheme} 的范围（1 至 {scheme.largest:,}）。{_ROOMIER_ZH}",
        )
    given = {"object": object, "district": district, "street": street, "community": community}
    parts = {name: given[name] if name in scheme.widths else "" for name in given}
    for name, digits in scheme.widths.items():
        if name == "sequence":
            continue
        if digits is None and not re.fullmatch(r"\S+", given[name]):
            raise InvalidInput(
                f"The {name} code “{given[name]}” is empty or holds blanks.", hint="Give it a code without blanks.",
                zh=f"{_PARTS_ZH[name]}代码“{given[name]}”为空或含空格。请给出不含空格的代码。",
            )  # fmt: skip
        if digits is not None and not re.fullmatch(rf"[0-9]{{{digits}}}", given[name]):
            raise InvalidInput(
                f"The {name} code “{given[name]}” of the scheme {scheme} must have {digits} digits.",
                hint="Give the areas their official codes, or use the local scheme.",
                zh=f"编码方案 {scheme} 的{_PARTS_ZH[name]}代码“{given[name]}”应为 {digits} 位数字。请填官方代码。",
            )
    return CodeParts(scheme=scheme, sequence=sequence, **parts)


def parse_code(scheme: Scheme, text: str) -> CodeParts:
    """Return the parts of a printed code of a known scheme.

    Raises
    ------
    InvalidInput
        When the text is no code of that scheme, with the reason.
    """
    text = text.strip()
    match = _reader(scheme.pattern).fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"“{text}” is not a grid code of the scheme {scheme}: {_reason(scheme, text)}.",
            hint=f"It is written as {scheme.pattern}.",
            zh=f"“{text}”不符合编码方案 {scheme}（{scheme.pattern}）。",
        )
    found = match.groupdict()
    sequence = int(found.pop("sequence"))
    return make_code(scheme, sequence=sequence, **{"community": "", **found})


def check_room(scheme: Scheme, community: str, cells: int) -> None:
    """Return when ``cells`` cells of one community can be numbered, else raise `InvalidInput`."""
    if cells > scheme.largest:
        raise InvalidInput(
            f"{community} would get {cells:,} cells, but the code scheme {scheme} numbers only "
            f"{scheme.largest:,} in a community.",
            hint=_way_out(scheme),
            zh=f"{community} 将有 {cells:,} 个网格，编码方案 {scheme} 每社区仅编 {scheme.largest:,} 个。{_ROOMIER_ZH}",
        )


def reading_order(
    community: npt.NDArray[np.int64],
    row: npt.NDArray[np.int64],
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
) -> npt.NDArray[np.int64]:
    """Return the sequence of each cell inside its community, from 1.

    Parameters
    ----------
    community
        Community of each cell.
    row
        Row band of each cell, counted from south to north.
    x, y
        A point of each cell; west to east decides inside a row, then north to south.
    """
    order = np.lexsort((-y, x, -row, community))
    ordered = community[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.empty(0, dtype=np.int64)
    runs = np.diff(np.r_[first, len(ordered)])
    sequence = np.empty(len(ordered), dtype=np.int64)
    sequence[order] = np.arange(len(ordered)) - np.repeat(first, runs) + 1
    return sequence


@functools.lru_cache(maxsize=64)
def _reader(pattern: str) -> re.Pattern[str]:
    parts, at = [], 0
    for found in _FIELD.finditer(pattern):
        name, digits = found.groups()
        parts += [
            re.escape(pattern[at : found.start()]),
            rf"(?P<{name}>[0-9]{{{digits}}})" if digits else r"(?P<community>\S+)",
        ]
        at = found.end()
    return re.compile("".join(parts) + re.escape(pattern[at:]))


def _reason(scheme: Scheme, text: str) -> str:
    """Say why a text is no code of a scheme, as near to the fault as can be told."""
    if not text:
        return "it is empty"
    if scheme.length is not None and len(text) != scheme.length:
        return f"it has {len(text)} signs, not {scheme.length}"
    at = 0
    for literal, name, digits in re.findall(r"([^{}]*)\{([a-z]+)(?::([0-9]+))?\}", scheme.pattern):
        if not digits:
            break
        if text[at : at + len(literal)] != literal:
            return f"“{literal}” is missing at place {at + 1}"
        at += len(literal)
        if not re.fullmatch(r"[0-9]+", text[at : at + int(digits)]):
            return f"its {name}, “{text[at : at + int(digits)]}”, is not of digits"
        at += int(digits)
    return "its parts are others"


def _way_out(scheme: Scheme) -> str:
    if scheme != LOCAL:
        return "Make the cells bigger, split the community, or use the local code scheme."
    return "Make the cells bigger or split the community."
