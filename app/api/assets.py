"""Scripts, styles and pictures of the maps, from a white list, with tags for caching."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.wire import respond
from core.errors import NotFound, SourceUnavailable
from core.settings import CHECKOUT
from layers.cache import Entry

_OWN = CHECKOUT / "app" / "assets"
_MODULES = CHECKOUT / "node_modules"
_OWN_FILES = (
    "gridkeeper-data.js",
    "gridkeeper-style.js",
    "gridkeeper-layers.js",
    "gridkeeper-pick.js",
    "gridkeeper-map.js",
    "gridkeeper-map.css",
    "gridkeeper-time.js",
    "gridkeeper-time.css",
    "gridkeeper-ground.js",
    "gridkeeper-search.js",
    "gridkeeper-draft.js",
    "gridkeeper-field.js",
    "gridkeeper-field-queue.js",
    "gridkeeper-field-worker.js",
    "gridkeeper-field.css",
)
_VENDOR_FILES = {
    "leaflet": ("leaflet/dist", ("leaflet.js", "leaflet.css")),
    "leaflet/images": (
        "leaflet/dist/images",
        ("layers.png", "layers-2x.png", "marker-icon.png", "marker-icon-2x.png", "marker-shadow.png"),
    ),
    "jquery": ("jquery/dist", ("jquery.min.js",)),
    "protomaps-leaflet": ("protomaps-leaflet/dist", ("protomaps-leaflet.js",)),
    "leaflet-draw": ("leaflet-draw/dist", ("leaflet.draw.js", "leaflet.draw.css")),
    "leaflet-draw/images": (
        "leaflet-draw/dist/images",
        ("spritesheet.png", "spritesheet-2x.png", "spritesheet.svg", "layers.png", "layers-2x.png"),
    ),
    "markercluster": (
        "leaflet.markercluster/dist",
        ("leaflet.markercluster.js", "MarkerCluster.css", "MarkerCluster.Default.css"),
    ),
    "awesome-markers": (
        "leaflet.awesome-markers/dist",
        ("leaflet.awesome-markers.min.js", "leaflet.awesome-markers.css"),
    ),
    "awesome-markers/images": (
        "leaflet.awesome-markers/dist/images",
        ("markers-soft.png", "markers-soft@2x.png", "markers-shadow.png", "markers-shadow@2x.png"),
    ),
}
FILES: dict[str, Path] = {f"gk/{name}": _OWN / name for name in _OWN_FILES} | {
    f"vendor/{folder}/{name}": _MODULES / source / name
    for folder, (source, names) in _VENDOR_FILES.items()
    for name in names
}
"""All that is served: address below ``/assets/`` to file."""
BUNDLES: dict[str, tuple[str, ...]] = {
    "gk/gridkeeper-city.js": (
        "vendor/protomaps-leaflet/protomaps-leaflet.js",
        *(f"gk/gridkeeper-{part}.js" for part in ("data", "style", "layers", "pick", "map", "time", "ground")),
    ),
}
"""Files that always go together, served as one: streamlit-folium loads scripts one after the other."""

_TYPES = {".js": "text/javascript", ".css": "text/css", ".png": "image/png", ".svg": "image/svg+xml"}
YEAR_S = 31_536_000
DAY_S = 86_400


@lru_cache(maxsize=len(FILES))
def _entry(name: str, _modified_ns: int) -> Entry:
    return Entry.of(FILES[name].read_bytes())


@lru_cache(maxsize=8)
def _bundle(name: str, _tags: tuple[str, ...]) -> Entry:
    return Entry.of(b"\n".join(asset(part).plain() for part in BUNDLES[name]))


def asset(name: str) -> Entry:
    """Return a file of the white list, or a bundle of them.

    Raises
    ------
    NotFound
        When the name is not on the list.
    SourceUnavailable
        When the front-end libraries were not installed.
    """
    if name in BUNDLES:
        return _bundle(name, tuple(asset(part).etag for part in BUNDLES[name]))
    path = FILES.get(name)
    if path is None:
        raise NotFound(f"There is no asset {name!r}.")
    try:
        return _entry(name, path.stat().st_mtime_ns)
    except OSError as error:
        raise SourceUnavailable(
            f"The front-end file {path.name} is not installed.", hint="Run `make run`, or `npm ci` in the checkout."
        ) from error


def font_file() -> Path | None:
    """Return the sans that Streamlit bundles and our pages use; None when it is not there."""
    folder = Path(streamlit.__file__).parent / "static" / "static" / "media"
    return next(iter(sorted(folder.glob("SourceSansVF-Upright*.woff2"))), None)


def asset_url(name: str) -> str:
    """Return the address of an asset, with its tag, so that a browser may keep it for ever."""
    return f"/assets/{name}?v={asset(name).etag.strip(chr(34))}"


async def serve_asset(request: Request) -> Response:
    """Serve one file; 304 when the browser has it."""
    name = request.path_params["name"]
    entry = asset(name)
    tagged = request.query_params.get("v") == entry.etag.strip('"')
    keep = f"private, max-age={YEAR_S}, immutable" if tagged else f"private, max-age={DAY_S}"
    return respond(request, entry, _TYPES[Path(name).suffix], keep=keep)


routes = [Route("/assets/{name:path}", serve_asset)]
