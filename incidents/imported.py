"""What came of bringing a file of incidents in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What came of bringing a file in: ``read`` = ``loaded`` + ``rejected`` + ``duplicates``.

    Attributes
    ----------
    duplicates
        Rows whose reference came earlier in the file or is in the database already.
    placed
        Rows whose point lies in a unit grid of the territory, duplicates included.
    reasons
        Reason of quarantine to rejected rows.
    columns
        Role to the heading it was read from.
    remarks
        What a person should know, as plain sentences.
    """

    read: int
    loaded: int
    rejected: int
    duplicates: int
    placed: int
    seconds: float
    reasons: Mapping[str, int]
    columns: Mapping[str, str]
    form: str
    remarks: Sequence[str]
