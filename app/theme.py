"""The theme of the pages: tokens as CSS variables, and what Streamlit's own options cannot say."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from layers.style import LIGHT


@lru_cache(maxsize=1)
def css() -> str:
    """Return the style element that every page begins with."""
    tokens = "".join(f"--{name.replace('_', '-')}:{value};" for name, value in LIGHT.tokens().items())
    return f"<style>:root{{{tokens}}}\n{(Path(__file__).parent / 'theme.css').read_text()}</style>"
