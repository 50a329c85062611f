"""The reasons: numbers add up to the cost of the plan, and the binding one is named in both languages."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import re
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotFound
from dispatch import plan_kernels, plan_moves, plan_search, standing_words
from dispatch.explain import explain
from dispatch.filing import open_filing
from dispatch.plan import solve
from dispatch.plan_model import Commitment, Problem, Stop, Task, Weights, Worker
from dispatch.plan_moves import KERNELS
from dispatch.plan_search import MOVES
from dispatch.plan_words import TERM_WORDS, WORDS, listed, reason
from tests.dispatch_tables import plain_cost, problem_of

ROUNDS = Stop(seconds=60, rounds=40)


def crew(*workers: Worker, tasks: list[Task], minute: float = 60.0, weights: Weights | None = None) -> Problem:
    """Everything is a minute from everything, one's own place included."""
    places = len(workers) + len(tasks)
    ways = np.full((places, places), minute, np.float32)
    np.fill_diagonal(ways, 0)
    return Problem(tasks, workers, ways, weights or Weights())


@hypothesis.settings(max_examples=60, deadline=None)
@given(st.integers(0, 1_000_000))
def test_a_choice_costs_what_the_plan_costs_more_with_it(number: int) -> None:
    problem = problem_of(number, 6)
    result = solve(problem, ROUNDS, 1)
    for route in result.routes.values():
        for task in route:
            told = explain(problem, result.routes, task, named=9)
            assert told.chosen is not None
            without = {who: [each for each in tasks if each != task] for who, tasks in result.routes.items()}
            bound = any(each.task == task for worker in problem.workers for each in worker.commitments)
            for choice in (told.chosen, *told.others):
                if not math.isfinite(choice.cost_s):
                    continue  # without the task no way leads on to the next
                assert choice.cost_s == pytest.approx(sum(choice.terms.values()), abs=1e-6)
                if bound:
                    continue
                rest = without[choice.worker]
                place = rest.index(choice.follows) + 1 if choice.follows is not None else 0
                having = without | {choice.worker: [*rest[:place], task, *rest[place:]]}
                costs = [plain_cost(problem, routes) for routes in (having, without)]
                if None not in costs:
                    prize = next(
                        cost for cost in [plain_cost(problem, without)] if cost is not None
                    ) - _cost_without_prize(problem, without, task)
                    assert choice.cost_s == pytest.approx(costs[0] - costs[1] + prize, abs=0.05)
            everybody = {told.chosen.worker, *(each.worker for each in told.others), *told.rejected}
            assert everybody >= {worker.id for worker in problem.workers if worker.id not in result.left_out}


def _cost_without_prize(problem: Problem, routes: dict, task: str) -> float:
    tasks = [dataclasses.replace(each, prize_s=0.0) if each.id == task else each for each in problem.tasks]
    cost = plain_cost(dataclasses.replace(problem, tasks=tasks), routes)
    assert cost is not None
    return cost


def test_a_breach_elsewhere_is_named_with_its_incident() -> None:
    near, far = Worker("near", skills=frozenset("s")), Worker("far", skills=frozenset("s"))
    tasks = [Task("new", 1800.0, 0, due_s=900.0), Task("4417", 60.0, 0, due_s=60.0, pinned=frozenset(["near"]))]
    problem = crew(near, far, tasks=tasks)
    problem.travel_s[1, 2] = 300.0
    told = explain(problem, {"near": ["4417"], "far": ["new"]}, "new")
    assert told.chosen is not None
    assert told.chosen.worker == "far"
    assert told.others[0].worker == "near"
    # after 4417 nothing is late; before it, 4417 would be
    tasks[0] = dataclasses.replace(tasks[0], due_s=60.0)
    told = explain(crew(near, far, tasks=tasks), {"near": ["4417"], "far": ["new"]}, "new")
    why = told.others[0].against
    assert why is not None
    assert why.kind in {"late_there", "late_here"}
    assert "min late at" in why.en
    assert "超期" in why.zh


