"""No map element we use names anything outside this host; the others are refused, not loaded."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from urllib.parse import urlsplit

import branca.colormap
import folium
import folium.plugins
import pytest
import streamlit_folium

from app import map_ground, map_time, maps
from app.api.assets import FILES, asset
from app.offline import COPIES, element_classes, go_offline, is_ours, outside_links
from core.errors import InvalidInput
from geodata.territory import TerritoryInfo

LINKS = ("default_js", "default_css")
USED = (folium.Map, folium.plugins.Draw, folium.plugins.MarkerCluster, maps.CityLayers)


@pytest.mark.parametrize("kind", USED)
def test_what_we_use_comes_from_us(kind: type) -> None:
    assert outside_links(kind) == []
    assert kind.default_js or kind.default_css


def test_doing_it_again_changes_nothing() -> None:
    before = {kind: (kind.default_js, kind.default_css) for kind in element_classes()}
    go_offline()
    assert before == {kind: (kind.default_js, kind.default_css) for kind in element_classes()}


def test_every_copy_is_on_the_white_list() -> None:
    assert {copy for copy in COPIES.values() if copy} <= set(FILES)


def test_every_class_left_outside_is_refused_when_rendered() -> None:
    left = [kind for kind in element_classes() if outside_links(kind) and not inspect.isabstract(kind)]
    assert left, "folium has plugins that we have no copies of"
    for kind in left:
        element = kind.__new__(kind)
        with pytest.raises(InvalidInput, match="outside"):
            folium.elements.JSCSSMixin.render(element)


def test_a_plugin_without_a_copy_is_refused_on_a_map() -> None:
    drawn = folium.Map(tiles=None)
    folium.plugins.Fullscreen().add_to(drawn)
    with pytest.raises(InvalidInput, match="Fullscreen"):
        drawn.get_root().render()


def test_a_colour_map_is_refused() -> None:
    drawn = folium.Map(tiles=None)
    branca.colormap.LinearColormap(["red", "blue"]).add_to(drawn)
    with pytest.raises(InvalidInput, match="layers.legend"):
        drawn.get_root().render()


def test_a_rendered_map_loads_nothing_from_outside() -> None:
    drawn = folium.Map(tiles=None)
    drawn.add_child(maps.CityLayers({"attribution": maps.OSM_CREDIT}))
    page = drawn.get_root().render()
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page)
    assert loaded
    assert all(is_ours(url) for url in loaded), loaded


def test_the_city_map_fetches_five_files_and_nothing_it_does_not_use() -> None:
    bounds = (-1.4, 50.6, -1.2, 50.8)
    city = TerritoryInfo(1, "town", "Town", "", 27700, "gb", "Europe/London", bounds, (-1.3, 50.7, 14))
    drawn = maps.city_map(city, {})
    parts = (drawn, *drawn._children.values(), map_time.Playback(), map_ground.Ground())
    links = [url for part in parts for kind in LINKS for _, url in getattr(part, kind, ())]
    fetched = {urlsplit(url).path.removeprefix("/assets/") for url in links}
    assert fetched == {
        "vendor/leaflet/leaflet.js", "vendor/leaflet/leaflet.css", "gk/gridkeeper-city.js", "gk/gridkeeper-map.css",
        "gk/gridkeeper-time.css",
    }  # fmt: skip
    assert b"const GridkeeperTime" in asset("gk/gridkeeper-city.js").plain()
    assert b"const GridkeeperGround" in asset("gk/gridkeeper-city.js").plain()
    assert len(folium.Map.default_js) > 1, "a map of somebody else keeps what folium gives it"


def test_the_component_of_streamlit_folium_loads_nothing_from_outside() -> None:
    build = Path(streamlit_folium.__file__).parent / "frontend" / "build"
    for path in build.rglob("*"):
        if path.suffix == ".css":
            assert not re.search(r"url\(['\"]?(https?:)?//|@import", path.read_text()), path
        if path.suffix in {".html", ".js"}:
            found = set(re.findall(r"https?://[a-zA-Z0-9.-]+", path.read_text()))
            # React names the page that explains its error numbers; SVG and MathML are names, not addresses.
            assert found <= {"https://reactjs.org", "http://www.w3.org"}, (path, found)


@pytest.mark.parametrize("url", ["https://cdn.jsdelivr.net/x.js", "//cdn.jsdelivr.net/x.js", "x.js", "/other/x.js"])
def test_only_our_mount_is_ours(url: str) -> None:
    assert not is_ours(url)


def test_a_script_cannot_be_broken_out_of() -> None:
    text = maps.script_json({"name": "</script><script>alert(1)</script>\u2028&"})
    assert not re.search("[<>&\u2028]", text)
