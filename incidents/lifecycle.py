"""The law of an incident's life: one table of allowed transitions; everything else is refused in words.

Pages, commands and the database service ask this table; ``docs/lifecycle.md`` is written from it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.errors import InvalidInput, NotPermitted
from core.identity import Actor, Role

Words = tuple[str, str]
"""English and Chinese."""

STATUS_WORDS: Mapping[str, Words] = {
    "reported": ("reported", "已上报"),
    "filed": ("filed", "已立案"),
    "dispatched": ("dispatched", "已派遣"),
    "handling": ("in work", "处置中"),
    "checking": ("being checked", "核查中"),
    "closed": ("closed", "已结案"),
    "void": ("void", "已作废"),
}
ACT_WORDS: Mapping[str, Words] = {
    "report": ("Report", "上报"),
    "file": ("File", "立案"),
    "dispatch": ("Send to the unit", "派遣到单位"),
    "assign": ("Assign", "派遣到人"),
    "reassign": ("Assign anew", "改派"),
    "accept": ("Accept", "接受任务"),
    "start": ("Start", "开始处置"),
    "finish": ("Finish", "完成处置"),
    "return": ("Return", "退回"),
    "rework": ("Send back for rework", "退回返工"),
    "close": ("Close the incident", "结案"),
    "void": ("Void", "作废"),
}
DONE_WORDS: Mapping[str, Words] = {
    "report": ("reported it", "上报"),
    "file": ("filed it", "立案"),
    "dispatch": ("sent it to the unit", "派遣到单位"),
    "assign": ("assigned it", "派遣到人"),
    "reassign": ("assigned it anew", "改派"),
    "accept": ("accepted it", "接受任务"),
    "start": ("started on it", "开始处置"),
    "finish": ("finished it", "完成处置"),
    "return": ("returned it", "退回"),
    "rework": ("sent it back for rework", "退回返工"),
    "close": ("closed it", "结案"),
    "void": ("made it void", "作废"),
}
REASONS: Mapping[str, Mapping[str, Words]] = {
    "return": {
        "wrong_department": ("Not the work of this unit", "不属本单位职责"),
        "wrong_place": ("The place is wrong", "地点有误"),
        "needs_others": ("Other units are needed too", "需其他单位配合"),
        "not_safe": ("Not safe to do alone", "单人处置不安全"),
    },
    "rework": {
        "not_solved": ("Not solved", "问题未解决"),
        "partly_solved": ("Only partly solved", "只解决了一部分"),
        "came_back": ("It came back at once", "问题随即复发"),
    },
    "void": {
        "not_found": ("Nothing was found there", "现场未发现"),
        "duplicate": ("Reported already", "重复上报"),
        "not_ours": ("Not a matter of the city", "不属城市管理事项"),
        "trial": ("Only a trial", "测试数据"),
    },
}
"""Why, for acts that need a reason; keys, so that the record never holds free text about persons."""
CHOICE_REASONS: Mapping[str, Words] = {
    "proposed": ("As proposed", "按系统建议"),
    "knows_place": ("Knows the place", "熟悉现场"),
    "skill": ("Has the skill", "具备技能"),
    "workload": ("Has less to do", "任务较少"),
    "other": ("Other reason", "其他原因"),
}
"""Why this worker, for assign and reassign; may be left out."""


class TaskEffect(enum.StrEnum):
    """What an act does to the live handle task of the incident."""

    NONE = "none"
    MAKE = "made"
    REPLACE = "cancelled, a new one made"
    ACCEPT = "accepted"
    START = "started"
    FINISH = "done"
    RETURN = "returned"
    REOPEN = "last one opened again"
    CANCEL = "cancelled"


@dataclass(frozen=True, slots=True)
class LiveTask:
    """The handle task somebody still has to do."""

    unit_id: int | None
    worker_id: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the guards look at.

    Attributes
    ----------
    live
        The live handle task; None when there is none.
    handed_out_by
        Users who gave out a handle task of the incident, at any time; None in it stands for a process.
    """

    status: str
    live: LiveTask | None = None
    handed_out_by: frozenset[int | None] = frozenset()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an act is refused, and the way out, in both languages."""

    en: str
    zh: str

    def error(self) -> NotPermitted:
        """Return the refusal as an error."""
        return NotPermitted(self.en, zh=self.zh)


Guard = Callable[[Actor, Facts], Refusal | None]


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed step; ``source`` None begins an incident."""

    act: str
    source: str | None
    target: str
    roles: frozenset[Role]
    effect: TaskEffect = TaskEffect.NONE
    guards: tuple[Guard, ...] = ()


def own_task(actor: Actor, facts: Facts) -> Refusal | None:
    """Refuse a worker on a task that is not the own, a handler on one of another unit."""
    if actor.role is Role.SYSTEM:
        return None
    live = facts.live
    if live is None:
        return Refusal("There is no task to work on; it must be assigned first.", "没有可办理的任务，须先派遣。")
    if actor.role is Role.GRID_WORKER and (live.worker_id is None or live.worker_id != actor.worker_id):
        return Refusal("This task is not yours: another worker has it.", "该任务不属于您，由其他网格员承办。")
    if actor.role is Role.HANDLER and live.unit_id not in actor.unit_ids:
        return Refusal("This task belongs to another unit.", "该任务属于其他单位。")
    return None


def not_begun(actor: Actor, facts: Facts) -> Refusal | None:  # noqa: ARG001  (the shape of a guard)
    """Refuse when the task is accepted already."""
    if facts.live is not None and facts.live.state != "waiting":
        return Refusal("The task is accepted already.", "任务已被接受。")
    return None


