"""What the City map shows at this moment, handed to its parts; and its legends and notes in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from app import as_of, i18n, map_classes, map_compare, maps
from app.i18n import t, tn
from app.map_classes import Painted
from app.map_compare import Compared
from app.map_filters import Filters
from app.map_legend import category_legend, component_legend, facility_legend
from core.identity import Actor, May
from geodata.territory import TerritoryInfo
from layers.legend import Legend, LegendItem, incident_legend, limit_legend
from layers.registry import layer_entries
from layers.values import CellValues


@dataclass(frozen=True, eq=False)
class View:
    """What the page has read.

    Attributes
    ----------
    titles
        Names of the categories by key.
    found
        What fills the grids: values, or the verdicts of a comparison.
    selected
        The chosen grid.
    """

    actor: Actor
    territory: TerritoryInfo
    filters: Filters
    titles: Mapping[str, str]
    found: CellValues
    drawn: Painted
    compared: Compared | None
    selected: int | None

    @property
    def points(self) -> bool:
        """Return whether single incidents are drawn when near."""
        return "incidents" in self.filters.layers and self.actor.may(May.SEE_INCIDENT_POINTS)

    def legends(self) -> list[Legend]:
        """Return the legends of the layers that are shown."""
        layers, told = self.filters.layers, list[Legend]()
        colours = maps.category_colours(list(self.titles))
        if "grids" in layers:
            compared = self.compared is not None
            told.append(map_compare.legend() if compared else map_classes.legend_of(self.filters.metric, self.drawn))
        if self.points:
            by_status = self.filters.colour_by == "status"
            told.append(incident_legend() if by_status else category_legend(self.titles, colours))
        known: dict[str, Callable[[], Legend]] = {
            "traffic": limit_legend,
            "facilities": facility_legend,
            "components": partial(component_legend, self.titles, colours),
        }
        entries = layer_entries()
        for key in (key for key in entries if key in layers):
            if key in known:
                told.append(known[key]())
            elif entries[key].legend:
                zh = i18n.locale() == "zh"
                signs = (
                    LegendItem(each.colour, each.label_zh if zh else each.label, each.shape)
                    for each in entries[key].legend
                )
                told.append(Legend(entries[key].name(i18n.locale()), tuple(signs)))
        return told

    def notes(self) -> list[str]:
        """Return what stands below the map, as safe HTML: days, counts, what limits them, sources."""
        filters = self.filters
        notes = [
            t("Reported {first} – {last}", first=i18n.day(filters.first), last=i18n.day(filters.last)),
            tn("{count} incident counted", "{count} incidents counted", self.found.total),
        ]
        if self.compared is not None:
            first, last = self.compared.earlier
            days = t("{first} – {last}", first=i18n.day(first), last=i18n.day(last))
            notes.append(t("compared with {days}", days=days))
            notes.append(map_compare.sentence(self.compared))
            notes.append(t("Reports say where people report, not only where something happens."))
        notes += as_of.told(filters.day)
        if self.found.limited:
            notes.append(t("Only your own area is counted"))
        if self.territory.is_demo:
            notes.append(t("Incidents are simulated"))
        notes.append(t("Map data {credit}", credit=maps.OSM_CREDIT))
        if filters.metric == "per_1000":
            notes.append(t("Residents are estimated from buildings"))
        return notes

    def closer(self) -> list[str]:
        """Return what is seen only when near."""
        notes = [t("Zoom in to see single incidents")] if self.points else []
        return [*notes, t("Zoom in to see single components")] if "components" in self.filters.layers else notes
