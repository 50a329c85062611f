"""What refuses an act by hand says so in Chinese too: the pages show it as it was raised."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

GRIDS = Path(__file__).parents[2] / "grids"


@pytest.mark.parametrize("name", ["drafting", "publishing", "edits", "rebalancing"])
def test_every_refusal_of_the_page_has_its_chinese(name: str) -> None:
    tree = ast.parse((GRIDS / f"{name}.py").read_text(encoding="utf-8"))
    raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    assert raised
    english = [ast.unparse(call) for call in raised if "zh" not in {keyword.arg for keyword in call.keywords}]
    assert english == []
