"""Somebody leaves: all he holds goes to a named person, his accounts close, in one act or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import DataQuality, NotFound
from core.identity import Actor, May, Role, require
from geodata.record import note_event
from people import acting, roles, store_accounts, workers
from people import store_access as access_store
from people import store_handover as store
from people.access_model import ACTING_MOST, AccountRow, RoleRow, RoleState
from people.store_handover import Numbers, WorkerFacts

FOLLOWS_THE_WORKER = frozenset({Role.GRID_WORKER})
"""Roles that need no successor: what a grid worker reaches is the worker's."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who leaves or takes over: an account, a worker, or both."""

    account: AccountRow | None
    worker: WorkerFacts | None

    @property
    def label(self) -> str:
        """Return how the person is called: login, staff number, or both."""
        names = [self.account.login if self.account else "", self.worker.code if self.worker else ""]
        return " / ".join(name for name in names if name)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why it cannot be done like this, in both languages."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What would move, in numbers, and what stands against it.

    Attributes
    ----------
    uncovered
        Own roles of the leaver that the receiver does not reach; they are acted in for 90 days when wanted.
    acting
        Roles of others the leaver acts in now.
    """

    leaver: Party
    receiver: Party | None
    held: Numbers
    absences: int
    standing: int
    own: tuple[RoleRow, ...]
    uncovered: tuple[RoleRow, ...]
    acting: tuple[RoleRow, ...]
    takes_grid: bool
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """What was moved and ended."""

    leaver: str
    receiver: str
    tasks: int
    incidents: int
    drafts: int
    absences: int
    deputies: int
    roles: int
    acting: int
    sessions: int
    grid: str


def party(session: Session, actor: Actor, name: str) -> Party:
    """Return the person of a login or a staff number in the actor's territory.

    Raises
    ------
    NotFound
        When neither is known.
    """
    require(actor, May.MANAGE_USERS)
    home = roles.home_of(actor)
    known = {each.login: each for each in access_store.account_rows(session, home)}
    account = known.get(name.strip().lower())
    if account is not None:
        worker = None if account.worker_id is None else store.worker(session, home, worker_id=account.worker_id)
        return Party(account, worker)
    worker = store.worker(session, home, code=name.strip().upper())
    if worker is None:
        raise NotFound(
            f"There is neither an account nor a worker called {name!r} here.",
            hint="Give a login or a staff number.",
            zh=f"本辖区没有名为 {name} 的账号或网格员。请填写登录名或网格员编号。",
        )
    user_id = store.account_of_worker(session, worker.id)
    return Party(next((each for each in known.values() if each.id == user_id), None), worker)


def preview(
    session: Session,
    actor: Actor,
    leaver: Party,
    receiver: Party | None,
    *,
    today: dt.date,
    take_roles: bool = False,
    leave_grid: bool = False,
    at: dt.datetime | None = None,
) -> Preview:
    """Return what would move from one to the other, and why it cannot where it cannot; nothing is changed."""
    require(actor, May.MANAGE_USERS)
    now, home = at or clock_now(), roles.home_of(actor)
    worker_id = leaver.worker.id if leaver.worker else None
    user_id = leaver.account.id if leaver.account else None
    mine = () if leaver.account is None else leaver.account.roles
    lasting = tuple(each for each in mine if each.state(now) is RoleState.NOW)
    own = tuple(each for each in lasting if each.acting_for is None)
    theirs = () if receiver is None or receiver.account is None else receiver.account.roles_in(RoleState.NOW, now)
    found = Preview(
        leaver=leaver,
        receiver=receiver,
        held=store.held(session, worker_id, user_id),
        absences=0 if worker_id is None else store.absences_stood_in(session, home, worker_id, today),
        standing=0 if user_id is None else store.standing_for(session, home, user_id),
        own=own,
        uncovered=tuple(
            each
            for each in own
            if each.role not in FOLLOWS_THE_WORKER and not any(_covers(has, each) for has in theirs)
        ),
        acting=tuple(each for each in mine if each.acting_for is not None and each.state(now) is not RoleState.ENDED),
        takes_grid=_takes_grid(leaver, receiver),
        obstacles=(),
    )
    against = [
        *_against_both(actor, leaver, receiver),
        *_against_away(session, home, receiver, now),
        *_against_work(session, home, found, today, leave_grid=leave_grid),
    ]
    against += _against_roles(found, take_roles=take_roles) + _against_own_hand(actor, found)
    return Preview(**{**{name: getattr(found, name) for name in Preview.__slots__}, "obstacles": tuple(against)})


def hand_over(
    session: Session,
    actor: Actor,
    leaver: Party,
    receiver: Party | None,
    *,
    today: dt.date,
    take_roles: bool = False,
    leave_grid: bool = False,
    at: dt.datetime | None = None,
) -> Done:
    """Move all that `preview` shows, end the leaver's roles, sessions and employment, close the account.

    Parameters
    ----------
    take_roles
        The receiver acts for 90 days in the roles he does not reach himself.
    leave_grid
        The responsibility grid may be left without a worker; the roster shows the gap.

    Raises
    ------
    DataQuality
        With everything that stands against it; nothing was changed.
    """
    now, home = at or clock_now(), roles.home_of(actor)
    seen = preview(session, actor, leaver, receiver, today=today, take_roles=take_roles, leave_grid=leave_grid, at=now)
    if seen.obstacles:
        raise Refused(seen.obstacles)
    worker, account = leaver.worker, leaver.account
    takes = receiver.worker if receiver else None
    moved = store.hand_over(
        session, worker.id if worker else None, takes.id if takes else None, account.id if account else None
    )
    absences = 0
    if worker is not None:
        absences = store.give_absences(session, home, worker.id, takes.id if takes else None, today)
        if seen.takes_grid and takes is not None and worker.grid_id is not None:
            store.take_grid(session, takes.id, worker.grid_id)
        workers.end_employment(session, actor, home, worker.id, today, version=None, today=today)
    deputies = sessions = 0
    if account is not None:
        deputies, sessions = _close(session, actor, seen, take_roles=take_roles, now=now)
    done = Done(
        leaver=leaver.label,
        receiver=receiver.label if receiver else "",
        tasks=moved.tasks,
        incidents=moved.incidents,
        drafts=moved.drafts,
        absences=absences,
        deputies=deputies,
        roles=len(seen.own),
        acting=len(seen.acting),
        sessions=sessions,
        grid=worker.grid_name if worker and seen.takes_grid else "",
    )
    told = {name: getattr(done, name) for name in Done.__slots__ if name != "leaver"}
    table, subject = ("app_user", account.id) if account else ("worker", worker.id if worker else 0)
    note_event(session, "hand over", table, subject, told)
    return done


class Refused(DataQuality):
    """A handover that cannot be done like this, with every reason."""

    def __init__(self, obstacles: Sequence[Obstacle]) -> None:
        super().__init__(
            "Nothing was handed over.", [each.en for each in obstacles], hint="Mend this, or name somebody else."
        )
        self.zh = "未作任何移交。" + "".join(each.zh for each in obstacles)


def _close(session: Session, actor: Actor, seen: Preview, *, take_roles: bool, now: dt.datetime) -> tuple[int, int]:
    """Give roles of others and deputyships on, end all roles, close the account; return deputyships and sessions."""
    home, account = roles.home_of(actor), seen.leaver.account
    takes = seen.receiver.account if seen.receiver else None
    if account is None:
        return 0, 0
    if takes is not None:
        for role in seen.uncovered if take_roles else ():
            reason = f"{account.login} left"
            acting.act_for(session, actor, takes.id, role.id, from_=now, until=now + ACTING_MOST, reason=reason, at=now)
        for role in seen.acting:
            if role.acting_for == takes.id or role.valid_until is None:
                continue
            access_store.add_role(
                session,
                takes.id,
                home,
                role.role,
                reach=(role.area_ids, role.unit_ids),
                from_=max(now, role.valid_from),
                until=role.valid_until,
                acting_for=role.acting_for,
                reason=role.reason,
            )
    deputies = store.give_deputies(session, home, account.id, takes.id if takes else None)
    store.end_roles(session, home, [each.id for each in (*seen.own, *seen.acting)], now)
    sessions = access_store.revoke_sessions(session, account.id, now)
    access_store.withdraw_codes(session, account.id, now)
    if not store_accounts.accounts_of(session, account.id, now):  # a role in another territory keeps it open
        store.close_account(session, account.id)
    roles.keep_an_administrator(session)
    return deputies, sessions


def _covers(has: RoleRow, wanted: RoleRow) -> bool:
    return (
        has.role is wanted.role
        and set(wanted.area_ids) <= set(has.area_ids)
        and set(wanted.unit_ids) <= set(has.unit_ids)
    )


def _takes_grid(leaver: Party, receiver: Party | None) -> bool:
    if leaver.worker is None or leaver.worker.grid_id is None or receiver is None or receiver.worker is None:
        return False
    return receiver.worker.grid_id is None


def _against_both(actor: Actor, leaver: Party, receiver: Party | None) -> list[Obstacle]:
    found = []
    if leaver.account is not None and leaver.account.id == actor.user_id:
        found.append(Obstacle("You cannot hand over yourself.", "不能由本人移交本人的工作。"))
    if leaver.worker is not None and not leaver.worker.active and (leaver.account is None or not leaver.account.active):
        found.append(Obstacle(f"{leaver.label} has left already.", f"{leaver.label} 已离职。"))
    if receiver is None:
        return found
    same_account = (
        leaver.account is not None and receiver.account is not None and leaver.account.id == receiver.account.id
    )
    same_worker = leaver.worker is not None and receiver.worker is not None and leaver.worker.id == receiver.worker.id
    if same_account or same_worker:
        found.append(Obstacle("Who takes over has to be somebody else.", "接收人不能是离职者本人。"))
    if receiver.account is not None and not receiver.account.active:
        found.append(
            Obstacle(f"The account {receiver.account.login} is closed.", f"账号 {receiver.account.login} 已停用。")
        )
    if receiver.worker is not None and not receiver.worker.active:
        found.append(
            Obstacle(f"{receiver.worker.code} does not work here any more.", f"{receiver.worker.code} 已不在岗。")
        )
    return found


def _against_away(session: Session, home: int, receiver: Party | None, now: dt.datetime) -> list[Obstacle]:
    account = receiver.account if receiver else None
    if account is None:
        return []
    stand_ins = access_store.role_rows(session, home, acting_for=account.id)
    until = [
        each.valid_until for each in stand_ins if each.state(now) is RoleState.NOW and each.valid_until is not None
    ]
    if not until:
        return []
    return [
        Obstacle(
            f"{account.login} is away: somebody acts for this account until {max(until):%d %b %Y}.",
            f"{account.login} 不在岗：其角色由他人代理至 {max(until):%Y-%m-%d}。",
        )
    ]


def _against_work(session: Session, home: int, seen: Preview, today: dt.date, *, leave_grid: bool) -> list[Obstacle]:
    leaver, takes = seen.leaver.worker, seen.receiver.worker if seen.receiver else None
    if leaver is None:
        return []
    found = []
    open_work = max(seen.held.tasks, seen.held.incidents)
    if open_work and takes is None:
        found.append(
            Obstacle(
                f"{leaver.code} holds {open_work} open tasks: name a worker who takes them.",
                f"{leaver.code} 还有 {open_work} 件未完成的任务，须指定接收的网格员。",
            )
        )
    if takes is not None:
        until = store.away_from(session, home, takes.id, today)
        if until is not None:
            found.append(
                Obstacle(
                    f"{takes.code} is away until {until:%d %b %Y}: work would lie there.",
                    f"{takes.code} 缺勤至 {until:%Y-%m-%d}，工作将无人办理。",
                )
            )
        if open_work and takes.unit_id != leaver.unit_id:
            found.append(
                Obstacle(
                    f"{takes.code} works for {takes.unit_name}, the tasks belong to {leaver.unit_name}.",
                    f"{takes.code} 属于 {takes.unit_name}，而任务属于 {leaver.unit_name}。",
                )
            )
    if leaver.grid_id is None or seen.takes_grid or leave_grid:
        return found
    covered = store.others_in_grid(session, leaver.grid_id, leaver.id)
    if not covered and not (takes is not None and takes.grid_id == leaver.grid_id):
        why = ("", "") if takes is None else (f" {takes.code} has a grid already.", f"{takes.code} 已有责任网格。")
        found.append(
            Obstacle(
                f"The responsibility grid {leaver.grid_name} would be left without a worker.{why[0]}",
                f"责任网格 {leaver.grid_name} 将无人负责。{why[1]}",
            )
        )
    return found


def _against_own_hand(actor: Actor, seen: Preview) -> list[Obstacle]:
    takes = seen.receiver.account if seen.receiver else None
    if takes is None or takes.id != actor.user_id or not (seen.uncovered or seen.acting):
        return []
    return [Obstacle("Roles do not come to you by your own hand: name somebody else.", "不能由本人给自己移交角色。")]


def _against_roles(seen: Preview, *, take_roles: bool) -> list[Obstacle]:
    takes = seen.receiver.account if seen.receiver else None
    if not seen.uncovered or seen.receiver is None or (take_roles and takes is not None):
        return []  # without a receiver the roles end with their holder
    names = ", ".join(sorted({each.role.value.replace("_", " ") for each in seen.uncovered}))
    if takes is None:
        return [
            Obstacle(
                f"Who takes over has no account and cannot act as {names}.", "接收人没有账号，不能代理离职者的角色。"
            )
        ]
    return [
        Obstacle(
            f"{takes.login} does not reach what was done as {names}: give the role, or let him act in it for 90 days.",
            f"{takes.login} 的范围不包括离职者的角色：请授予该角色，或由其代理 90 天。",
        )
    ]
