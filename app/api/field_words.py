"""The words of the field page in the reader's language, and the shapes that its phone is sent."""

from __future__ import annotations

import datetime as dt
from typing import Any

from app import i18n, worker_words
from app.api.field_map import drawing
from app.i18n import t
from core.errors import Conflict, GridkeeperError, InvalidInput, SourceUnavailable
from dispatch.execution_model import TOPICS
from dispatch.field_model import FieldNotice, FieldState, FieldTask, Way
from geodata.territory import TerritoryInfo
from incidents.evidence_rules import KIND_WORDS, demanded
from incidents.lifecycle_words import HAND_OVER_REASONS, REASONS
from incidents.model import ClassInfo
from incidents.work import Done

CLOSE_BY_M = 80
_GIVE_BACK = ["return", "hand_over"]
_LOOK = {"waiting": ["on_way"], "accepted": ["on_way"], "on_way": ["arrive"]}
FLOW: dict[str, dict[str, list[str]]] = {
    "handle": {
        "waiting": ["accept", "return"],
        "accepted": ["on_way", "arrive", *_GIVE_BACK],
        "on_way": ["arrive", *_GIVE_BACK],
        "started": ["finish", "expect_done", *_GIVE_BACK],
    },
    "help": {
        "waiting": ["accept_part", "return_part"],
        "accepted": ["on_way", "arrive", "return_part"],
        "on_way": ["arrive", "return_part"],
        **{there: ["finish_part", "expect_done", "return_part"] for there in ("arrived", "started")},
    },
    **{kind: {**_LOOK, "arrived": [kind], "started": [kind]} for kind in ("verify", "check")},
    "visit": {},
}
"""What a worker may say of a task in each state; the first is the large button. The platform decides, not this."""


def page_words() -> dict[str, Any]:
    """Return all that the page itself says; what the platform answers comes in its own words."""
    return {
        "colon": t(": "),
        "comma": t(", "),
        "waits1": t("1 act waits"),
        "waits": t("{count} acts wait", count="{count}"),
        "offline": t("Offline"),
        "sending": t("Sending"),
        "on": t("On shift until {time}", time="{time}"),
        "off": t("You are off shift."),
        "away": t("You are marked as away today."),
        "ended": t("Your session has ended; what waits is kept here."),
        "login": t("Log in"),
        "none": t("No task waits for you."),
        "none_hint": t("What a dispatcher sends you stands here at once."),
        "due": t("due {time}", time="{time}"),
        "late": t("late since {time}", time="{time}"),
        "eta": t("there at {time}", time="{time}"),
        "until": t("done at about {time}", time="{time}"),
        "pending": t("not sent yet"),
        "urged": t("urged"),
        "emergency": t("Emergency"),
        "acts": _acts(),
        "flow": FLOW,
        "asks": ["finish", "verify", "check", "return", "return_part", "hand_over"],
        "states": {
            "waiting": t("new"),
            "accepted": t("accepted by you"),
            "on_way": t("on the way"),
            "arrived": t("you are there"),
            "started": t("in work"),
        },
        "kinds": {"handle": t("Handle"), "help": t("Come along"), "verify": t("Look on site first"),
                  "check": t("Check the result"), "visit": t("Ask the citizen")},
        "minutes": t("Done in {count} min", count="{count}"),
        "needs": t("This class needs: {kinds}.", kinds="{kinds}"),
        "maps": t("Open in maps"),
        "again": t("Do it again"),
        "put_away": t("Put away"),
        "done": t("{number}: kept.", number="{number}"),
        "lost_turn": t("Look at it anew, then decide again."),
        "here": t("Here, where I stand"),
        "picked": t("The place is chosen."),
        "no_place": t("Choose the place: press Here, or tap the map."),
        "no_gps": t("The phone does not say where it is. Tap the map instead."),
        "no_class": t("Choose what it is."),
        "call": t("Emergency: call first, then report."),
        "share": t("Share my position during this shift"),
        "sharing": t("Your position is shared until your shift ends; only the newest one is kept."),
        "unshare": t("Stop sharing my position"),
        "more1": t("and 1 more message"),
        "more": t("and {count} more messages", count="{count}"),
        "others1": t("1 act of another login waits on this phone until that worker logs in here."),
        "others": t(
            "{count} acts of another login wait on this phone until that worker logs in here.", count="{count}"
        ),
        "unsent": t("Not everything is sent. If you log out now, it is lost."),
        "drop": t("Log out and lose it"),
        "reasons": _reasons(),
        "proofs": {kind: i18n.either(*words) for kind, words in KIND_WORDS.items()},
        "topics": {topic: i18n.either(*words) for topic, words in TOPICS.items()},
    }  # fmt: skip


def _reasons() -> dict[str, list[list[str]]]:
    refusals = {key: said for key, said in REASONS["return"].items() if key not in HAND_OVER_REASONS}
    as_they_are = {act: REASONS[act] for act in ("return_part", "verify", "check")}
    asked = {"return": refusals, "hand_over": HAND_OVER_REASONS, **as_they_are}
    return {act: [[key, i18n.either(*said)] for key, said in known.items()] for act, known in asked.items()}


