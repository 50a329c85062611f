"""Two languages, complete: every text of the pages has its Chinese, numbers and times read well in both."""

from __future__ import annotations

import ast
import datetime as dt
import re
import string
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from app import i18n

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = sorted((ROOT / "app" / "locale" / "zh" / "LC_MESSAGES").glob("*.po"))
NOW = dt.datetime(2026, 3, 3, 13, 25, tzinfo=dt.UTC)  # a Tuesday


@pytest.fixture(autouse=True)
def _english_again():
    yield
    i18n.use("en")


def messages() -> dict[str | tuple[str, ...], str | tuple[str, ...]]:
    found: dict[str | tuple[str, ...], str | tuple[str, ...]] = {}
    for path in CATALOGUES:
        with path.open("rb") as file:
            found |= {message.id: message.string for message in read_po(file, locale="zh") if message.id}
    return found


def texts_in_code() -> dict[str, str]:
    """Every literal first argument of t(…), and both of tn(…), with where it stands."""
    found: dict[str, str] = {}
    for path in [*(ROOT / "app").rglob("*.py"), *(ROOT / "layers").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            wanted = {"t": node.args[:1], "tn": node.args[:2]}.get(name, [])
            for argument in wanted:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    found[argument.value] = f"{path.relative_to(ROOT)}:{node.lineno}"
    for path in (ROOT / "app" / "templates").glob("*.html"):
        for match in re.finditer(r'\bt\("([^"]+)"', path.read_text(encoding="utf-8")):
            found[match[1]] = str(path.relative_to(ROOT))
    return found


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_has_its_chinese():
    translated = {one for key, value in messages().items() if value for one in ([key] if isinstance(key, str) else key)}
    missing = {text: where for text, where in texts_in_code().items() if text not in translated}
    assert not missing, "without Chinese:\n" + "\n".join(f"  {where}  {text}" for text, where in missing.items())


def test_no_text_stands_twice_in_the_catalogues():
    texts = "\n".join(path.read_text(encoding="utf-8") for path in CATALOGUES)
    ids = re.findall(r'^msgid "(.+)"$', texts, flags=re.MULTILINE)
    assert [text for text, count in Counter(ids).items() if count > 1] == []


def test_translations_fill_no_field_that_is_not_given():
    for key, value in messages().items():
        given_fields = fields(key) if isinstance(key, str) else fields(key[1])
        for text in [value] if isinstance(value, str) else value:
            assert fields(text) <= given_fields, key


def test_translations_are_chinese_and_not_copies():
    for key, value in messages().items():
        for text in [value] if isinstance(value, str) else value:
            shown = re.sub(r"\{\w+\}", "", text)
            if re.search(r"[a-z]{3,}", re.sub(r"\{\w+\}", "", key if isinstance(key, str) else key[0])):
                assert re.search(r"[\u4e00-\u9fff]", shown), key


@pytest.mark.parametrize(
    ("minutes", "english", "chinese"),
    [
        (40, "Tue 14:05, in 40 min", None),
        (40, None, "40 分钟后"),
        (0, "just now", "刚刚"),
        (-61, "1 h ago", "1 小时前"),
        (170, "in 3 h", "3 小时后"),
        (60 * 24 * 5, "in 5 days", "5 天后"),
        (-60 * 24 * 3, "3 days ago", "3 天前"),
    ],
)
def test_distances_in_both_languages(minutes, english, chinese):
    when = NOW + dt.timedelta(minutes=minutes)
    for language, expected in (("en", english), ("zh", chinese)):
        i18n.use(language)
        if expected is not None:
            assert expected.split(", ")[-1] == i18n.distance(when, now=NOW)


@pytest.mark.parametrize(
    ("language", "days", "expected"),
    [
        ("en", 0, "today 14:05"),
        ("zh", 0, "今天 14:05"),
        ("en", 1, "Wed 14:05"),
        ("zh", 1, "周三 14:05"),
        ("en", -20, "11 Feb 14:05"),
        ("zh", -20, "2月11日 14:05"),
        ("en", -400, "27 Jan 2025"),
        ("zh", -400, "2025年1月27日"),
    ],
)
def test_local_clock(language, days, expected):
    i18n.use(language)
    when = NOW + dt.timedelta(days=days, minutes=-20)
    assert i18n.clock(when, "Europe/Paris", now=NOW) == expected


def test_moment_is_local_time_and_distance():
    assert i18n.moment(NOW + dt.timedelta(days=1), "UTC", now=NOW) == "Wed 13:25, in 24 h"
    assert i18n.moment(None, "UTC") == "–"
    i18n.use("zh")
    assert i18n.moment(NOW + dt.timedelta(days=1), "Asia/Shanghai", now=NOW) == "周三 21:25，24 小时后"


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (1234567, 0, "1,234,567"),
        (3.14159, 2, "3.14"),
        (3.14159, 5, "3.14"),
        (2.0, 1, "2"),
        (None, 0, "–"),
        (-5, 0, "-5"),
    ],
)
def test_numbers_are_rounded_and_grouped(value, digits, expected):
    assert i18n.number(value, digits) == expected


@given(st.floats(min_value=-1e12, max_value=1e12), st.integers(0, 9))
def test_numbers_have_at_most_two_decimals(value, digits):
    _, _, decimals = i18n.number(value, digits).partition(".")
    assert len(decimals) <= min(digits, 2)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,zh;q=0.5", "en"),
        ("de,zh;q=0.3,en;q=0.8", "en"),
        ("fr", "en"),
        ("", "en"),
        ("zh;q=nonsense,en", "en"),
    ],
)
def test_language_a_browser_asks_for(header, expected):
    assert i18n.best_locale(header) == expected


@given(st.text(max_size=80))
def test_any_header_gives_a_language(header):
    assert i18n.best_locale(header) in i18n.LOCALES


def test_the_only_name_there_is_is_shown():
    i18n.use("zh")
    assert i18n.either("Newport", None) == "Newport"
    assert i18n.either("Newport", "纽波特") == "纽波特"
    i18n.use("en")
    assert i18n.either(None, "纽波特") == "纽波特"


def test_unknown_language_is_english():
    i18n.use("fr")
    assert i18n.locale() == "en"


def test_what_is_made_on_a_click_speaks_as_the_page_did():
    i18n.use("zh")
    make = i18n.here(lambda: i18n.t("Today"))
    i18n.use("en")
    with ThreadPoolExecutor(1) as elsewhere:
        assert elsewhere.submit(make).result() == "今日"
    assert make() == "今日"
    assert i18n.locale() == "en"
