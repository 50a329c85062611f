"""Nouns of evidence as pages and commands see them (pure)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from incidents.evidence import Box, Photo
from incidents.evidence_rules import PLACE


@dataclass(frozen=True, slots=True)
class Prepared:
    """A photo that was checked and looked through, before it is kept."""

    photo: Photo
    found: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class EvidenceInfo:
    """A photo or a note of an incident.

    Attributes
    ----------
    taken_as
        Role in which it was added.
    round
        Reworks of the incident when it was added.
    note
        The words of a note; None for a photo, or when it is not for the reader or erased.
    blurred
        Parts that are blurred in it for everybody but who handles the incident.
    version
        Of the blurred copy; 0 when no picture is kept any more.
    original
        Whether the reader gets the unblurred copy.
    """

    id: int
    incident_id: int
    kind: str
    taken_as: str
    at: dt.datetime
    round: int
    sha256: str | None
    width: int | None
    height: int | None
    note: str | None
    blurred: int
    version: int
    original: bool
    simulated: bool

    @property
    def is_photo(self) -> bool:
        """Return whether it is a photo."""
        return self.kind != PLACE

    @property
    def address(self) -> str:
        """Return where the picture is served; another one once more of it is blurred."""
        return f"/api/evidence/{self.id}.jpg?v={self.version}"


@dataclass(frozen=True, slots=True)
class Picture:
    """The copy of a photo that an actor gets."""

    jpeg: bytes
    sha256: str
    original: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """An incident that waits to be closed or sent back; ``own`` says why somebody else does it."""

    incident_id: int
    own: str = ""
