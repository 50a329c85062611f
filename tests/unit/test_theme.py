"""One set of colours everywhere, with enough contrast to read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from app.theme import SOON_INK, css
from layers.style import LIGHT, NIGHT, contrast

ROOT = Path(__file__).resolve().parents[2]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("option", "token"),
    [
        ("primaryColor", "primary"),
        ("backgroundColor", "ground"),
        ("secondaryBackgroundColor", "surface"),
        ("textColor", "text"),
        ("borderColor", "line"),
        ("linkColor", "primary"),
        ("redColor", "overdue"),
        ("orangeColor", "due_soon"),
        ("greenColor", "on_time"),
        ("grayColor", "closed"),
    ],
)
def test_streamlit_has_the_colours_of_the_theme(option, token):
    assert CONFIG["theme"][option] == LIGHT.tokens()[token]


@pytest.mark.parametrize("theme", [LIGHT, NIGHT], ids=["light", "night"])
@pytest.mark.parametrize("ground", ["ground", "surface"])
@pytest.mark.parametrize("ink", ["text", "muted", "primary", "overdue", "on_time"])
def test_words_can_be_read(theme, ground, ink):
    tokens = theme.tokens()
    assert contrast(tokens[ink], tokens[ground]) >= 4.5


def test_words_of_what_is_due_soon_can_be_read():
    assert min(contrast(SOON_INK, LIGHT.surface), contrast(SOON_INK, LIGHT.ground)) >= 4.5
    assert contrast(LIGHT.due_soon, LIGHT.surface) >= 3  # large numbers


def test_words_on_the_primary_button_can_be_read():
    assert contrast(LIGHT.surface, LIGHT.primary) >= 4.5


@pytest.mark.parametrize("name", ["app/theme.css", "app/templates/login.css"])
def test_style_sheets_take_their_colours_from_the_theme(name):
    sheet = (ROOT / name).read_text(encoding="utf-8")
    strange = set(re.findall(r"#[0-9A-Fa-f]{6}\b", sheet)) - {"#FBF1F0", "#8A949A"}
    assert not strange
    known = {token.replace("_", "-") for token in LIGHT.tokens()} | {"product", "choose-file", "more", "soon-ink"}
    assert set(re.findall(r"var\(--([a-z-]+)\)", sheet)) <= known


def test_no_address_of_another_host_in_a_style_sheet():
    for path in [*(ROOT / "app").rglob("*.css"), *(ROOT / "app" / "templates").glob("*.html")]:
        assert not re.search(r"https?://(?!www\.w3\.org|localhost)", path.read_text(encoding="utf-8")), path


def test_the_style_is_one_element():
    assert css("Gridkeeper", "Choose", "More").count("<style>") == 1


def test_the_server_is_closed_by_default():
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert CONFIG["server"]["enableXsrfProtection"]
    assert CONFIG["client"]["toolbarMode"] == "minimal"
    assert CONFIG["client"]["showErrorDetails"] == "none"
    assert not CONFIG["browser"]["gatherUsageStats"]
