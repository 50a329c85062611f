"""The rules of accountability against a plain second telling of each, and against themselves in portions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from itertools import accumulate
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from insight.accountability import READ_REPORTER, Account, Act, Context, Finding, Threshold, Thresholds, same_persons
from insight.accountability_rules import Standing, breaches, of_incident, of_person, one_a_key

ZONE = ZoneInfo("Asia/Shanghai")
BEGIN = dt.datetime(2026, 3, 1, 15, 30, tzinfo=dt.UTC)  # half an hour before a local midnight
STATUSES = ("filed", "dispatched", "handling", "checking", "closed", "void")
FEW = {"bulk_export": (30, 40), "many_voids": (3, 50), "many_extensions": (3, 50), "hasty_closing": (3, 20)}
LIMITS = {**FEW, "reopened": (2, None), "backdated": (None, 30), "identity_unused": (None, 45), "off_duty": (2, 10)}
CONTEXT = Context(
    ZONE,
    Thresholds(tuple(Threshold(rule, BEGIN - dt.timedelta(days=1), *held) for rule, held in LIMITS.items())),
    same={1: 1, 2: 1, 3: 3, 4: 4},
    worker_of={4: 40},
    shifts=lambda _worker, _moment: [(int(BEGIN.timestamp()), int(BEGIN.timestamp()) + 3600)],
    demanded=lambda class_id, _moment: frozenset({"after"}) if class_id == 7 else frozenset(),
)
USERS = st.sampled_from([None, 1, 2, 3, 4])


@st.composite
def acts_of_one_incident(draw: st.DrawFn) -> list[Act]:
    """Whatever people may do to one incident, its task and its reporter, allowed or not."""
    made: list[Act] = []
    status, task, at = "filed", "waiting", BEGIN
    for seq in range(1, draw(st.integers(1, 14)) + 1):
        at += dt.timedelta(minutes=draw(st.integers(0, 60)))
        user, kind = draw(USERS), draw(st.sampled_from(["status", "status", "status", "task", "read", "evidence"]))
        role = "system" if user is None else draw(st.sampled_from(["supervisor", "grid_worker"]))
        told = (seq, at, user, role)
        if kind == "read":
            made.append(Act(*told, READ_REPORTER, "incident", "1", None, {}))
        elif kind == "evidence":
            after = {"kind": draw(st.sampled_from(["before", "after"])), "round": draw(st.integers(0, 1))}
            made.append(Act(*told, "insert", "evidence", str(seq), None, after))
        elif kind == "task":
            new = draw(st.sampled_from(["waiting", "started", "done"]))
            of = draw(st.sampled_from(["handle", "check"]))
            first = draw(st.booleans())
            before = None if first else {"kind": of, "state": task}
            made.append(Act(*told, "insert" if first else "update", "task", "5", before, {"kind": of, "state": new}))
            task = new
        else:
            new = draw(st.sampled_from(STATUSES))
            back = draw(st.integers(0, 90))
            written = (at - dt.timedelta(minutes=back)).isoformat()
            after = {
                "status": new, "class_id": draw(st.sampled_from([7, 8])), "reworks": draw(st.integers(0, 1)),
                "handled_at": draw(st.sampled_from([None, written])), "self_handled": draw(st.booleans()),
            }  # fmt: skip
            command = draw(st.sampled_from([None, "c1"]))
            made.append(Act(*told, "update", "incident", "1", {"status": status}, after, command))
            status = new
    return made


@st.composite
def acts_of_one_person(draw: st.DrawFn) -> list[Act]:
    """What one worker does in a day or two: closes, voids, grants, takes out."""
    made: list[Act] = []
    at = BEGIN
    for seq in range(1, draw(st.integers(1, 25)) + 1):
        at += dt.timedelta(minutes=draw(st.integers(0, 30)))
        kind = draw(st.sampled_from(["closed", "void", "granted", "export"]))
        told = (seq, at, 4, "grid_worker")
        if kind == "export":
            rows = draw(st.sampled_from([None, 0, 5, 20]))
            made.append(Act(*told, "export", "worker", "1", None, {"rows": rows}))
        elif kind == "granted":
            states = ({"state": "waiting"}, {"state": "granted"})
            made.append(Act(*told, "update", "extension_request", str(seq), *states))
        else:
            states = ({"status": "filed"}, {"status": kind})
            made.append(Act(*told, "update", "incident", str(seq), *states, draw(st.sampled_from([None, "c1", "c2"]))))
    return made


def keys(findings: Sequence[Finding]) -> set[tuple[str, str, tuple[int, ...]]]:
    return {(each.rule, each.key, each.seqs) for each in findings}


def after(act: Act, name: str) -> object:
    return (act.after or {}).get(name)


def before(act: Act, name: str) -> object:
    return (act.before or {}).get(name)


def turned(act: Act, name: str, to: str) -> bool:
    return after(act, name) == to != before(act, name)


def same(one: Act, two: Act) -> bool:
    groups = {1: "a", 2: "a", 3: "b", 4: "c"}
    return one.user_id is not None and two.user_id is not None and groups[one.user_id] == groups[two.user_id]


def told_of_reading(late: Act, acts: Sequence[Act], moment: dt.datetime) -> set[tuple[str, str]]:
    """Return the findings in one reading of who reported."""
    found: set[tuple[str, str]] = set()
    if late.action == READ_REPORTER:
        end = late.at + dt.timedelta(minutes=45)
        if moment >= end and not any(
            each.seq > late.seq and each.at <= end and same(each, late) and each.action != READ_REPORTER
            for each in acts
        ):
            found.add(("identity_unused", f"1:{late.seq}"))
        on_shift = late.at <= BEGIN + dt.timedelta(hours=1)
        if late.user_id == 4 and not on_shift:
            found.add(("identity_off_hours", f"1:{late.seq}"))
    return found


def told_backdated(people: Sequence[Act]) -> set[tuple[str, str]]:
    """Return the first act of each command that set a time back."""
    done: set[str] = set()
    found: set[tuple[str, str]] = set()
    for act in people:
        written = after(act, "handled_at")
        far = isinstance(written, str) and act.at - dt.datetime.fromisoformat(written) > dt.timedelta(minutes=30)
        if act.table == "incident" and far and (act.command_id or str(act.seq)) not in done:
            done.add(act.command_id or str(act.seq))
            found.add(("backdated", f"1:{act.seq}"))
    return found


def told_of_incident(acts: Sequence[Act], moment: dt.datetime) -> set[tuple[str, str]]:
    """Return rule and key of each finding, by looking at every pair of acts."""
    found: set[tuple[str, str]] = set()
    people = [act for act in acts if act.user_id is not None and act.role != "system"]
    for late in people:
        closes = late.table == "incident" and turned(late, "status", "closed")
        back = late.table == "incident" and before(late, "status") == "checking"
        verifies = (back and (closes or turned(late, "status", "handling"))) or (
            late.table == "task" and after(late, "kind") == "check" and turned(late, "state", "done")
        )
        for early in people:
            if early.seq >= late.seq or not same(early, late):
                continue
            handle = early.table == "task" and after(early, "kind") == "handle"
            sent = (handle and early.action == "insert") or (
                early.table == "incident" and turned(early, "status", "dispatched")
            )
            if (closes and sent) or (verifies and handle and turned(early, "state", "done")):
                found.add(("self_close", f"1:{late.seq}"))
        if closes:
            shown = any(
                each.table == "evidence" and after(each, "kind") == "after" and each.at <= late.at
                and after(each, "round") == after(late, "reworks")
                for each in acts
            )  # fmt: skip
            if after(late, "class_id") == 7 and not shown:
                found.add(("no_evidence", f"1:{late.seq}"))
        if closes and not after(late, "self_handled") and after(late, "handled_at") is None:
            found.add(("no_evidence", f"1:{late.seq}"))
        found |= told_of_reading(late, acts, moment)
    found |= told_backdated(people)
    opened = [a for a in acts if a.table == "incident" and before(a, "status") == "closed" != after(a, "status")]
    if len(opened) >= 2:
        found.add(("reopened", "1"))
    return found


def told_of_person(
    rule: str, wanted: Callable[[Act], bool], weight: Callable[[Act], int], acts: Sequence[Act]
) -> object:
    """Return key and rows of the first crossing of each local day, summing the whole window anew for every act."""
    least, minutes = FEW[rule]
    chosen = [act for act in acts if wanted(act)]
    found: dict[str, tuple[int, ...]] = {}
    for place, act in enumerate(chosen):
        inside = [each for each in chosen[: place + 1] if each.at > act.at - dt.timedelta(minutes=minutes)]
        day = act.at.astimezone(ZONE).date().isoformat()
        if sum(map(weight, inside)) >= least:
            found.setdefault(f"4:{day}", tuple(each.seq for each in inside))
    return {(rule, key, seqs) for key, seqs in found.items()}


@settings(max_examples=60)
@given(acts_of_one_incident())
def test_the_rules_of_an_incident_say_what_the_plain_telling_says(acts: list[Act]) -> None:
    moment = acts[-1].at + dt.timedelta(minutes=20)
    found = of_incident("1", acts, CONTEXT, moment)
    assert {(each.rule, each.key) for each in found} == told_of_incident(acts, moment)
    assert len({(each.rule, each.key) for each in found}) == len(found)
    assert all(set(each.seqs) <= {act.seq for act in acts} for each in found)
    assert keys(of_incident("1", acts[::-1], CONTEXT, moment)) == keys(found)


@settings(max_examples=60)
@given(acts_of_one_person())
def test_the_rules_of_a_person_say_what_the_plain_telling_says(acts: list[Act]) -> None:
    found = keys([each for each in of_person(4, acts, CONTEXT) if each.rule != "off_duty"])
    plain: set[object] = set()
    for rule, wanted, weight in (
        ("bulk_export", lambda a: a.action == "export", lambda a: max(1, after(a, "rows") or 0)),
        ("many_voids", lambda a: turned(a, "status", "void"), lambda _: 1),
        ("many_extensions", lambda a: turned(a, "state", "granted"), lambda _: 1),
        ("hasty_closing", lambda a: turned(a, "status", "closed"), lambda _: 1),
    ):
        plain |= told_of_person(rule, wanted, weight, acts)  # type: ignore[arg-type]
    assert found == plain
    off = [a for a in acts if a.table != "worker" and a.at > BEGIN + dt.timedelta(minutes=70)]
    days = {a.at.astimezone(ZONE).date().isoformat() for a in off}
    commands = {day: {a.command_id or a.seq for a in off if CONTEXT.day(a.at) == day} for day in days}
    plain_days = {day for day, held in commands.items() if len(held) >= 2}
    assert {each.key for each in of_person(4, acts, CONTEXT) if each.rule == "off_duty"} == {
        f"4:{d}" for d in plain_days
    }


@settings(max_examples=40)
@given(acts_of_one_incident(), acts_of_one_person())
def test_going_on_in_portions_comes_to_the_same_as_all_at_once(one: list[Act], other: list[Act]) -> None:
    opened: dict[tuple[str, str], tuple[int, ...]] = {}
    for held in accumulate(([act] for act in one), lambda a, b: a + b):
        for each in of_incident("1", held, CONTEXT, held[-1].at):
            if each.rule != "backdated":  # a command is one transaction, read whole or not at all
                assert opened.setdefault((each.rule, each.key), each.seqs) == each.seqs
    for held in accumulate(([act] for act in other), lambda a, b: a + b):
        for each in of_person(4, held, CONTEXT):
            assert opened.setdefault((each.rule, each.key), each.seqs) == each.seqs
    whole = [*of_incident("1", one, CONTEXT, one[-1].at), *of_person(4, other, CONTEXT)]
    assert opened == {(each.rule, each.key): each.seqs for each in whole if each.rule != "backdated"}
    assert keys(one_a_key([*whole, *whole])) == keys(whole)


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)), max_size=10))
def test_accounts_are_one_person_when_a_chain_of_links_joins_them(rows: list[tuple[int, int, int, int]]) -> None:
    held = [Account(user, worker or None, person or None, str(phone)) for user, worker, person, phone in rows]
    found = same_persons(held)
    groups = {each.user_id: {each.user_id} for each in held}
    for _ in held:
        for one in held:
            for two in held:
                if one.worker_id == two.worker_id or one.person_id == two.person_id or one.phone == two.phone:
                    joined = groups[one.user_id] | groups[two.user_id]
                    groups.update(dict.fromkeys(joined, joined))
    assert found == {user: min(group) for user, group in groups.items()}


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.booleans()), min_size=1, max_size=6))
def test_a_breach_is_a_deadline_that_passes_while_it_stands(rows: list[tuple[int, int, bool]]) -> None:
    ordered = sorted(rows, key=lambda row: row[0])
    told = [
        Standing(BEGIN + dt.timedelta(minutes=at), BEGIN + dt.timedelta(minutes=due), on) for at, due, on in ordered
    ]
    plain = set()
    for minute in range(51):
        moment = BEGIN + dt.timedelta(minutes=minute)
        standing = [each for each in told if each.at <= moment]
        if standing and standing[-1].open and standing[-1].due_at == moment:
            plain.add(moment)
    assert set(breaches(told)) == plain
