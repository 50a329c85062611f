"""Words of the page "What if": rules, changes, and what a change brings in a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app import i18n
from app.i18n import t, tn
from app.what_if_work import READING
from dispatch.simulate_model import Change, Policy
from dispatch.what_if_model import Row
from geodata.jobs import Job

SAME_SHARE, SAME_S = 0.005, 30.0
"""Driving that differs by less, and a response that differs by less, are the same."""


def rule(policy: Policy) -> str:
    """Return the name of a rule."""
    return {
        Policy.NEAREST_IDLE: t("Nearest free worker"),
        Policy.NEAREST_PAIR: t("Nearest pair"),
        Policy.FIXED_OWNER: t("Always the owner"),
        Policy.OWNER_OVERFLOW: t("Owner, else nearest"),
        Policy.ROLLING: t("Rolling plan"),
    }[policy]


def meaning(policy: Policy) -> str:
    """Return what a rule does, in a sentence."""
    return {
        Policy.NEAREST_IDLE: t("in order of urgency each incident gets the nearest who is free"),
        Policy.NEAREST_PAIR: t("of all who are free and all that waits, the two nearest go together, and again"),
        Policy.FIXED_OWNER: t("each incident waits for the worker of its grid"),
        Policy.OWNER_OVERFLOW: t("the worker of the grid, after 10 min or when time runs out the nearest"),
        Policy.ROLLING: t("the plan of the Board: busy and free workers weighed together, anew as things happen"),
    }[policy]


def change(made: Change) -> str:
    """Return what is different, in a few words."""
    if made.workers > 0:
        return tn("{count} more worker", "{count} more workers", made.workers)
    if made.workers < 0:
        return tn("{count} worker fewer", "{count} workers fewer", -made.workers)
    if made.owner_s is not None:
        return t("Owner penalty {seconds} s", seconds=i18n.number(made.owner_s))
    if made.refusals is not None:
        return t("{share} refused", share=per_cent(made.refusals))
    return t("As it is")


def per_cent(share: float) -> str:
    """Return a share in whole per cent."""
    return i18n.number(share * 100) + ("%" if i18n.locale() == "zh" else " %")


def minutes(seconds: float | None) -> str:
    """Return whole minutes; a dash for none."""
    return "–" if seconds is None else t("{minutes} min", minutes=i18n.number(seconds / 60))


def hours(seconds: float) -> str:
    """Return hours with one decimal."""
    return t("{hours} h", hours=i18n.number(seconds / 3600, 1))


def against(row: Row, base: Row) -> str:
    """Return what a run brings against another: breaches, driving, response."""
    parts = [_breaches(row.breaches - base.breaches)]
    share = row.travel_s / base.travel_s - 1 if base.travel_s else 0.0
    if abs(share) >= SAME_SHARE:
        words = per_cent(abs(share))
        parts.append(t("{share} less driving", share=words) if share < 0 else t("{share} more driving", share=words))
    else:
        parts.append(t("the same driving"))
    if row.response_s is not None and base.response_s is not None:
        later = row.response_s - base.response_s
        if abs(later) >= SAME_S:
            words = minutes(abs(later))
            parts.append(t("there {time} earlier", time=words) if later < 0 else t("there {time} later", time=words))
    return ("，" if i18n.locale() == "zh" else ", ").join(parts)


def _breaches(more: int) -> str:
    if more == 0:
        return t("as many breaches")
    if more < 0:
        return tn("{count} fewer breach", "{count} fewer breaches", -more)
    return tn("{count} more breach", "{count} more breaches", more)


def sentences(rows: Sequence[Row]) -> list[str]:
    """Return the answer: the plan against the best other rule, then what each change brings to it."""
    plain = [row for row in rows if row.change == Change()]
    main = next((row for row in plain if row.policy is Policy.ROLLING), plain[0])
    told = []
    others = [row for row in plain if row is not main]
    if others:
        best = min(others, key=lambda row: (row.breaches, row.travel_s))
        told.append(
            t(
                "{rule} against {other}: {what}.",
                rule=rule(main.policy),
                other=_within(rule(best.policy)),
                what=against(main, best),
            )
        )
    told += [
        t("{change}: {what}.", change=change(row.change), what=against(row, main))
        for row in rows
        if row.policy is main.policy and row.change != Change()
    ]
    return told


def _within(name: str) -> str:
    """Return a name as it stands within a sentence."""
    return name if i18n.locale() == "zh" else name[:1].lower() + name[1:]


def failure(message: str) -> str:
    """Return why the work failed; its fixed sentences are in the catalogue, others stay as they are."""
    space = "" if i18n.locale() == "zh" else " "
    sentences_of = re.findall(r"[^.]+\.|[^.]+$", message)
    return space.join(t(each.strip()) for each in sentences_of)


def waits(ahead: int) -> str:
    """Return what a question waits for; ``ahead`` pieces of work are done before it."""
    if ahead:
        return tn(
            "Waits until {count} earlier piece of work is done", "Waits for {count} earlier pieces of work", ahead
        )
    return t("Waits for the process that does the work (gridkeeper jobs run)")


def progress(job: Job, ahead: int = 0) -> tuple[float, str]:
    """Return how far the work is, from 0 to 1, and in words."""
    if job.step in {"", READING}:
        return 0.0, t("Reading the day") if job.step else waits(ahead)
    policy, number, total = job.step.split()
    part = min(1.0, job.done / job.total) if job.total else 0.0
    words = t(
        "{rule}: run {number} of {total}",
        rule=rule(Policy(policy)),
        number=i18n.number(int(number)),
        total=i18n.number(int(total)),
    )
    return (int(number) - 1 + part) / int(total), words