def other_hand(actor: Actor, facts: Facts) -> Refusal | None:
    """Refuse who ever gave the incident out; all processes count as one hand."""
    if actor.user_id not in facts.handed_out_by:
        return None
    if actor.user_id is None:
        return Refusal(
            "The command line gave this incident out, so it does not close it. Name who closes it with --as.",
            "该案件由命令行派遣，不得由其结案。请用 --as 指明结案人。",
        )
    return Refusal(
        "You dispatched this incident, so you may not close it. Another supervisor closes it.",
        "该案件由您派遣，您不得结案，请由其他监督员结案。",
    )


_GUARD_WORDS: Mapping[Guard, str] = {
    own_task: "the task is the actor's own (worker) or of the own unit (handler)",
    not_begun: "the task is not accepted yet",
    other_hand: "the actor never gave this incident out",
}
_SUPERVISOR = frozenset({Role.SUPERVISOR})
_DISPATCHER = frozenset({Role.DISPATCHER})
_DOERS = frozenset({Role.GRID_WORKER, Role.HANDLER})
_E = TaskEffect

TRANSITIONS: tuple[Transition, ...] = (
    Transition("report", None, "filed", frozenset({Role.SUPERVISOR, Role.GRID_WORKER})),
    Transition("report", None, "reported", frozenset({Role.DISPATCHER, Role.GRID_MANAGER})),
    Transition("file", "reported", "filed", _SUPERVISOR),
    Transition("assign", "filed", "dispatched", _DISPATCHER, _E.MAKE),
    Transition("dispatch", "filed", "dispatched", _DISPATCHER, _E.MAKE),
    Transition("start", "dispatched", "handling", _DOERS, _E.START, (own_task,)),
    Transition("accept", "dispatched", "dispatched", _DOERS, _E.ACCEPT, (own_task, not_begun)),
    Transition("finish", "handling", "checking", _DOERS, _E.FINISH, (own_task,)),
    Transition("finish", "dispatched", "checking", _DOERS, _E.FINISH, (own_task,)),
    Transition("return", "dispatched", "filed", _DOERS, _E.RETURN, (own_task,)),
    Transition("return", "handling", "filed", _DOERS, _E.RETURN, (own_task,)),
    Transition("reassign", "dispatched", "dispatched", _DISPATCHER, _E.REPLACE),
    Transition("reassign", "handling", "dispatched", _DISPATCHER, _E.REPLACE),
    Transition("close", "checking", "closed", _SUPERVISOR, _E.CANCEL, (other_hand,)),
    Transition("rework", "checking", "handling", _SUPERVISOR, _E.REOPEN),
    Transition("void", "reported", "void", _SUPERVISOR, _E.CANCEL),
    Transition("void", "filed", "void", _SUPERVISOR, _E.CANCEL),
    Transition("void", "dispatched", "void", _SUPERVISOR, _E.CANCEL),
)
"""All there is; in the order in which a page offers the acts, the usual next step first."""

ACTS = tuple(dict.fromkeys(step.act for step in TRANSITIONS if step.source is not None))
"""Acts on an incident that exists."""

_ROLE_WORDS: Mapping[Role, Words] = {
    Role.GRID_WORKER: ("grid worker", "网格员"),
    Role.GRID_MANAGER: ("grid manager", "网格长"),
    Role.HANDLER: ("department handler", "处置人员"),
    Role.DISPATCHER: ("dispatcher", "派遣员"),
    Role.SUPERVISOR: ("supervisor", "监督员"),
    Role.PLANNER: ("planner", "规划师"),
    Role.AUDITOR: ("auditor", "审计员"),
    Role.ADMINISTRATOR: ("administrator", "系统管理员"),
    Role.SYSTEM: ("system", "系统"),
}


def first_status(actor: Actor) -> str:
    """Return the status in which a report of the actor begins; refuse who may not report."""
    if actor.role is Role.SYSTEM:
        return "filed"
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
        f" | {', '.join(sorted(_ROLE_WORDS[role][0] for role in step.roles))}"
        f" | {'; '.join(_GUARD_WORDS[guard] for guard in step.guards) or '–'}"
        f" | {'–' if step.effect is _E.NONE else step.effect.value} |\n"
        for step in TRANSITIONS
    )


def _status(key: str | None) -> str:
    return "–" if key is None else f"{STATUS_WORDS[key][0]} {STATUS_WORDS[key][1]}"


def _for_role(step: Transition, role: Role) -> bool:
    return role is Role.SYSTEM or role in step.roles


def _not_for(role: Role, act: str) -> Refusal:
    english, chinese = _ROLE_WORDS[role]
    if act == "close" and role is Role.DISPATCHER:
        return Refusal(
            "As dispatcher you may not close: who dispatches never closes. A supervisor closes the incident.",
            "派遣员不得结案：派遣与结案必须分离。请由监督员结案。",
        )
    steps = [step for step in TRANSITIONS if step.act == act]
    who = sorted({role for step in steps for role in step.roles})
    return Refusal(
        f"As {english} you may not {ACT_WORDS[act][0].lower()}. It is for: "
        f"{', '.join(_ROLE_WORDS[each][0] for each in who)}.",
        f"{chinese}不能执行“{ACT_WORDS[act][1]}”，该操作属于：{'、'.join(_ROLE_WORDS[each][1] for each in who)}。",
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