def _acts() -> dict[str, str]:
    return {
        "accept": t("Accept"),
        "on_way": t("I set out"),
        "arrive": t("I am there"),
        "expect_done": t("Done in …"),
        "finish": t("Finish"),
        "verify": t("Say what you found"),
        "check": t("Say how it is"),
        "return": t("Cannot do it"),
        "accept_part": t("Accept"),
        "finish_part": t("Finish my part"),
        "return_part": t("Cannot come along"),
        "hand_over": t("Hand over"),
        "report": t("Report"),
        "self_handle": t("Handled on the spot"),
        "photo": t("Photo"),
        "note": t("Note on the place"),
        "read": t("OK"),
    }


def state_body(state: FieldState, who: str, territory: TerritoryInfo, moment: dt.datetime) -> dict[str, Any]:
    """Return the day of a worker as the phone keeps it."""
    return {
        "who": who,
        "worker": state.shift.code,
        "zone": territory.timezone,
        "shift": {
            "start": _time(state.shift.start),
            "end": _time(state.shift.end),
            "on": state.shift.covers(moment),
            "away": state.shift.away,
        },
        "tasks": [_task(each) for each in state.tasks],
        "notices": [
            {
                "id": each.id,
                "topic": each.topic,
                "at": _time(each.at),
                "number": each.number or "",
                "title": i18n.either(each.title_en, each.title_zh),
                "why": _why(each),
            }
            for each in state.notices
        ],
    }


def _why(notice: FieldNotice) -> str:
    """Return why somebody was taken back by hand; the reason of a dispatcher's choice of another is not his to read."""
    known = REASONS["take_back"].get(notice.reason) if notice.topic == "withdrawn" else None
    return "" if known is None else i18n.either(*known)


def _task(task: FieldTask) -> dict[str, Any]:
    progress = "started" if task.state == "started" else task.state
    if task.state == "accepted":
        progress = "arrived" if task.arrived_at else "on_way" if task.on_way_at else "accepted"
    return {
        "incident": task.incident,
        "number": task.number,
        "kind": task.kind,
        "state": progress,
        "title": i18n.either(task.title_en, task.title_zh),
        "emergency": task.emergency,
        "urged": task.urged_at is not None,
        "place": task.place,
        "community": i18n.either(task.community, task.community_zh),
        "due": _time(task.due_at),
        "eta": _time(task.planned_start),
        "expected": _time(task.expected_done_at),
        "version": task.version,
        "at": [round(task.lon, 6), round(task.lat, 6)],
        "needs": [kind for kind in demanded(task.evidence) if kind not in task.photos] if task.kind != "help" else [],
        "note": task.note or "",
        "takes": _takes(task),
    }


def _takes(task: FieldTask) -> str:
    """Return what the worker has to bring, and how many go; empty where it takes nothing of the kind."""
    if task.kind not in {"handle", "help"}:
        return ""
    told = []
    if task.equipment:
        told.append(t("Bring: {things}", things=worker_words.skills(task.equipment)))
    if task.skills:
        told.append(t("Takes: {skills}", skills=worker_words.skills(task.skills)))
    if task.others:
        told.append(t("Together with {codes}", codes=t(", ").join(task.others)))
    elif task.workers > 1:
        told.append(t("{count} workers go together", count=i18n.number(task.workers)))
    return " · ".join(told)


def way_body(way: Way, *, marked: bool) -> dict[str, Any]:
    """Return a way as the phone shows it: the picture, the box it shows, the streets in words."""
    told = [" → ".join(way.streets)]
    if way.length_m is not None and way.length_m < CLOSE_BY_M:
        told = [t("Close by")]
    elif way.seconds is not None and way.length_m is not None:
        minutes = i18n.number(max(1, round(way.seconds / 60)))
        told.append(t("{km} km, {minutes} min by car", km=i18n.number(way.length_m / 1000, 1), minutes=minutes))
    elif marked:
        told.append(t("Share your position, and the way stands here."))
    return {"svg": drawing(way, marked=marked), "box": way.box, "text": " · ".join(filter(None, told))}


def class_body(classes: list[ClassInfo]) -> list[dict[str, Any]]:
    """Return the classes of the catalogue, by category, for choosing one."""
    language = i18n.locale()
    return [
        {
            "key": each.key,
            "group": each.category_zh if language == "zh" else each.category_en,
            "title": each.title(language),
            "emergency": each.emergency,
        }
        for each in sorted(classes, key=lambda each: (each.kind != "event", each.code))
    ]


def done_body(command_id: str, done: Done | None) -> dict[str, Any]:
    """Return the answer to an act that was applied, now or before."""
    body: dict[str, Any] = {"id": command_id, "ok": True}
    if done is not None:
        body |= {"incident": done.incident_id, "number": done.number, "version": done.version, "again": done.repeated}
    return body


def refused_body(command_id: str, error: GridkeeperError) -> dict[str, Any]:
    """Return the answer to an act that was not applied, with what is wrong and what to do in words."""
    kinds = ((SourceUnavailable, "later"), (Conflict, "conflict"), (InvalidInput, "wrong"))
    kind = next((word for cls, word in kinds if isinstance(error, cls)), "refused")
    say = error.zh if i18n.locale() == "zh" and error.zh else f"{error.message} {error.hint}".strip()
    return {"id": command_id, "ok": False, "kind": kind, "say": say}


def _time(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
