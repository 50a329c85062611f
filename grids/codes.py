"""Codes of unit grids: the sequence inside a community, and the schemes that print and read it.

The sequence follows DB11 / GB/T 30428.1: from west to east, then from north to south. It is read as
lines of a page are: rows (bands of the lattice) from north to south, and inside a row from west to
east. A scheme is always stored beside the code, because lengths do not tell schemes apart: 14, 15
and 20 digits are all in use.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput


class Scheme(enum.StrEnum):
    """How a code is put together."""

    LOCAL = "local"
    CN14 = "cn14"
    CN15 = "cn15"


LARGEST = {Scheme.LOCAL: 99_999, Scheme.CN14: 99, Scheme.CN15: 999}
"""Highest sequence that a scheme can print."""


@dataclass(frozen=True)
class CodeParts:
    """A grid code in its parts.

    Attributes
    ----------
    district, street
        Empty in the local scheme, which needs none.
    community
        Three digits in ``cn14`` and ``cn15``; in the local scheme any code without blanks.
    """

    scheme: Scheme
    community: str
    sequence: int
    district: str = ""
    street: str = ""

    @property
    def text(self) -> str:
        """Return the code as printed, e.g. ``NEWPORT-00042``, ``110101001002042`` or ``11010100100242``."""
        if self.scheme is Scheme.LOCAL:
            return f"{self.community}-{self.sequence:05d}"
        digits = 2 if self.scheme is Scheme.CN14 else 3
        return f"{self.district}{self.street}{self.community}{self.sequence:0{digits}d}"


def scheme_of(name: str) -> Scheme:
    """Return the scheme of that name; raise `InvalidInput` listing the known ones."""
    if name not in set(Scheme):
        raise InvalidInput(f"There is no code scheme “{name}”.", hint=f"Known are: {', '.join(Scheme)}.")
    return Scheme(name)


def make_code(scheme: Scheme, *, community: str, sequence: int, district: str = "", street: str = "") -> CodeParts:
    """Return checked parts of a code.

    Raises
    ------
    InvalidInput
        When a part does not fit the scheme, with the way out.
    """
    if not 1 <= sequence <= LARGEST[scheme]:
        raise InvalidInput(
            f"Sequence {sequence} does not fit the code scheme {scheme} (1 to {LARGEST[scheme]:,}).",
            hint=_way_out(scheme),
        )
    if scheme is Scheme.LOCAL:
        if not re.fullmatch(r"\S+", community):
            raise InvalidInput(f"The community code “{community}” is empty or holds blanks.")
        return CodeParts(scheme, community, sequence)
    for name, value, digits in (("district", district, 6), ("street", street, 3), ("community", community, 3)):
        if not re.fullmatch(rf"[0-9]{{{digits}}}", value):
            raise InvalidInput(
                f"The {name} code “{value}” of the scheme {scheme} must have {digits} digits.",
                hint="Give the areas their official codes, or use the local scheme.",
            )
    return CodeParts(scheme, community, sequence, district, street)


def parse_code(scheme: Scheme, text: str) -> CodeParts:
    """Return the parts of a printed code of a known scheme.

    Raises
    ------
    InvalidInput
        When the text is no code of that scheme.
    """
    digits = 2 if scheme is Scheme.CN14 else 3
    pattern = (
        r"(?P<community>\S+)-(?P<sequence>[0-9]{5})"
        if scheme is Scheme.LOCAL
        else rf"(?P<district>[0-9]{{6}})(?P<street>[0-9]{{3}})(?P<community>[0-9]{{3}})(?P<sequence>[0-9]{{{digits}}})"
    )
    match = re.fullmatch(pattern, text.strip())
    if match is None:
        raise InvalidInput(f"“{text}” is not a grid code of the scheme {scheme}.")
    found = match.groupdict()
    return make_code(
        scheme,
        community=found["community"],
        sequence=int(found["sequence"]),
        district=found.get("district", ""),
        street=found.get("street", ""),
    )


def check_room(scheme: Scheme, community: str, cells: int) -> None:
    """Return when ``cells`` cells of one community can be numbered, else raise `InvalidInput`."""
    if cells > LARGEST[scheme]:
        raise InvalidInput(
            f"{community} would get {cells:,} cells, but the code scheme {scheme} numbers only "
            f"{LARGEST[scheme]:,} in a community.",
            hint=_way_out(scheme),
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


def _way_out(scheme: Scheme) -> str:
    if scheme is not Scheme.LOCAL:
        return "Make the cells bigger, split the community, or use the local code scheme."
    return "Make the cells bigger or split the community."
