"""Every script and style a map needs comes from us; what we have no copy of is refused when used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from branca.colormap import ColorMap
from folium.elements import JSCSSMixin

from app.api.assets import asset_url
from core.errors import InvalidInput

COPIES: dict[tuple[str, str], str | None] = {
    ("leaflet", "leaflet.js"): "vendor/leaflet/leaflet.js",
    ("leaflet_css", "leaflet.css"): "vendor/leaflet/leaflet.css",
    ("jquery", "jquery-3.7.1.min.js"): "vendor/jquery/jquery.min.js",
    ("awesome_markers", "leaflet.awesome-markers.js"): "vendor/awesome-markers/leaflet.awesome-markers.min.js",
    ("awesome_markers_css", "leaflet.awesome-markers.css"): "vendor/awesome-markers/leaflet.awesome-markers.css",
    ("leaflet_draw_js", "leaflet.draw.js"): "vendor/leaflet-draw/leaflet.draw.js",
    ("leaflet_draw_css", "leaflet.draw.css"): "vendor/leaflet-draw/leaflet.draw.css",
    ("markerclusterjs", "leaflet.markercluster.js"): "vendor/markercluster/leaflet.markercluster.js",
    ("markerclustercss", "MarkerCluster.css"): "vendor/markercluster/MarkerCluster.css",
    ("markerclusterdefaultcss", "MarkerCluster.Default.css"): "vendor/markercluster/MarkerCluster.Default.css",
    # Our look has its own signs and controls: nothing of these is missed.
    ("bootstrap", "bootstrap.bundle.min.js"): None,
    ("bootstrap_css", "bootstrap.min.css"): None,
    ("glyphicons_css", "bootstrap-glyphicons.css"): None,
    ("awesome_markers_font_css", "all.min.css"): None,
    ("awesome_rotate_css", "leaflet.awesome.rotate.min.css"): None,
}
"""folium's name and file name of an asset to our copy; None where it is left out."""

_LINKS = ("default_js", "default_css")
_render: Callable[..., None] = JSCSSMixin.render


def is_ours(url: str) -> bool:
    """Return whether an address stays on this host."""
    return not urlsplit(url).netloc and url.startswith("/assets/")


def element_classes(base: type[Any] = JSCSSMixin) -> Iterator[type[Any]]:
    """Yield every class of map element that names scripts or styles."""
    for kind in base.__subclasses__():
        yield kind
        yield from element_classes(kind)


def outside_links(element: type[Any] | Any) -> list[str]:
    """Return the addresses outside this host that an element would load."""
    return [url for links in _LINKS for _, url in getattr(element, links) if not is_ours(url)]


def go_offline() -> None:
    """Point every known element at our copies, and refuse the others when they are rendered; idempotent."""
    import folium.plugins  # noqa: F401  (registers the plugins' classes)

    for known in {JSCSSMixin, *element_classes()}:
        for links in _LINKS:
            if links in known.__dict__:
                setattr(known, links, list(_rewritten(known.__dict__[links])))
    patched: tuple[tuple[Any, Callable[..., None]], ...] = (
        (JSCSSMixin, _checked_render),
        (ColorMap, _refused_colormap),
    )
    for kind, render in patched:
        kind.render = render


def _rewritten(links: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, url in links:
        key = (name, PurePosixPath(urlsplit(url).path).name)
        if is_ours(url) or key not in COPIES:
            yield name, url
            continue
        copy = COPIES[key]
        if copy is not None:
            yield name, asset_url(copy)


def _checked_render(element: Any, **kwargs: Any) -> None:
    outside = outside_links(element)
    if outside:
        raise InvalidInput(
            f"The map element {type(element).__name__} would load {outside[0]} from outside.",
            hint="Add a copy to package.json, app/api/assets.py and app/offline.py first.",
        )
    _render(element, **kwargs)


def _refused_colormap(element: Any, **kwargs: Any) -> None:  # noqa: ARG001  (branca's signature)
    raise InvalidInput(
        f"The colour map {type(element).__name__} would load a script from outside.",
        hint="Show the legend beside the map, with layers.legend.",
    )