def test_each_limit_has_its_reason() -> None:
    tasks = [
        Task("t", 600.0, skills=frozenset(["gas"]), size=2.0, excluded=frozenset(["barred"])),
        Task("long", 600.0, pinned=frozenset(["busy"])),
    ]
    gas = frozenset(["gas"])
    workers = [
        Worker("sent", skills=gas),
        Worker("unskilled"),
        Worker("barred", skills=gas),
        Worker("small", skills=gas, capacity=1.0),
        Worker("busy", end_s=900.0, skills=gas),
        Worker("lost", skills=gas),
    ]
    problem = crew(*workers, tasks=tasks)
    problem.travel_s[5, 6:] = np.inf
    told = explain(problem, {"sent": ["t"], "busy": ["long"]}, "t")
    assert {who: why.kind for who, why in told.rejected.items()} == {
        "unskilled": "lacks",
        "barred": "barred",
        "small": "no_room",
        "busy": "no_time",
        "lost": "unreachable",
    }
    assert told.rejected["busy"].en == "Would end the shift 7 min late."
    with pytest.raises(NotFound):
        explain(problem, {}, "nothing")


def test_owner_and_accepted_work_are_told_in_seconds() -> None:
    own, other = Worker("own", grids=frozenset(["g"])), Worker("other")
    problem = crew(own, other, tasks=[Task("t", 60.0, grid="g")])
    assert explain(problem, {"own": ["t"]}, "t").others[0].against.en == (  # type: ignore[union-attr]
        "The grid is another worker's; that counts 5 min."
    )
    problem = crew(own, other, tasks=[Task("t", 60.0, accepted_by="own")])
    against = explain(problem, {"own": ["t"]}, "t").others[0].against
    assert against is not None
    assert against.en == "own has it already; a change counts 10 min."


def test_work_being_done_never_moves_and_says_so() -> None:
    busy = Worker("busy", commitments=(Commitment("t", 300.0),))
    problem = crew(busy, Worker("idle"), tasks=[Task("t", 900.0), Task("u", 60.0)])
    result = solve(problem, ROUNDS, 1, initial={"idle": ["t", "u"]})
    assert result.routes["busy"][0] == "t"
    told = explain(problem, result.routes, "t")
    assert told.chosen is not None
    assert told.chosen.worker == "busy"
    assert told.rejected["idle"].en == "busy is at work on it, which never moves."


def test_a_new_task_goes_where_it_adds_least() -> None:
    problem = crew(Worker("a"), Worker("b"), tasks=[Task("t", 60.0)])
    filing = open_filing(problem, {"a": ["t"]})
    new = Task("new", 60.0)
    near_b = np.array([90.0, 10.0, 50.0], np.float32)  # a, b, and the task that is there
    offer = filing.propose(new, near_b, near_b)
    assert offer is not None
    assert (offer.worker, offer.cost_s, offer.follows) == ("b", 10.0, None)
    filing.accept(offer, new)
    again = filing.propose(Task("newer", 60.0), near_b, np.array([90.0, 90.0, 5.0], np.float32))
    assert again is not None
    assert (again.worker, again.follows) == ("a", "t")
    assert filing.propose(Task("cheap", 60.0, prize_s=1.0), near_b, near_b) is None


@pytest.mark.parametrize(
    ("called", "digest", "holder"), [(plan_kernels, KERNELS, plan_moves), (plan_moves, MOVES, plan_search)]
)
def test_the_search_is_compiled_anew_when_what_it_calls_changes(called: Any, digest: str, holder: Any) -> None:
    source = Path(called.__file__).read_bytes()
    assert hashlib.sha256(source).hexdigest()[:12] == digest, f"write the new digest into {holder.__name__}"


def test_every_word_stands_in_both_languages_with_the_same_figures() -> None:
    for kind, (en, zh) in {**WORDS, **TERM_WORDS}.items():
        assert re.search("[\u4e00-\u9fff]", zh), kind
        figures = [set(re.findall(r"{(\w+)}", text)) - {"zh", "heaviest"} for text in (en, zh)]
        assert figures[0] == figures[1], kind


def test_what_is_listed_has_the_comma_of_its_language():
    told = reason("pinned", workers=listed({"b", "a"}))
    assert (told.en, told.zh) == ("The task is pinned to a, b.", "该任务已指定由 a、b 办理。")
    assert standing_words.reason("refused", workers=listed(["b", "a"])).zh == "此前拒接、未应答或被撤回：a、b。"
