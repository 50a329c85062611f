"""Appeals of a department against an incident that was counted: grounds, effects, the time there is (pure).

An appeal touches one incident and one way in which it counts. Only a granted one changes a score, and the
fact then keeps both: what it was and what it is.
"""

from __future__ import annotations

import datetime as dt
import json

from core.errors import InvalidInput

LEFT_OUT, IN_TIME, NO_REWORK, NO_WORD = 1, 2, 4, 8
EFFECTS = {"left_out": LEFT_OUT, "in_time": IN_TIME, "no_rework": NO_REWORK, "no_word": NO_WORD}
"""What a department may ask for: the incident is not counted at all, its deadline counts as kept, its rework
or reopening does not count, the citizen's word on it does not count. Bits of a fact's ``excused``."""
KEY_OF = {bit: key for key, bit in EFFECTS.items()}
GROUNDS = ("not_ours", "weather", "blocked", "waited", "third_party", "wrong_class", "mistake", "other")
EVIDENCE_MOST = 2000
ANSWER_MOST = 1000
WAITING, GRANTED, REFUSED = "waiting", "granted", "refused"


def check_appeal(effect: str, ground: str, evidence: str) -> None:
    """Raise `InvalidInput` when an appeal is incomplete."""
    if effect not in EFFECTS:
        raise InvalidInput(f"There is no effect {effect!r}.", hint=f"Effects are: {', '.join(EFFECTS)}.")
    if ground not in GROUNDS:
        raise InvalidInput(f"There is no ground {ground!r}.", hint=f"Grounds are: {', '.join(GROUNDS)}.")
    check_words(evidence, EVIDENCE_MOST, "An appeal needs its evidence in words.", "申诉须写明证据。")


def check_words(words: str, most: int, lacking: str, lacking_zh: str) -> None:
    """Raise `InvalidInput` when words lack or are too many."""
    if not words.strip():
        raise InvalidInput(lacking, zh=lacking_zh)
    if len(words) > most:
        raise InvalidInput(f"At most {most} characters.", zh=f"不超过 {most} 字。")


def open_until(counted_at: dt.datetime, days: int) -> dt.datetime:
    """Return until when an incident may be appealed that was counted at ``counted_at``."""
    return counted_at + dt.timedelta(days=days)


def decision_text(
    *, appeal_id: int, incident: str, effect: str, state: str, answer: str, decided_by: int | None, at: dt.datetime
) -> str:
    """Return what the signature of a decision is over: a line of canonical JSON."""
    told = {
        "answer": answer,
        "appeal": appeal_id,
        "at": at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "by": decided_by,
        "effect": effect,
        "incident": incident,
        "state": state,
    }
    return "gridkeeper appeal " + json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
