"""What the lifecycle asks before an act: the facts of the incident, and the guards that look at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.errors import NotPermitted
from core.identity import Actor, Role
from incidents.evidence_rules import in_words

REOPEN_DAYS = 15
"""A closed incident may be opened again within so many days; after that it is a new report."""
OWN_SOURCES = ("patrol", "app")
"""What a worker found himself."""
PUBLIC_SOURCES = ("hotline", "web", "media")
"""What the public reported: looked at on site before it is filed, unless it is an emergency."""
SIMPLE_FROM = 3
"""A worker handles on the spot what has this priority number or a higher one."""


@dataclass(frozen=True, slots=True)
class LiveTask:
    """A task somebody still has to do."""

    unit_id: int | None
    worker_id: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the guards look at.

    Attributes
    ----------
    live
        The live handle task of who leads; None when there is none.
    handed_out_by
        Users who gave out a handle task of the incident, at any time; None in it stands for a process.
    helpers
        Live parts of a joint handling: of other units, and of workers who come along.
    handled_by
        Users who ever finished a handle task of the incident.
    handling_workers
        Workers whose handle task of the incident was ever done.
    verify, check
        The live task of that kind; None when there is none.
    asked_by
        Who asked for more time and waits for an answer; empty when nobody does.
    postponed
        Whether the incident is postponed now.
    closed_days
        Days since it was closed; None while it is not.
    own_find
        Who found it himself and may have settled it on the spot; None when that is nobody.
    unsampled
        Whether a worker closed it on the spot and nobody has looked at that yet.
    lacking
        Kinds of evidence that its class demands and that are not there.
    duplicate
        Whether it follows another incident: then nothing is done to it by itself.
    """

    status: str
    live: LiveTask | None = None
    handed_out_by: frozenset[int | None] = frozenset()
    helpers: tuple[LiveTask, ...] = ()
    handled_by: frozenset[int] = frozenset()
    handling_workers: frozenset[int] = frozenset()
    verify: LiveTask | None = None
    check: LiveTask | None = None
    asked_by: frozenset[int | None] = frozenset()
    emergency: bool = False
    postponed: bool = False
    closed_days: float | None = None
    own_find: int | None = None
    unsampled: bool = False
    closed_by: int | None = None
    lacking: tuple[str, ...] = ()
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an act is refused, and the way out, in both languages."""

    en: str
    zh: str

    def error(self) -> NotPermitted:
        """Return the refusal as an error."""
        return NotPermitted(self.en, zh=self.zh)


Guard = Callable[[Actor, Facts], Refusal | None]


def duplicate(facts: Facts) -> Refusal | None:
    """Refuse every act on what follows another incident."""
    if not facts.duplicate:
        return None
    return Refusal(
        "It is a duplicate and follows the first report; act on that one.",
        "本案为重复上报，随首次上报的案件办理，请在首次上报的案件上操作。",
    )


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


def own_part(actor: Actor, facts: Facts) -> Refusal | None:
    """Refuse who has no part in a joint handling."""
    if any(is_own(actor, part.unit_id, part.worker_id) for part in facts.helpers):
        return None
    if actor.role is Role.GRID_WORKER:
        return Refusal(
            "You have no open part in this incident: it is done, was taken back, or ended with who leads.",
            "您在该案件中没有未完成的协办任务：已完成、已撤回，或已随主办人结束。",
        )
    return Refusal("Your unit has no open part in this incident.", "贵单位在该案件中没有未完成的协办任务。")


def called_in(actor: Actor, facts: Facts) -> Refusal | None:  # noqa: ARG001  (the shape of a guard)
    """Refuse to take back where nobody was called in, or all of them have ended their part."""
    if facts.helpers:
        return None
    return Refusal("Nobody who was called in is at work on it.", "没有未完成的协办任务。")


def is_own(actor: Actor, unit_id: int | None, worker_id: int | None) -> bool:
    """Return whether a part of a joint handling is the actor's: a worker's by his name, a handler's by his unit."""
    if actor.role is Role.GRID_WORKER:
        return worker_id is not None and worker_id == actor.worker_id
    return actor.role is Role.SYSTEM or (worker_id is None and unit_id in actor.unit_ids)


def parts_done(actor: Actor, facts: Facts) -> Refusal | None:  # noqa: ARG001  (the shape of a guard)
    """Refuse while another unit of a joint handling is at work; parts of workers end with the lead's task."""
    if all(part.worker_id is not None for part in facts.helpers):
        return None
    return Refusal(
        "Other units are still at work on it; it goes on when all have finished or returned their part.",
        "尚有协办单位未完成，须待各单位完成或退回协办任务。",
    )


def evidence_there(actor: Actor, facts: Facts) -> Refusal | None:  # noqa: ARG001  (the shape of a guard)
    """Refuse to finish or to settle on the spot while evidence that the class demands lacks."""
    if not facts.lacking:
        return None
    english, chinese = in_words(facts.lacking)
    return Refusal(
        f"This class of incident needs evidence that is not there yet: {english}. Add it under Evidence.",
        f"该类案件须附取证材料，尚缺：{chinese}。请在“取证材料”中补充。",
    )


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


