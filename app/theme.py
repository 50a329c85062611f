"""The theme of the pages: tokens as CSS variables, and what Streamlit's own options cannot say."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from layers.style import LIGHT

SOON_INK = "#8F5500"
"""The colour of "due soon" dark enough for small words."""


@lru_cache(maxsize=4)
def css(product: str, choose_file: str, more: str) -> str:
    """Return the style element that every page begins with, with the words that only CSS can place."""
    tokens = "".join(f"--{name.replace('_', '-')}:{value};" for name, value in LIGHT.tokens().items())
    tokens += f'--soon-ink:{SOON_INK};--product:"{product}";--choose-file:"{choose_file}";--more:"{more}";'
    here = Path(__file__).parent
    rules = "\n".join(path.read_text() for path in (here / "theme.css", here / "assets" / "gridkeeper-search.css"))
    return f"<style>:root{{{tokens}}}\n{rules}</style>"
