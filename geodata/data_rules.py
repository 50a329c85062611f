"""Use cases of the rules of a data set: seen, tried on the rows of today, set with a reason; its scores over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput, NotFound
from core.identity import Actor, May, require
from core.identity import Role as ActorRole
from geodata import data_rules_store as store
from geodata.data_rules_model import cleaned
from geodata.db import system_rights
from geodata.exchange import Chunk, FieldSpec, Spec, Type
from geodata.exchange_check import Checker
from geodata.exchange_into import references_of
from geodata.exchange_place import Ground
from geodata.tables import DataRuleVersion, DataSet

SHOWN_VERSIONS: Final = 20
SHOWN_BATCHES: Final = 24
TRIED_ROWS: Final = 20_000
REASON_AT_MOST: Final = 500
SCORES: Final = ("completeness", "validity", "uniqueness", "placement", "timeliness")


@dataclass(frozen=True, slots=True)
class Version:
    """Rules as they were set once."""

    version: int
    rules: tuple[Mapping[str, Any], ...]
    reason: str
    by: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """What a data set is checked by, who may change it, and how it came to be.

    Attributes
    ----------
    version
        Of the rules; 0 before any were set by hand.
    fields
        Name of column to its type, in order.
    """

    key: str
    title: str
    version: int
    rules: tuple[Mapping[str, Any], ...]
    fields: Mapping[str, Type]
    history: tuple[Version, ...]
    may_change: bool


@dataclass(frozen=True, slots=True)
class Scored:
    """What came of one file, with its scores from 0 to 1."""

    batch_id: int
    file_name: str
    at: dt.datetime
    read: int
    taken: int
    rejected: int
    scores: Mapping[str, float]


def rules_of(session: Session, actor: Actor, key: str) -> Rules:
    """Return the rules of a data set by its key, with their history.

    Raises
    ------
    NotFound
        When there is no such data set.
    """
    require(actor, May.SEE_CATALOGUE)
    data_set = _found(session, actor, key)
    history = tuple(_version(each) for each in store.versions(session, data_set.id, SHOWN_VERSIONS))
    return Rules(
        data_set.key, data_set.title or data_set.key, history[0].version if history else 0, tuple(data_set.rules),
        _fields(data_set), history, _may_change(session, actor, data_set),
    )  # fmt: skip


def set_rules(
    session: Session, actor: Actor, key: str, given: Iterable[Mapping[str, Any]], *, reason: str = "",
    version: int | None = None,
) -> Rules:  # fmt: skip
    """Set the rules by which the next file is checked; what is held already stays as it is.

    Parameters
    ----------
    version
        Of the rules as they were seen; None to set them whatever they were.

    Raises
    ------
    NotPermitted
        For anybody but the steward, a supervisor, and the department whose data they are.
    Conflict
        When somebody was quicker.
    InvalidInput
        When one of them cannot be kept.
    """
    data_set = _found(session, actor, key, lock=True)
    if not _may_change(session, actor, data_set):
        require(actor, May.KEEP_CATALOGUE)
    newest = store.newest_version(session, data_set.id)
    if version is not None and version != newest:
        raise Conflict(
            "Somebody else changed the rules meanwhile.", hint="Load the page again.", zh="他人已修改规则，请刷新页面。"
        )
    if len(reason) > REASON_AT_MOST:
        raise InvalidInput(f"A reason has at most {REASON_AT_MOST} signs.", zh=f"理由最多 {REASON_AT_MOST} 字。")
    earlier = [rule for each in store.versions(session, data_set.id, SHOWN_VERSIONS) for rule in each.rules]
    rules = cleaned(given, list(_fields(data_set)), [*earlier, *data_set.rules])
    _check_references(session, data_set, rules)
    if list(rules) != list(data_set.rules):
        with system_rights(session, actor):
            made = DataRuleVersion(
                territory_id=data_set.territory_id, data_set_id=data_set.id, version=newest + 1, rules=list(rules),
                reason=reason.strip(), made_by=actor.user_id, made_label=actor.label,
            )  # fmt: skip
            session.add(made)
            data_set.rules, data_set.version = list(rules), data_set.version + 1
            session.flush()
    return rules_of(session, actor, key)


def would_break(session: Session, actor: Actor, key: str, rule: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many of the rows of today a rule would refuse, and of how many that were tried."""
    require(actor, May.SEE_CATALOGUE)
    data_set = _found(session, actor, key)
    types = _fields(data_set)
    (one,) = cleaned([rule], list(types))
    _check_references(session, data_set, (one,))
    rows = store.sample(session, data_set.id, TRIED_ROWS)
    if not rows:
        return 0, 0
    if one["rule"] == "type":
        types = dict(types) | {str(one["field"]): Type(one["type"])}
    columns = {
        name: pa.array([None if said.get(name) is None else _text(said[name]) for _, said in rows], pa.string())
        for name in types
    }
    fields = tuple(FieldSpec(name, name, kind) for name, kind in types.items())
    spec = Spec(fields, rules=(one,))
    ground = Ground("", None, 3857, "UTC", np.empty(0, dtype=object))  # no row is placed here
    checked = Checker(spec, ground, key, references_of(session, data_set.territory_id, (one,))).check(Chunk(1, columns))
    return int((~checked.good).sum()), len(rows)


