"""Where set-up puts the official list of Chinese communities."""

from __future__ import annotations

from core.settings import CHECKOUT
from grids.official import PACKAGE

FOLDER = CHECKOUT / "node_modules" / PACKAGE
