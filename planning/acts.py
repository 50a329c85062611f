"""What is done with studies: how a search stands, fronts of what else could be chosen, decisions and their text."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from planning.model import SiteAnswer, Study

DIGITS = 7
REASON_AT_MOST = 2000
_LEFT_OUT = frozenset({"seconds", "curve", "communities", "trail", "excluded_at", "candidates_at", "ground"})
"""Facts that are no assumption: how long it took, and what follows from the rest."""


@dataclass(frozen=True)
class Live:
    """How the search of a study stands.

    Attributes
    ----------
    trail
        Seconds, best found, bound: in order of time.
    enough
        Somebody asked to stop and keep the best found.
    heard_at
        When the last news came.
    people
        For whom, all together.
    """

    trail: tuple[tuple[float, ...], ...]
    enough: bool
    heard_at: dt.datetime
    people: float


@dataclass(frozen=True)
class Fronts:
    """The fronts of a study as `planning.pareto` makes them, with the sites as places."""

    state: str
    job_id: int | None
    fronts: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Decision:
    """The sites of a study, proposed by one person and signed by another.

    Attributes
    ----------
    state
        ``proposed``, ``signed``, ``refused`` or ``withdrawn``.
    content, content_sha256
        What is decided as one text, and its hash.
    """

    id: int
    study_id: int
    state: str
    reason: str
    content: str
    content_sha256: str
    proposed_by: int | None
    proposed_label: str
    proposed_at: dt.datetime
    decided_by: int | None
    decided_label: str
    decided_at: dt.datetime | None
    note: str
    version: int

    @property
    def whole(self) -> bool:
        """Return whether the text still has the hash that was signed."""
        return digest(self.content) == self.content_sha256

    @property
    def said(self) -> dict[str, Any]:
        """Return the text as data."""
        made: dict[str, Any] = json.loads(self.content)
        return made


@dataclass(frozen=True)
class RecordCheck:
    """A row of the record about a decision.

    Attributes
    ----------
    fits
        Whether the row fits the hash it carries.
    same
        Whether it speaks of the text that is shown.
    sealed_at
        When it was sealed; None before.
    """

    seq: int
    fits: bool
    same: bool
    sealed_at: dt.datetime | None


def digest(content: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(content.encode()).hexdigest()


def written(study: Study, sites: Sequence[SiteAnswer], aside: Sequence[Study], *, program: str) -> str:
    """Return what is decided as one text: the same study always gives the same text.

    Parameters
    ----------
    aside
        Other answers to the same question, which are left aside.
    program
        Name and version of the program that found the sites.
    """
    question = study.question
    content = {
        "study": study.id,
        "study_version": study.version,
        "title": study.title,
        "question": {
            "kind": question.kind,
            "sites": question.p,
            "facility": question.facility_kind,
            "mode": question.mode,
            "limit_min": question.limit_min,
            "keep_existing": question.keep_existing,
            "candidates": question.candidates,
            "seed": question.seed,
            "terms": question.terms.as_json(),
        },
        "sites": [
            {
                "number": site.number,
                "lon": round(site.lon, DIGITS),
                "lat": round(site.lat, DIGITS),
                "street": site.street,
                "street_zh": site.street_zh,
                "people": site.people,
                "within": site.within,
                "mean_s": site.mean_s,
            }
            for site in sites
        ],
        "answer": _answer(study),
        "assumptions": {name: value for name, value in sorted(study.facts.items()) if name not in _LEFT_OUT},
        "data": study.facts.get("ground", {}),
        "aside": [{"study": each.id, "title": each.title, **_answer(each)} for each in aside],
        "program": program,
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1)


def _answer(study: Study) -> dict[str, Any]:
    return {
        "status": study.status,
        "objective": study.objective,
        "bound": study.bound,
        "gap": study.gap,
        "unserved": study.unserved,
        "within": study.facts.get("within_then"),
        "mean_s": study.facts.get("mean_s_then"),
        "answered_at": None if study.answered_at is None else study.answered_at.astimezone(dt.UTC).isoformat(),
    }
