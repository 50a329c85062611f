"""Who listens while something is solved, so that a wish to stop is heard in every phase, HiGHS at work among them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

import numpy as np
import scipy.optimize
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult

from core.progress import Progress, Silent
from planning.effort import AT_MOST, effort_s
from planning.watching import enough, tell

try:  # of scipy, and not for all to see: without it HiGHS works to its end before it listens
    from scipy.optimize._highspy import _core as _highs  # type: ignore[import-not-found]
except ImportError:
    _highs = None

Floats = NDArray[np.float64]
EVERY_S = 0.1
LEAST, LARGEST = 1e-200, 1e8
SMALL = 60
"""Variables up to which HiGHS is so quick that nobody waits for it."""
LONG_PAIRS = 2_000_000
OPTIMAL, LIMIT, INFEASIBLE = 0, 1, 2
Standing = Callable[[float, float], tuple[float, float]]


class _Listener:
    """Progress that is asked at most so often."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._asked = time.monotonic()

    def ask(self) -> None:
        now = time.monotonic()
        if now - self._asked >= EVERY_S:
            self._asked = now
            self.progress.advance(0)


_LISTENER: ContextVar[_Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listened(progress: Progress | None) -> Iterator[Progress]:
    """Let all that is solved inside ask ``progress`` whether to stop."""
    given = progress or Silent()
    token = _LISTENER.set(_Listener(given))
    try:
        yield given
    finally:
        _LISTENER.reset(token)


def heard() -> None:
    """Ask whoever listens whether to stop; `core.progress.Cancelled` passes through."""
    listener = _LISTENER.get()
    if listener is not None:
        listener.ask()


def patiently(work: Callable[[], object], *, pairs: int) -> None:
    """Do compiled work; where it is long (by pairs gone through), ask meanwhile whether to stop.

    When somebody wants to stop, the work ends by itself a little later, and nobody waits for it.
    """
    listener = _LISTENER.get()
    if listener is None or pairs < LONG_PAIRS:
        work()
        return
    pool = ThreadPoolExecutor(1)
    try:
        future = pool.submit(work)
        while not future.done():
            wait([future], EVERY_S)
            listener.progress.advance(0)
        future.result()
    finally:
        pool.shutdown(wait=False)


def say(found: float, bound: float) -> None:
    """Say the best found and the bound to whoever listens, in what the solver counts."""
    listener = _LISTENER.get()
    if listener is not None:
        tell(listener.progress, found, bound)


def scale_of(values: Floats) -> float:
    """Return by what to multiply values so that tolerances, which are absolute, fit them; a power of two, so exact."""
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    if largest < LEAST or 1.0 <= largest <= LARGEST:
        return 1.0
    return float(2.0 ** -np.floor(np.log2(largest)))


def milp(
    c: Floats, *, constraints: Sequence[LinearConstraint], integrality: NDArray[Any], bounds: Bounds, seconds: float,
    standing: Standing | None = None,
) -> OptimizeResult:  # fmt: skip
    """Return what `scipy.optimize.milp` would, ended where whoever listens wants to stop.

    Parameters
    ----------
    standing
        From HiGHS' incumbent and bound to cost and bound of the question, to be told to a watcher; None: not told.
    """
    limit = max(seconds, 0.01)
    deadline = effort_s() + limit
    scale = scale_of(c)
    if scale != 1.0:
        told = None if standing is None else lambda found, bound: standing(found / scale, bound / scale)
        answer = milp(c * scale, constraints=constraints, integrality=integrality, bounds=bounds, seconds=seconds,
                      standing=told)  # fmt: skip
        for name in ("fun", "mip_dual_bound"):
            if answer.get(name) is not None:
                answer[name] /= scale
        return answer
    listener = _LISTENER.get()
    if _highs is None or listener is None or len(c) <= SMALL:
        return scipy.optimize.milp(
            c, constraints=constraints, integrality=integrality, bounds=bounds,
            options={"time_limit": AT_MOST * limit if len(c) <= SMALL else limit, "mip_rel_gap": 0.0},
        )  # fmt: skip
    parts = [sp.csr_array(cast("sp.csr_array", each.A)) for each in constraints]
    matrix = sp.csc_array(sp.vstack(parts))
    sides = list(zip(constraints, parts, strict=True))
    low = np.concatenate([np.broadcast_to(each.lb, part.shape[0]) for each, part in sides]).astype(np.float64)
    high = np.concatenate([np.broadcast_to(each.ub, part.shape[0]) for each, part in sides]).astype(np.float64)
    solver = _solver(c, matrix, low, high, integrality=integrality, bounds=bounds, limit=AT_MOST * limit)
    state = _State()
    solver.setCallback(state.called, None)
    kinds = _highs.cb.HighsCallbackType
    for kind in (kinds.kCallbackMipInterrupt, kinds.kCallbackSimplexInterrupt, kinds.kCallbackIpmInterrupt):
        solver.startCallback(kind)
    thread = threading.Thread(target=state.run, args=(solver,), daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(EVERY_S)
            listener.progress.advance(0)
            if standing is not None and np.isfinite(state.bound):
                tell(listener.progress, *standing(state.incumbent, state.bound))
            state.stop = state.stop or effort_s() > deadline or enough(listener.progress)
    finally:
        state.stop = True  # HiGHS ends by itself soon after
    return _result(solver, bool(np.any(integrality)))


class _State:
    """What HiGHS told last, and whether it shall stop."""

    def __init__(self) -> None:
        self.stop = False
        self.incumbent, self.bound = np.inf, -np.inf

    def run(self, solver: Any) -> None:
        solver.run()

    def called(self, kind: int, _message: str, told: Any, answer: Any, _data: object) -> None:
        if kind == int(_highs.cb.HighsCallbackType.kCallbackMipInterrupt):
            self.incumbent, self.bound = told.mip_primal_bound, told.mip_dual_bound
        if self.stop:
            answer.user_interrupt = True


def _solver(
    c: Floats, matrix: Any, low: Floats, high: Floats, *, integrality: NDArray[Any], bounds: Bounds, limit: float
) -> Any:
    lp = _highs.HighsLp()
    lp.num_col_, lp.num_row_ = len(c), len(low)
    lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = len(c), len(low)
    lp.a_matrix_.format_ = _highs.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    lp.col_cost_ = np.asarray(c, dtype=np.float64)
    lp.col_lower_ = np.broadcast_to(np.asarray(bounds.lb, dtype=np.float64), len(c)).copy()
    lp.col_upper_ = np.broadcast_to(np.asarray(bounds.ub, dtype=np.float64), len(c)).copy()
    lp.row_lower_, lp.row_upper_ = low, high
    lp.integrality_ = [_highs.HighsVarType(int(each)) for each in integrality]
    solver, options = getattr(_highs, "_Highs")(), _highs.HighsOptions()  # noqa: B009  (its own name is private)
    options.output_flag, options.time_limit, options.mip_rel_gap = False, limit, 0.0
    solver.passOptions(options)
    solver.passModel(lp)
    return solver


def _result(solver: Any, whole: bool) -> OptimizeResult:
    status, kinds = solver.getModelStatus(), _highs.HighsModelStatus
    info = solver.getInfo()
    ended = {kinds.kOptimal: OPTIMAL, kinds.kInfeasible: INFEASIBLE}.get(status, LIMIT)
    found = ended == OPTIMAL or (ended == LIMIT and np.isfinite(info.objective_function_value) and _feasible(info))
    x = np.array(solver.getSolution().col_value) if found else None
    bound = info.mip_dual_bound if whole else info.objective_function_value
    made = OptimizeResult()
    made.update(status=ended, x=x, fun=info.objective_function_value, mip_dual_bound=bound)
    return made


def _feasible(info: Any) -> bool:
    return int(info.primal_solution_status) == int(_highs.SolutionStatus.kSolutionStatusFeasible)
