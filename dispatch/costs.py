"""Use cases of the cost table: what things cost in the plan of a territory, read and set."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput
from core.identity import Actor, May, require
from dispatch import store_closures as store
from dispatch.plan_model import PRIORITIES, Weights
from dispatch.simulate_model import Options
from geodata.db import name_act

MOST = 1_000_000.0
LONGEST_REASON = 200
OWNER_BY_CLASS = "owner_by_class"
_SHIPPED = Weights(response=(2.0, 0.2, 0.05), margin_s=Options().margin_s)
"""Those of the engine; that somebody soon begins what is urgent, also long before its deadline; and the margin before
deadlines that simulated days showed to be good."""


@dataclass(frozen=True, slots=True)
class Costs:
    """The cost table of a territory; version 0 while it keeps what is shipped.

    Attributes
    ----------
    owner_by_class
        Id of a class to what it costs, in seconds, to send somebody whose grid it is not.
    """

    weights: Weights = _SHIPPED
    owner_by_class: Mapping[int, float] = field(default_factory=dict)
    version: int = 0


def cost_table(session: Session, actor: Actor) -> Costs:
    """Return the cost table of the actor's territory; open to everybody who works there."""
    require(actor, May.SEE_MAP)
    return costs_of(session, actor.territory_id or 0)


def costs_of(session: Session, territory_id: int) -> Costs:
    """Return the cost table of a territory; the caller has asked whether the actor may."""
    kept = store.read_costs(session, territory_id)
    if kept is None:
        return Costs()
    return dataclasses.replace(read_costs(kept[0]), version=kept[1])


def set_cost_table(
    session: Session, actor: Actor, given: Mapping[str, Any], *, version: int, reason: str | None = None
) -> Costs:
    """Set what is named; the rest stays as it is. The next plan reckons with it.

    Parameters
    ----------
    given
        Names of `Weights` to a number, or to three numbers for the priorities; ``owner_by_class`` to numbers by
        class id.
    version
        Of the table as it was read; 0 while it is as shipped.
    reason
        One line that stands in the record; None where nobody is asked for it.

    Raises
    ------
    InvalidInput
        When a name or a figure is none, nothing is changed, or the reason is missing.
    Conflict
        When somebody else set it meanwhile.
    """
    require(actor, May.DISPATCH)
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Choose one first.")
    if reason is not None:
        _check_reason(reason, given)
        name_act(session, purpose=f"costs: {reason.strip()}", command_id=None)
    before = store.read_costs(session, actor.territory_id)
    wanted = {**(before[0] if before else {}), **given}
    checked = read_costs(wanted)
    if not store.write_costs(session, actor.territory_id, as_json(checked), version):
        raise Conflict(
            "Somebody else changed the cost table meanwhile.",
            hint="Look at it again, then change it.",
            zh="代价表已被他人修改，请重新查看后再改。",
        )
    return dataclasses.replace(checked, version=version + 1)


def _check_reason(reason: str, given: Mapping[str, Any]) -> None:
    if not given:
        raise InvalidInput("No cost was changed.", hint="Change a figure first.", zh="没有修改任何代价，请先修改数值。")
    if not reason.strip() or len(reason) > LONGEST_REASON or len(reason.splitlines()) > 1:
        raise InvalidInput(
            f"A change of the costs needs a reason of one line, at most {LONGEST_REASON} signs.",
            hint="Write why it is changed.",
            zh=f"修改代价须填写一行原因，不超过 {LONGEST_REASON} 字。",
        )


def as_json(costs: Costs) -> dict[str, Any]:
    """Return what of a cost table differs from what is shipped."""
    told: dict[str, Any] = {}
    for each in dataclasses.fields(Weights):
        value = getattr(costs.weights, each.name)
        if value != getattr(_SHIPPED, each.name):
            told[each.name] = list(value) if isinstance(value, tuple) else value
    if costs.owner_by_class:
        told[OWNER_BY_CLASS] = {str(key): value for key, value in sorted(costs.owner_by_class.items())}
    return told


def read_costs(given: Mapping[str, Any]) -> Costs:
    """Return the cost table that names and figures state, the rest as shipped.

    Raises
    ------
    InvalidInput
        When a name is unknown or a figure is no cost.
    """
    weights: dict[str, Any] = {}
    owner: dict[int, float] = {}
    names = [each.name for each in dataclasses.fields(Weights)]
    for name, value in given.items():
        if name == OWNER_BY_CLASS:
            owner = {_class(key): _figure(f"{name} {key}", each) for key, each in _mapping(value).items()}
            continue
        if name not in names:
            raise InvalidInput(
                f"The cost table has no term {name!r}.",
                hint=f"It has: {', '.join([*names, OWNER_BY_CLASS])}.",
                zh=f"代价表中没有“{name}”这一项。",
            )
        if isinstance(getattr(_SHIPPED, name), tuple):
            parts = value if isinstance(value, (list, tuple)) else [value] * PRIORITIES
            if len(parts) != PRIORITIES:
                raise InvalidInput(
                    f"{name} needs {PRIORITIES} figures, one a priority, or one for all.",
                    hint="Give three figures.",
                    zh=f"{name} 需要 {PRIORITIES} 个数值，每个优先级一个。",
                )
            weights[name] = tuple(_figure(name, each) for each in parts)
        else:
            weights[name] = _figure(name, value)
    return Costs(dataclasses.replace(_SHIPPED, **weights), owner)


def _figure(name: str, value: Any) -> float:
    number = math.nan
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
    if not 0 <= number <= MOST:
        raise InvalidInput(
            f"{name} is {value!r}; it must be a number from 0 to {MOST:,.0f}.",
            hint="Costs are seconds, or what a second weighs.",
            zh=f"{name} 的值 {value!r} 无效，须为 0 至 {MOST:,.0f} 的数。",
        )
    return number


def _mapping(value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{OWNER_BY_CLASS} names classes with a figure each.", hint="Give a table.")
    return value


def _class(key: Any) -> int:
    if not str(key).isdecimal():
        raise InvalidInput(f"{key!r} is no class.", hint="Give the id of a class.", zh=f"{key!r} 不是案件类别。")
    return int(key)
