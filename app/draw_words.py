"""Words of the page Draw & balance."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd

from app import i18n
from app.i18n import t
from grids.quality import IN_RANGE_M2


def state_word(state: str) -> str:
    """Return where a change stands."""
    words = {
        "draft": t("draft"),
        "submitted": t("waits for a supervisor"),
        "published": t("in force"),
        "withdrawn": t("withdrawn"),
    }
    return words.get(state, state)


def measures() -> dict[str, str]:
    """Return what a workload is composed of, in words."""
    return {
        "incidents": t("Incidents of 90 days"),
        "people": t("People"),
        "street_m": t("Length of streets"),
        "facilities": t("Facilities"),
        "area_m2": t("Surface"),
        "cells": t("Cells"),
        "travel": t("Way between incidents"),
    }


def modes() -> dict[str, str]:
    """Return what a hand can do to cells, in words."""
    return {
        "merge": t("Merge the picked cells"),
        "split": t("Split a cell along a line"),
        "border": t("Move the border of two cells"),
        "give": t("Give the picked cells to another grid"),
    }


def how(mode: str) -> str:
    """Return how an act is done."""
    words = {
        "split": t("Draw a line with the pen on the map, from border to border of one cell."),
        "border": t("Draw the new border with the pen; it crosses both cells from border to border."),
    }
    return words.get(mode, t("Click cells on the map to pick them."))


def share_in_range(cells: gpd.GeoDataFrame) -> str:
    """Return the share of the ground in cells of the lawful size, in per cent."""
    area = cells["area_m2"].to_numpy(dtype=float)
    lawful = area[(area >= IN_RANGE_M2[0]) & (area <= IN_RANGE_M2[1])].sum()
    return f"{i18n.number(100 * lawful / area.sum() if area.sum() else 0)} %"


def legend(areas: Sequence[str]) -> str:
    """Return what the colours mean, in words."""
    if not set(areas) - {""}:
        return t("No cell belongs to a responsibility grid yet.")
    return t("Colours are responsibility grids; point at a cell to read its code.")