def not_own_handling(actor: Actor, facts: Facts) -> Refusal | None:
    """Refuse who ever handled the incident, whatever role he acts in now."""
    if actor.user_id in facts.handled_by or (
        actor.worker_id is not None and actor.role is Role.GRID_WORKER and actor.worker_id in facts.handling_workers
    ):
        return Refusal(
            "You handled this incident, so you may not verify it. Somebody else does.",
            "该案件由您处置，您不得核查，请由他人核查。",
        )
    return None


def verified(actor: Actor, facts: Facts) -> Refusal | None:  # noqa: ARG001  (the shape of a guard)
    """Refuse while somebody still has to look at the report on site; an emergency does not wait."""
    if facts.verify is None or facts.emergency:
        return None
    return Refusal(
        "A worker still has to verify this report on site; it is filed after that, or made void.",
        "该上报尚待网格员现场核实，核实后方可立案，或予以作废。",
    )


def own_verify(actor: Actor, facts: Facts) -> Refusal | None:
    """Refuse who was not sent to verify."""
    return _sent(actor, facts.verify)


def own_check(actor: Actor, facts: Facts) -> Refusal | None:
    """Refuse who was not sent to check."""
    return _sent(actor, facts.check)


def asked(actor: Actor, facts: Facts) -> Refusal | None:
    """Refuse when nobody asked for more time, and who asked himself."""
    if not facts.asked_by:
        return Refusal("Nobody asks for more time.", "没有待批的延期申请。")
    if actor.user_id is not None and actor.user_id in facts.asked_by:
        return Refusal("You asked for more time yourself; somebody else decides.", "延期由您本人申请，须由他人审批。")
    return None


def not_asked(actor: Actor, facts: Facts) -> Refusal | None:  # noqa: ARG001  (the shape of a guard)
    """Refuse a second request while one waits."""
    return Refusal("More time is asked for already.", "已有待批的延期申请。") if facts.asked_by else None


def postponed(actor: Actor, facts: Facts) -> Refusal | None:  # noqa: ARG001  (the shape of a guard)
    """Refuse to resume what is not postponed."""
    return None if facts.postponed else Refusal("The incident is not postponed.", "案件未缓办。")


def not_postponed(actor: Actor, facts: Facts) -> Refusal | None:  # noqa: ARG001  (the shape of a guard)
    """Refuse to postpone twice."""
    return Refusal("The incident is postponed already.", "案件已缓办。") if facts.postponed else None


def closed_lately(actor: Actor, facts: Facts) -> Refusal | None:  # noqa: ARG001  (the shape of a guard)
    """Refuse to reopen what was closed long ago."""
    if facts.closed_days is not None and facts.closed_days <= REOPEN_DAYS:
        return None
    return Refusal(
        f"It was closed more than {REOPEN_DAYS} days ago; report it anew.",
        f"结案已超过 {REOPEN_DAYS} 天，请重新上报。",
    )


def own_find(actor: Actor, facts: Facts) -> Refusal | None:
    """Refuse a worker to settle what he did not find himself, or what is not simple."""
    if actor.role is Role.SYSTEM or (actor.user_id is not None and facts.own_find == actor.user_id):
        return None
    return Refusal(
        "Only a simple finding of your own is settled on the spot.", "仅限本人巡查发现的简易问题可自行处置。"
    )


def unsampled(actor: Actor, facts: Facts) -> Refusal | None:
    """Refuse to sample what nobody settled on the spot, what was sampled, and the own."""
    if not facts.unsampled:
        return Refusal("There is nothing to sample here.", "该案件无需抽查。")
    if actor.user_id is not None and actor.user_id == facts.closed_by:
        return Refusal("You settled it yourself; somebody else samples it.", "该案件由您自行处置，须由他人抽查。")
    return None


def _sent(actor: Actor, task: LiveTask | None) -> Refusal | None:
    if task is None:
        return Refusal("Nobody was sent to look at it.", "没有现场任务。")
    if actor.role is not Role.SYSTEM and (task.worker_id is None or task.worker_id != actor.worker_id):
        return Refusal("Another worker was sent to look at it.", "该现场任务由其他网格员承办。")
    return None


GUARD_WORDS: Mapping[Guard, str] = {
    own_task: "the task is the actor's own (worker) or of the own unit (handler)",
    own_part: "the unit or worker was called in, and the part is open",
    called_in: "somebody was called in, and the part is open",
    parts_done: "no other unit is still at work",
    evidence_there: "the evidence that the class demands is there",
    not_begun: "the task is not accepted yet",
    other_hand: "the actor never gave this incident out",
    not_own_handling: "the actor never handled it, in whatever role",
    verified: "no verification on site is open, or it is an emergency",
    own_verify: "the actor was sent to verify it",
    own_check: "the actor was sent to check it",
    asked: "somebody else asked for more time",
    not_asked: "no request for more time waits",
    postponed: "it is postponed",
    not_postponed: "it is not postponed",
    closed_lately: f"it was closed at most {REOPEN_DAYS} days ago",
    own_find: f"the actor found it himself, it is no emergency, and its priority is {SIMPLE_FROM} or lower",
    unsampled: "it was settled on the spot by somebody else and not sampled yet",
}
