"""Rules of a data set as a steward gives them: checked one by one, put into one form, and numbered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from core.errors import InvalidInput
from geodata.exchange import Type
from geodata.exchange_rules import RULES, SIGNS, words

RULES_AT_MOST: Final = 100
CODES_AT_MOST: Final = 5_000
PATTERN_AT_MOST: Final = 200
_PARTS: Final = {
    "required": (), "unique": (), "type": ("type",), "range": ("min", "max"), "codes": ("codes",),
    "pattern": ("pattern",), "order": ("after",), "compare": ("is", "other"), "needs": ("when", "other"),
    "refers": ("data_set", "to"), "anywhere": (),
}  # fmt: skip
_LISTS: Final = ("codes", "when")
_FIELDS: Final = ("after", "other")


def cleaned(
    given: Iterable[Mapping[str, Any]], names: Sequence[str], held: Iterable[Mapping[str, Any]] = ()
) -> tuple[dict[str, Any], ...]:
    """Return rules in the form in which they are kept; one that is new gets the next number.

    Parameters
    ----------
    names
        Fields of the data set.
    held
        Rules that were there before: the number of one that went is not given again while any later one stands.

    Raises
    ------
    InvalidInput
        When one of them cannot be kept: says the which-th, and why.
    """
    listed = list(given)
    if len(listed) > RULES_AT_MOST:
        raise InvalidInput(f"At most {RULES_AT_MOST} rules, not {len(listed)}.", zh=f"规则最多 {RULES_AT_MOST} 条。")
    numbered = max((int(known) for each in held if (known := _known(each))), default=0)
    made: list[dict[str, Any]] = []
    for place, each in enumerate(listed, start=1):
        rule = _one(each, place, names)
        if any(_content(rule) == _content(other) for other in made):
            continue
        known = _known(each)
        if not known or any(other["id"] == known for other in made):
            numbered += 1
            known = str(numbered)
        made.append(rule | {"id": known})
    return tuple(made)


def _one(given: Mapping[str, Any], place: int, names: Sequence[str]) -> dict[str, Any]:
    if not isinstance(given, Mapping) or given.get("rule") not in list(RULES):
        said = given.get("rule") if isinstance(given, Mapping) else given
        raise _refused(place, f"there is no kind {str(said)[:40]!r}", f"Known are {', '.join(RULES)}.", "没有这种规则")
    kind = str(given["rule"])
    made: dict[str, Any] = {"rule": kind}
    if kind != "anywhere":
        made["field"] = _field(given.get("field"), place, names)
    for part in _PARTS[kind]:
        if part in _FIELDS:
            made[part] = _field(given.get(part), place, names)
        elif part in _LISTS:
            made[part] = _listed(given.get(part), place)
        elif given.get(part) not in (None, ""):
            made[part] = given[part]
    _check(made, place)
    return made


def _check(rule: dict[str, Any], place: int) -> None:
    kind = rule["rule"]
    if kind == "type" and rule.get("type") not in [each.value for each in Type]:
        raise _refused(place, "it names no type", f"One of {', '.join(Type)}.", "未指定类型")
    if kind == "range":
        _range(rule, place)
    if kind == "pattern":
        _pattern(rule.get("pattern"), place)
    if kind == "compare" and rule.get("is") not in SIGNS:
        raise _refused(place, "it names no relation", f"One of {', '.join(SIGNS)}.", "未指定比较关系")
    if kind == "refers" and not (rule.get("data_set") and rule.get("to")):
        raise _refused(place, "it names no data set and column", "Give data_set and to.", "未指定引用的数据集与列")
    if kind in {"order", "compare", "needs"} and rule["field"] in {rule.get("after"), rule.get("other")}:
        raise _refused(place, "it compares a column with itself", "Name two columns.", "不能与自身比较")


def _range(rule: dict[str, Any], place: int) -> None:
    for part in ("min", "max"):
        if part in rule:
            rule[part] = _number(rule[part], place)
    if "min" not in rule and "max" not in rule:
        raise _refused(place, "a range needs a least or a most", "Give min, max or both.", "范围至少需要一端")
    if rule.get("min", -float("inf")) > rule.get("max", float("inf")):
        raise _refused(place, "its least is more than its most", "Swap them.", "下限大于上限")


def _pattern(given: Any, place: int) -> None:
    """Refuse what the engine that checks the rows could not run.

    That is RE2: without look-around and back references, its time grows with the text alone, whatever the form.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    text = str(given or "")
    if not text or len(text) > PATTERN_AT_MOST:
        raise _refused(place, f"a form has 1 to {PATTERN_AT_MOST} signs", "E.g. L[0-9]{4}.", "格式为空或过长")
    try:
        for form in (text, f"^(?:{text})$"):  # by itself too: it may not close the brackets that are put around it
            pc.match_substring_regex(pa.array(["x"]), form)
    except pa.ArrowInvalid as error:
        said = str(error).splitlines()[0][:80]
        raise _refused(place, f"its form cannot be read ({said})", "E.g. L[0-9]{4}.", "格式无法解析") from error


def _field(given: Any, place: int, names: Sequence[str]) -> str:
    if given in names:
        return str(given)
    shown = ", ".join(names[:12]) or "none"
    said = f"there is no column {str(given)[:60]!r}" if given else "it names no column"
    raise _refused(place, said, f"There is {shown}.", f"没有该列（现有：{'、'.join(names[:12])}）")


def _listed(given: Any, place: int) -> list[str]:
    listed = list(given) if isinstance(given, list | tuple) else [] if given is None else [given]
    made = list(dict.fromkeys(str(each).strip() for each in listed if str(each).strip()))
    if not made or len(made) > CODES_AT_MOST:
        raise _refused(place, f"a list has 1 to {CODES_AT_MOST:,} values", "Give them.", "列表为空或过长")
    return made


def _number(given: Any, place: int) -> float:
    try:
        made = float(given)
    except (TypeError, ValueError, OverflowError):
        raise _refused(place, f"{repr(given)[:40]} is no number", "Give one.", "不是数值") from None
    if not abs(made) <= 1e300:  # NaN is not either
        raise _refused(place, f"{given} is no number of this world", "Give one.", "不是有限数值")
    return int(made) if made.is_integer() and abs(made) < 1e15 else made


def _known(rule: Mapping[str, Any]) -> str:
    """Return the number of a rule that was kept before; empty where it has none."""
    said = str(rule.get("id", "")) if isinstance(rule, Mapping) else ""
    return said if said.isascii() and said.isdecimal() and len(said) <= 9 else ""


def _content(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in rule.items() if name != "id"}


def _refused(place: int, said: str, hint: str, zh: str) -> InvalidInput:
    return InvalidInput(f"Rule {place}: {said}.", hint=hint, zh=f"第 {place} 条规则：{zh}。")


def told(rules: Iterable[Mapping[str, Any]], locale: str) -> list[str]:
    """Return rules in words, in a language."""
    return [words(each)[1 if locale == "zh" else 0] for each in rules]
