"""The law of an incident's life: one table of allowed transitions; everything else is refused in words.

Pages, commands and the database service ask this table; ``docs/lifecycle.md`` is written from it, and the
database refuses what it does not hold (table ``transition``, filled by a migration; a test compares the two).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from core.errors import InvalidInput
from core.identity import Actor, Role
from incidents import lifecycle_guards as guards
from incidents.lifecycle_guards import GUARD_WORDS, Facts, Guard, LiveTask, Refusal
from incidents.lifecycle_words import ACT_WORDS, CHOICE_REASONS, DONE_WORDS, REASONS, ROLE_WORDS, STATUS_WORDS

__all__ = [
    "ACTS", "ACT_WORDS", "CHOICE_REASONS", "DONE_WORDS", "REASONS", "STATUS_WORDS", "TASK_STEPS", "TRANSITIONS",
    "Facts", "LiveTask", "Refusal", "TaskEffect", "TaskStep", "Transition", "allowed", "check_reason", "check_role",
    "find", "first_status", "known_act", "law", "lifecycle_table", "refusal",
]  # fmt: skip


class TaskEffect(enum.StrEnum):
    """What an act does to the tasks of the incident."""

    NONE = "none"
    MAKE = "made"
    REPLACE = "cancelled, a new one made"
    ACCEPT = "accepted"
    START = "started"
    FINISH = "done, and parts of workers with it"
    RETURN = "returned, parts of workers cancelled"
    REOPEN = "last one opened again"
    CANCEL = "cancelled"
    JOIN = "one more, of another unit or worker"
    PART_DONE = "the own part done"
    PART_RETURNED = "the own part returned"
    PART_TAKEN = "the part of who was called in, cancelled"
    MAKE_VERIFY = "task verify made"
    VERIFY_DONE = "task verify done"
    MAKE_CHECK = "task check made"
    CHECK_DONE = "task check done"


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed step; ``source`` None begins an incident."""

    act: str
    source: str | None
    target: str
    roles: frozenset[Role]
    effect: TaskEffect = TaskEffect.NONE
    guards: tuple[Guard, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskStep:
    """One allowed change of the state of a task; ``source`` None makes it."""

    kind: str
    source: str | None
    target: str
    roles: frozenset[Role]


_SUPERVISOR = frozenset({Role.SUPERVISOR})
_DISPATCHER = frozenset({Role.DISPATCHER})
_DOERS = frozenset({Role.GRID_WORKER, Role.HANDLER})
_WORKER = frozenset({Role.GRID_WORKER})
_CENTRES = _SUPERVISOR | _DISPATCHER
_DESKS = _CENTRES | {Role.GRID_MANAGER}
_E = TaskEffect
_LIVE = ("waiting", "accepted", "started")
_FINISHED = (guards.own_task, guards.parts_done, guards.evidence_there)
_OPEN = ("reported", "filed", "dispatched", "handling", "checking")


def _side(act: str, sources: tuple[str, ...], roles: frozenset[Role], *checks: Guard) -> tuple[Transition, ...]:
    """Return the steps of an act that leaves the status as it is."""
    return tuple(Transition(act, each, each, roles, guards=checks) for each in sources)


TRANSITIONS: tuple[Transition, ...] = (
    Transition("report", None, "filed", frozenset({Role.SUPERVISOR, Role.GRID_WORKER})),
    Transition("report", None, "reported", _DESKS),
    Transition("verify", "reported", "reported", _WORKER, _E.VERIFY_DONE, (guards.own_verify,)),
    Transition("file", "reported", "filed", _SUPERVISOR, guards=(guards.verified,)),
    Transition("assign", "filed", "dispatched", _DISPATCHER, _E.MAKE),
    Transition("dispatch", "filed", "dispatched", _DISPATCHER, _E.MAKE),
    Transition("self_handle", "filed", "closed", _WORKER, guards=(guards.own_find, guards.evidence_there)),
    Transition("start", "dispatched", "handling", _DOERS, _E.START, (guards.own_task,)),
    Transition("accept", "dispatched", "dispatched", _DOERS, _E.ACCEPT, (guards.own_task, guards.not_begun)),
    Transition("finish", "handling", "checking", _DOERS, _E.FINISH, _FINISHED),
    Transition("finish", "dispatched", "checking", _DOERS, _E.FINISH, _FINISHED),
    Transition("finish_part", "dispatched", "dispatched", _DOERS, _E.PART_DONE, (guards.own_part,)),
    Transition("finish_part", "handling", "handling", _DOERS, _E.PART_DONE, (guards.own_part,)),
    Transition("return", "dispatched", "filed", _DOERS, _E.RETURN, (guards.own_task, guards.parts_done)),
    Transition("return", "handling", "filed", _DOERS, _E.RETURN, (guards.own_task, guards.parts_done)),
    Transition("return_part", "dispatched", "dispatched", _DOERS, _E.PART_RETURNED, (guards.own_part,)),
    Transition("return_part", "handling", "handling", _DOERS, _E.PART_RETURNED, (guards.own_part,)),
    Transition("reassign", "dispatched", "dispatched", _DISPATCHER, _E.REPLACE),
    Transition("reassign", "handling", "dispatched", _DISPATCHER, _E.REPLACE),
    Transition("join", "dispatched", "dispatched", _DISPATCHER, _E.JOIN),
    Transition("join", "handling", "handling", _DISPATCHER, _E.JOIN),
    Transition("take_back", "dispatched", "dispatched", _DISPATCHER, _E.PART_TAKEN, (guards.called_in,)),
    Transition("take_back", "handling", "handling", _DISPATCHER, _E.PART_TAKEN, (guards.called_in,)),
    Transition("check", "checking", "checking", _WORKER, _E.CHECK_DONE, (guards.own_check, guards.not_own_handling)),
    Transition("close", "checking", "closed", _SUPERVISOR, _E.CANCEL, (guards.other_hand, guards.not_own_handling)),
    Transition("rework", "checking", "handling", _SUPERVISOR, _E.REOPEN, (guards.not_own_handling,)),
    *_side("grant_extension", ("dispatched", "handling"), _SUPERVISOR, guards.asked),
    *_side("refuse_extension", ("dispatched", "handling"), _SUPERVISOR, guards.asked),
    *_side("ask_extension", ("dispatched", "handling"), _DOERS, guards.own_task, guards.not_asked),
    Transition("ask_verify", "reported", "reported", _CENTRES, _E.MAKE_VERIFY),
    Transition("ask_check", "checking", "checking", _CENTRES, _E.MAKE_CHECK, (guards.not_own_handling,)),
    *_side("urge", _OPEN, _SUPERVISOR),
    *_side("postpone", ("filed", "dispatched", "handling"), _SUPERVISOR, guards.not_postponed),
    *_side("resume", ("filed", "dispatched", "handling"), _SUPERVISOR, guards.postponed),
    Transition("sample", "closed", "closed", _SUPERVISOR, guards=(guards.unsampled,)),
    Transition("reopen", "closed", "filed", _DESKS, guards=(guards.closed_lately,)),
    Transition("void", "reported", "void", _SUPERVISOR, _E.CANCEL),
    Transition("void", "filed", "void", _SUPERVISOR, _E.CANCEL),
    Transition("void", "dispatched", "void", _SUPERVISOR, _E.CANCEL),
)
"""All there is; in the order in which a page offers the acts, the usual next step first."""


def _task_steps(kind: str, begin: frozenset[Role], doers: frozenset[Role], *, returns: bool) -> tuple[TaskStep, ...]:
    ends = ("done", "returned") if returns else ("done",)
    return (
        TaskStep(kind, None, "waiting", begin),
        TaskStep(kind, "waiting", "accepted", doers),
        TaskStep(kind, "waiting", "started", doers),
        TaskStep(kind, "accepted", "started", doers),
        *(TaskStep(kind, live, end, doers) for live in _LIVE for end in ends),
        *(TaskStep(kind, live, "cancelled", _CENTRES) for live in _LIVE),
    )


TASK_STEPS: tuple[TaskStep, ...] = (
    *_task_steps("handle", _DISPATCHER, _DOERS, returns=True),
    TaskStep("handle", "done", "accepted", _SUPERVISOR),
    *(TaskStep("handle", live, "cancelled", _DOERS) for live in _LIVE),
    TaskStep("handle", "cancelled", "done", _WORKER),  # who came along, by words said on site before the lead ended it
    *_task_steps("verify", _DESKS, _WORKER, returns=False),
    *_task_steps("check", _CENTRES, _WORKER, returns=False),
    *_task_steps("visit", _CENTRES, _WORKER | _SUPERVISOR, returns=False),
)
"""How tasks may change, by kind."""

ACTS = tuple(dict.fromkeys(step.act for step in TRANSITIONS if step.source is not None))
"""Acts on an incident that exists."""


def law() -> frozenset[tuple[str, str, str, str, str]]:
    """Return both tables as the database holds them: subject, act, from (empty begins), to, role."""
    steps = {
        ("incident", step.act, step.source or "", step.target, role.value)
        for step in TRANSITIONS
        for role in step.roles
    }
    tasks = {(step.kind, "", step.source or "", step.target, role.value) for step in TASK_STEPS for role in step.roles}
    return frozenset(steps | tasks)


def first_status(actor: Actor, *, public: bool = False) -> str:
    """Return the status in which a report of the actor begins; refuse who may not report.

    ``public``: somebody outside said it, and it is no emergency; then it is verified on site before it is
    filed, whoever takes it down.
    """
    if actor.role in {Role.SUPERVISOR, Role.SYSTEM}:
        return "reported" if public else "filed"
    for step in TRANSITIONS:
        if step.source is None and actor.role in step.roles:
            return step.target
    raise _not_for(actor.role, "report").error()


def known_act(act: str) -> str:
    """Return ``act`` when it is one on an incident that exists, else raise `InvalidInput`."""
    if act not in ACTS:
        raise InvalidInput(f"There is no act {act!r}.", hint=f"Acts are: {', '.join(ACTS)}.")
    return act


def check_role(role: Role, act: str) -> None:
    """Raise `NotPermitted` in words when the role may never do ``act``, whatever the incident."""
    if not any(_for_role(step, role) for step in TRANSITIONS if step.act == act and step.source is not None):
        raise _not_for(role, act).error()


def refusal(actor: Actor, facts: Facts, act: str) -> Refusal | None:
    """Return why ``actor`` may not do ``act`` now; None when he may."""
    steps = [step for step in TRANSITIONS if step.act == act and step.source is not None]
    if not any(_for_role(step, actor.role) for step in steps):
        return _not_for(actor.role, act)
    if facts.duplicate:
        return guards.duplicate(facts)
    step = next((step for step in steps if step.source == facts.status), None)
    if step is None:
        return _not_from(facts.status, act, actor, facts)
    return next((refused for guard in step.guards if (refused := guard(actor, facts))), None)


def find(actor: Actor, facts: Facts, act: str) -> Transition:
    """Return the step that ``act`` is for the actor now; raise `NotPermitted` in words when there is none."""
    refused = refusal(actor, facts, known_act(act))
    if refused is not None:
        raise refused.error()
    return next(step for step in TRANSITIONS if step.act == act and step.source == facts.status)


def allowed(actor: Actor, facts: Facts) -> tuple[str, ...]:
    """Return the acts open to the actor now, the usual next step first."""
    acts = dict.fromkeys(step.act for step in TRANSITIONS if step.source == facts.status)
    return tuple(act for act in acts if refusal(actor, facts, act) is None)


def check_reason(act: str, reason: str) -> None:
    """Raise `InvalidInput` when a needed reason lacks, or a given one is not of the list."""
    needed = REASONS.get(act)
    known = needed or (CHOICE_REASONS if act in {"assign", "reassign"} else {})
    if reason in known or (not reason and needed is None):
        return
    said = "needs a reason" if not reason else f"does not know the reason {reason!r}"
    raise InvalidInput(
        f"{ACT_WORDS[act][0]}: this act {said}.",
        hint=f"Reasons are: {', '.join(known)}." if known else "It takes none.",
        zh=f"{ACT_WORDS[act][1]}：请选择原因。",
    )


def lifecycle_table() -> str:
    """Return the table as Markdown."""
    head = "| Act | 操作 | From | To | Who | Only if | Handle task |\n|---|---|---|---|---|---|---|\n"
    return head + "".join(
        f"| {step.act} | {ACT_WORDS[step.act][1]} | {_status(step.source)} | {_status(step.target)}"
        f" | {', '.join(sorted(ROLE_WORDS[role][0] for role in step.roles))}"
        f" | {'; '.join(GUARD_WORDS[guard] for guard in step.guards) or '–'}"
        f" | {'–' if step.effect is _E.NONE else step.effect.value} |\n"
        for step in TRANSITIONS
    )


def _status(key: str | None) -> str:
    return "–" if key is None else f"{STATUS_WORDS[key][0]} {STATUS_WORDS[key][1]}"


def _for_role(step: Transition, role: Role) -> bool:
    return role is Role.SYSTEM or role in step.roles


def _not_for(role: Role, act: str) -> Refusal:
    english, chinese = ROLE_WORDS[role]
    if act == "close" and role is Role.DISPATCHER:
        return Refusal(
            "As dispatcher you may not close: who dispatches never closes. A supervisor closes the incident.",
            "派遣员不得结案：派遣与结案必须分离。请由监督员结案。",
        )
    steps = [step for step in TRANSITIONS if step.act == act]
    who = sorted({role for step in steps for role in step.roles})
    return Refusal(
        f"As {english} you may not {ACT_WORDS[act][0].lower()}. It is for: "
        f"{', '.join(ROLE_WORDS[each][0] for each in who)}.",
        f"{chinese}不能执行“{ACT_WORDS[act][1]}”，该操作属于：{'、'.join(ROLE_WORDS[each][1] for each in who)}。",
    )


def _not_from(status: str, act: str, actor: Actor, facts: Facts) -> Refusal:
    english, chinese = STATUS_WORDS[status]
    open_acts = allowed(actor, facts)
    way_en = f" Open to you now: {', '.join(ACT_WORDS[each][0].lower() for each in open_acts)}." if open_acts else ""
    way_zh = f"您现在可以：{'、'.join(ACT_WORDS[each][1] for each in open_acts)}。" if open_acts else ""
    return Refusal(
        f"The incident is {english}; from there it cannot go by “{ACT_WORDS[act][0].lower()}”.{way_en}",
        f"案件状态为“{chinese}”，不能执行“{ACT_WORDS[act][1]}”。{way_zh}",
    )
