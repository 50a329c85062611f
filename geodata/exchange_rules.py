"""Rules that a steward sets for a data set: what each asks, in words, and which rows of a chunk break it.

A rule is a small mapping, ``{"rule": "range", "field": "power", "min": 1, "max": 500}``; once it is kept it has an
``id`` by which a violation names it. Everything here is pure.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.exchange import Type

Mask = NDArray[np.bool_]
Cells = Mapping[str, pa.Array]
References = Mapping[str, frozenset[str]]
Rule = Mapping[str, Any]
RULES: Final = {
    "required": ("a cell is filled", "必填"),
    "unique": ("no two rows say the same", "取值唯一"),
    "type": ("every cell is of its column's type", "类型正确"),
    "range": ("a number lies between two", "数值在范围内"),
    "codes": ("a cell is one of a list", "取值在代码表内"),
    "pattern": ("a cell is written in a form", "符合格式"),
    "order": ("one time is not before another", "时间先后正确"),
    "compare": ("one number stands in relation to another", "两数值之间的关系"),
    "needs": ("a cell is filled where another says something", "条件必填"),
    "refers": ("a cell stands in another data set", "引用存在"),
    "anywhere": ("rows may lie outside the territory", "允许位于辖区之外"),
}
"""Kind of rule to what it asks, in both languages: those a steward may set."""
SIGNS: Final = {"<=": "at most", "<": "less than", ">=": "at least", ">": "more than", "=": "as", "!=": "other than"}
_SIGNS_ZH: Final = {"<=": "不大于", "<": "小于", ">=": "不小于", ">": "大于", "=": "等于", "!=": "不等于"}
_COMPARED: Final = {
    "<=": pc.less_equal, "<": pc.less, ">=": pc.greater_equal, ">": pc.greater, "=": pc.equal, "!=": pc.not_equal,
}  # fmt: skip
_TYPES: Final = {
    Type.TEXT: ("text", "文本"), Type.INTEGER: ("a whole number", "整数"), Type.NUMBER: ("a number", "数值"),
    Type.BOOLEAN: ("yes or no", "是或否"), Type.DATE: ("a date", "日期"),
    Type.DATETIME: ("a date with a time", "日期时间"),
}  # fmt: skip
_WORDS: Final = {
    "required": ("{field} is filled.", "{field} 必填。"),
    "unique": ("No two rows have the same {field}.", "{field} 不得重复。"),
    "type": ("{field} is {kind}.", "{field} 为{kind}。"),
    "range": ("{field} is {span}.", "{field} {span}。"),
    "codes": ("{field} is one of {codes}.", "{field} 为以下之一：{codes}。"),
    "pattern": ("{field} is written like {pattern}.", "{field} 符合格式 {pattern}。"),
    "order": ("{field} is not before {after}.", "{field} 不早于 {after}。"),
    "compare": ("{field} is {sign} {other}.", "{field} {sign} {other}。"),
    "needs": ("Where {field} is {when}, {other} is filled.", "{field} 为 {when} 时，{other} 必填。"),
    "refers": ("{field} stands in {data_set} ({to}).", "{field} 须存在于 {data_set}（{to}）。"),
    "anywhere": ("Rows may lie outside the territory.", "允许位于辖区之外。"),
}
_SHOWN: Final = 8
_MOST_PARTS: Final = 16


@dataclass(frozen=True, slots=True)
class Broken:
    """Which rows break a rule, and what is told of each; ``mend`` gives what could stand there instead."""

    rows: Mask
    field: str
    en: str
    zh: str
    mend: Callable[[str], str] | None = None


@dataclass(slots=True)
class Seen:
    """What a column that has to be unique has said so far: of the rows held, and of the file.

    Cells and keys are kept as eight bytes each, so that tens of millions fit into memory.

    Attributes
    ----------
    held
        Hashes of the cells of rows held today, in order, and of the keys of these rows beside them.
    """

    held: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    keys: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    parts: list[NDArray[np.uint64]] = field(default_factory=list)

    @classmethod
    def of(cls, cells: Sequence[str], keys: Sequence[str]) -> Seen:
        """Return what rows held today say: their cells, and the keys beside them."""
        values = hashed(pa.array(list(cells), pa.string()))
        order = np.argsort(values)
        return cls(values[order], hashed(pa.array(list(keys), pa.string()))[order])

    def again(self, cells: pa.Array, keys: pa.Array | None) -> Mask:
        """Return which cells were said before, by another row; remember them."""
        values, there = hashed(cells), _mask(pc.is_valid(cells))
        twice = np.zeros(len(values), dtype=bool)
        filled = np.flatnonzero(there)
        _, first = np.unique(values[filled], return_index=True)
        twice[filled] = True
        twice[filled[first]] = False
        for part in self.parts:
            twice |= there & _stands(part, values)
        if len(self.held):
            at = np.minimum(np.searchsorted(self.held, values), len(self.held) - 1)
            known = there & (self.held[at] == values)
            twice |= known if keys is None else known & (self.keys[at] != hashed(keys))
        self.parts.append(np.unique(values[filled]))
        if len(self.parts) >= _MOST_PARTS:
            self.parts = [np.unique(np.concatenate(self.parts))]
        return twice


def hashed(cells: pa.Array) -> NDArray[np.uint64]:
    """Return eight bytes for each cell; equal ones for equal cells."""
    coded = pc.dictionary_encode(pc.fill_null(pc.cast(cells, pa.string()), ""))
    words = np.asarray(coded.dictionary.to_pylist(), dtype=object)
    made = pd.util.hash_array(words, categorize=False) if len(words) else np.empty(0, dtype=np.uint64)
    found: NDArray[np.uint64] = made[coded.indices.to_numpy(zero_copy_only=False)]
    return found


def broken_by(rule: Rule, values: Cells, cells: Cells, references: References) -> Broken | None:
    """Return which rows break a rule; None where it has nothing to say of this file.

    Parameters
    ----------
    values, cells
        Name of field to its typed cells, and to its cells as text.
    """
    check = _CHECKS.get(str(rule.get("rule", "")))
    name = str(rule.get("field", ""))
    return check(rule, name, values, cells, references) if check is not None and name in values else None


def words(rule: Rule) -> tuple[str, str]:
    """Return what a rule asks, in English and Chinese."""
    told: dict[str, Any] = {"field": "", **{name: each for name, each in rule.items() if name != "is"}}
    told |= {name: _list([str(each) for each in rule.get(name, ())]) for name in ("codes", "when")}
    sign, spans, kinds = str(rule.get("is", "")), _span(rule), _TYPES[Type(rule.get("type", "text"))]
    signs = SIGNS.get(sign, sign), _SIGNS_ZH.get(sign, sign)
    en, zh = (
        each.format_map(_Told(told | {"span": spans[place], "sign": signs[place], "kind": kinds[place]}))
        for place, each in enumerate(_WORDS.get(str(rule.get("rule", "")), ("", "")))
    )
    return en, zh


class _Told(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


def _required(_rule: Rule, name: str, _values: Cells, cells: Cells, _refs: References) -> Broken:
    return Broken(_mask(pc.is_null(cells[name])), name, f"{name} is empty.", f"{name} 为空。")


def _range(rule: Rule, name: str, values: Cells, _cells: Cells, _refs: References) -> Broken | None:
    made = values[name]
    if not _is_number(made):
        return None
    low, high = _ends(rule)
    numbers = pc.cast(made, pa.float64())
    wrong = pc.or_(pc.less(numbers, low), pc.greater(numbers, high))
    en, zh = _span(rule)
    return Broken(_mask(wrong), name, f"{name} has to be {en}.", f"{name} 应{zh}。")


def _codes(rule: Rule, name: str, _values: Cells, cells: Cells, _refs: References) -> Broken:
    allowed, cut = [str(each) for each in rule["codes"]], cells[name]
    wrong = pc.and_(pc.is_valid(cut), pc.invert(pc.is_in(cut, pa.array(allowed, pa.string()))))
    return Broken(
        _mask(wrong), name, f"{name} has to be one of {_list(allowed)}.", f"{name} 应为以下之一：{_list(allowed)}。",
        lambda cell: next(iter(difflib.get_close_matches(cell, allowed, 1, 0.5)), ""),
    )  # fmt: skip


def _pattern(rule: Rule, name: str, _values: Cells, cells: Cells, _refs: References) -> Broken:
    form, cut = str(rule["pattern"]), cells[name]
    wrong = pc.and_(pc.is_valid(cut), pc.invert(pc.match_substring_regex(cut, f"^(?:{form})$")))
    return Broken(_mask(wrong), name, f"{name} has to be like {form}.", f"{name} 格式应为 {form}。")


def _order(rule: Rule, name: str, values: Cells, _cells: Cells, _refs: References) -> Broken | None:
    other = str(rule.get("after"))
    if other not in values:
        return None
    wrong = pc.less(pc.cast(values[name], pa.string()), pc.cast(values[other], pa.string()))
    return Broken(_mask(wrong), name, f"{name} is before {other}.", f"{name} 早于 {other}。")


def _compare(rule: Rule, name: str, values: Cells, _cells: Cells, _refs: References) -> Broken | None:
    other, sign = str(rule.get("other")), str(rule.get("is"))
    if other not in values or sign not in _COMPARED:
        return None
    pair = values[name], values[other]
    kind = pa.float64() if all(map(_is_number, pair)) else pa.string()
    right = _COMPARED[sign](*(pc.cast(each, kind) for each in pair))
    en, zh = f"{name} has to be {SIGNS[sign]} {other}.", f"{name} 应{_SIGNS_ZH[sign]} {other}。"
    return Broken(_mask(pc.invert(right)), name, en, zh)


def _needs(rule: Rule, name: str, _values: Cells, cells: Cells, _refs: References) -> Broken | None:
    other, listed = str(rule.get("other")), [str(each) for each in rule.get("when", ())]
    if other not in cells:
        return None
    wrong = pc.and_(pc.is_in(cells[name], pa.array(listed, pa.string())), pc.is_null(cells[other]))
    shown = _list(listed)
    en, zh = f"{other} is empty, although {name} is {shown}.", f"{name} 为 {shown} 时 {other} 不得为空。"
    return Broken(_mask(wrong), other, en, zh)


def _refers(rule: Rule, name: str, _values: Cells, cells: Cells, references: References) -> Broken:
    where, to, cut = rule["data_set"], rule["to"], cells[name]
    known = references.get(f"{where}.{to}", frozenset())
    wrong = pc.and_(pc.is_valid(cut), pc.invert(pc.is_in(cut, pa.array(sorted(known), pa.string()))))
    return Broken(
        _mask(wrong), name, f"{name} does not stand in {where} ({to}).", f"{name} 在 {where} 的 {to} 中不存在。",
        lambda cell: next(iter(difflib.get_close_matches(cell, known, 1, 0.8)), "") if len(known) <= 5_000 else "",
    )  # fmt: skip


_CHECKS: Final = {
    "required": _required, "range": _range, "codes": _codes, "pattern": _pattern, "order": _order,
    "compare": _compare, "needs": _needs, "refers": _refers,
}  # fmt: skip


def _ends(rule: Rule) -> tuple[float, float]:
    low, high = rule.get("min"), rule.get("max")
    return float(-np.inf if low is None else low), float(np.inf if high is None else high)


def _span(rule: Rule) -> tuple[str, str]:
    low, high = _ends(rule)
    if np.isfinite([low, high]).all():
        return f"between {low:g} and {high:g}", f"在 {low:g} 至 {high:g} 之间"
    if np.isfinite(low):
        return f"at least {low:g}", f"不小于 {low:g}"
    return f"at most {high:g}", f"不大于 {high:g}"


def _list(listed: Sequence[str]) -> str:
    return ", ".join(listed[:_SHOWN]) + (" …" if len(listed) > _SHOWN else "")


def _is_number(values: pa.Array) -> bool:
    return bool(pa.types.is_floating(values.type) or pa.types.is_integer(values.type))


def _stands(ordered: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> Mask:
    if not len(ordered):
        return np.zeros(len(wanted), dtype=bool)
    found: Mask = ordered[np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)] == wanted
    return found


def _mask(wrong: pa.Array) -> Mask:
    made: Mask = pc.fill_null(wrong, False).to_numpy(zero_copy_only=False)
    return made