def scores_of(session: Session, actor: Actor, key: str) -> list[Scored]:
    """Return what came of the files of a data set that the actor may read, with their scores, the oldest first."""
    require(actor, May.SEE_CATALOGUE)
    data_set = _found(session, actor, key)
    batches = store.scored_batches(session, data_set.id, SHOWN_BATCHES)
    return [
        Scored(
            each.id, each.file_name, each.started_at, each.read, each.loaded + each.changed, each.rejected,
            {name: float(each.scores[name]) for name in SCORES if each.scores.get(name) is not None},
        )
        for each in reversed(batches)
    ]  # fmt: skip


def _found(session: Session, actor: Actor, key: str, *, lock: bool = False) -> DataSet:
    home = actor.territory_id or 0
    key = key.removeprefix("set-") if store.find_data_set(session, home, key) is None else key
    found = store.find_data_set(session, home, key, lock=lock)
    if found is None:
        known = ", ".join(store.keys(session, home)[:20]) or "none"
        raise NotFound(f"There is no data set {key[:60]!r}.", hint=f"There is {known}.", zh=f"没有数据集 {key[:60]}。")
    return found


def _may_change(session: Session, actor: Actor, data_set: DataSet) -> bool:
    if actor.may(May.KEEP_CATALOGUE):
        return True
    if actor.user_id is not None and store.steward_of(session, data_set.id) == actor.user_id:
        return True
    return actor.role is ActorRole.HANDLER and data_set.owner_unit_id in actor.unit_ids


def _check_references(session: Session, data_set: DataSet, rules: Sequence[Mapping[str, Any]]) -> None:
    for place, each in enumerate(rules, start=1):
        if each["rule"] != "refers":
            continue
        other = store.find_data_set(session, data_set.territory_id, str(each["data_set"]))
        names = [] if other is None else list(_fields(other))
        if each["to"] not in names:
            said = "data set" if other is None else f"column {str(each['to'])[:40]!r} in data set"
            raise InvalidInput(
                f"Rule {place}: there is no {said} {str(each['data_set'])[:60]!r}.",
                hint=f"There is {', '.join(names or store.keys(session, data_set.territory_id)) or 'none'}.",
                zh=f"第 {place} 条规则：没有所引用的数据集或列。",
            )


def _fields(data_set: DataSet) -> dict[str, Type]:
    return {str(each["name"]): Type(each.get("type") or "text") for each in data_set.fields}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _version(made: DataRuleVersion) -> Version:
    return Version(made.version, tuple(made.rules), made.reason, made.made_label, made.made_at)
