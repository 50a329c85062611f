"""catalogue rules, quality: what the rows of a data set are checked by, and the scores of its files."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, TerritoryName, emit
from app.cli.unit import As, acting
from core.errors import InvalidInput
from geodata import data_rules
from geodata.data_rules_model import told

Key = Annotated[str, typer.Argument(metavar="KEY", help="Of a data set, e.g. street-lamps.")]
MOST_BYTES = 4 << 20


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    groups["catalogue"].command("rules")(rules)
    groups["catalogue"].command("quality")(quality)


def rules(
    key: Key,
    *,
    set_: Annotated[
        Path | None, typer.Option("--set", metavar="FILE.json", help="Set these rules; - for standard input.")
    ] = None,
    try_: Annotated[
        str, typer.Option("--try", metavar="JSON", help="Say how many of today's rows one rule would refuse.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Why they are set.")] = "",
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Show the rules by which the next file is checked, or set them from a file as --json gives it."""
    with acting(territory, as_, purpose=f"rules of {key}") as here:
        if try_:
            refused, tried = data_rules.would_break(here.session, here.actor, key, _one(_read(try_, "--try")))
            emit({"refused": refused, "tried": tried}, as_json)
            return
        if set_ is not None:
            given = _read(_text(set_), str(set_))
            listed = given.get("rules") if isinstance(given, dict) else given
            if not isinstance(listed, list):
                raise InvalidInput(f"{set_} holds no list of rules.", hint="Take what --json gives, and change it.")
            found = data_rules.set_rules(here.session, here.actor, key, listed, reason=reason)
        else:
            found = data_rules.rules_of(here.session, here.actor, key)
    if as_json:
        history = [
            {"version": each.version, "by": each.by, "at": each.at, "reason": each.reason, "rules": list(each.rules)}
            for each in found.history
        ]
        emit({"key": found.key, "version": found.version, "rules": list(found.rules), "history": history}, as_json)
        return
    for each, words in zip(found.rules, told(found.rules, "en"), strict=True):
        print(f"{each.get('id', ''):>4}  {words}")
    if not found.rules:
        print("No rules yet: types, keys and places alone are checked.")
    for version in found.history:
        print(f"version {version.version}: {len(version.rules)} rules, {version.by}, {version.at:%Y-%m-%d %H:%M} UTC"
              f"{', ' + version.reason if version.reason else ''}")  # fmt: skip


def quality(key: Key, *, as_: As = None, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Show how complete, valid, unique, placed and timely the files of a data set were."""
    with acting(territory, as_) as here:
        found = data_rules.scores_of(here.session, here.actor, key)
    if as_json:
        emit({"key": key, "files": [{name: getattr(each, name) for name in each.__slots__} for each in found]}, as_json)
        return
    names = data_rules.SCORES
    print(f"{'batch':>7} {'file':<30} {'read':>9} " + " ".join(f"{each:>12}" for each in names))
    for each in found:
        shares = " ".join(f"{each.scores[name]:>12.1%}" if name in each.scores else f"{'-':>12}" for name in names)
        print(f"{each.batch_id:>7} {each.file_name[:30]:<30} {each.read:>9,} {shares}")


def _text(path: Path) -> str:
    if str(path) == "-":
        return sys.stdin.read(MOST_BYTES)
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        raise InvalidInput(f"{path} is no file of rules.", hint="Give a JSON file of at most 4 MB.")
    return path.read_text(encoding="utf-8-sig", errors="replace")


def _read(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{name} is no JSON ({error}).", hint="Take what --json gives, and change it.") from None


def _one(given: Any) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise InvalidInput("--try wants one rule.", hint='E.g. {"rule": "required", "field": "power"}.')
    return given
