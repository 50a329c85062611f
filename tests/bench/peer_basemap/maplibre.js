"use strict";
/* The same data in MapLibre GL through maplibre-gl-leaflet: a style in the same colours, cells filled by feature state. */

const { config, tiles, values, view } = window.bench;
const { theme } = config;
const source = (name) => ({ type: "vector", tiles: [tiles.replace("{source}", name)], minzoom: 6, maxzoom: 15 });
const named = config.lang === "zh" ? ["coalesce", ["get", "name_zh"], ["get", "name"]] : ["get", "name"];
const width = (stops) => ["interpolate", ["linear"], ["zoom"], ...stops.flat()];
const road = (name, stops, minzoom) => ({ id: `road-${name}`, type: "line", source: "ground", "source-layer": "road", minzoom, filter: ["==", ["get", "class"], name], layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": theme.road, "line-width": width(stops) } });
const casing = (name, stops, minzoom) => ({ ...road(name, stops.map(([z, w]) => [z, w + 1.5]), minzoom), id: `casing-${name}`, paint: { "line-color": theme.casing, "line-width": width(stops.map(([z, w]) => [z, w + 1.5])) } });
const classes = [["minor", [[12, 0.4], [15, 2.4], [17, 6]], 13], ["tertiary", [[11, 0.8], [15, 4], [17, 8]], 8], ["secondary", [[9, 0.7], [15, 4.8], [17, 9]], 8], ["primary", [[8, 1], [15, 5.5], [17, 10]], 8], ["trunk", [[8, 1.3], [15, 6], [17, 11]], 8]];
const label = (id, layer, filter, layout) => ({ id, type: "symbol", source: "ground", "source-layer": layer, filter, layout: { "text-field": named, "text-size": 12, "text-font": ["sans"], ...layout }, paint: { "text-color": theme.text, "text-halo-color": theme.halo, "text-halo-width": 1.6 } });
const coloured = ["case", ...config.ramps["7"].flatMap((colour, at) => [["==", ["feature-state", "at"], at], colour]), "rgba(0,0,0,0)"];
const style = {
  version: 8,
  sources: { ground: source("basemap"), grids: source("grids") },
  layers: [
    { id: "land", type: "background", paint: { "background-color": theme.land } },
    { id: "cover", type: "fill", source: "ground", "source-layer": "cover", paint: { "fill-color": ["match", ["get", "kind"], "water", theme.water, "wood", theme.wood, theme.green] } },
    { id: "building", type: "fill", source: "ground", "source-layer": "building", minzoom: 14, paint: { "fill-color": theme.building } },
    ...classes.map((one) => casing(...one)),
    ...classes.map((one) => road(...one)),
    { id: "cells", type: "fill", source: "grids", "source-layer": "grid", paint: { "fill-color": coloured, "fill-opacity": 0.72, "fill-antialias": false } },
    label("places", "place", true, {}),
    label("names", "road_name", ["in", ["get", "class"], ["literal", ["trunk", "primary", "secondary", "tertiary"]]], { "symbol-placement": "line" }),
  ],
};
window.faults = [];
const map = L.map("map", { center: view.slice(0, 2), zoom: view[2] });
const layer = L.maplibreGL({ style, interactive: false, localIdeographFontFamily: '"Noto Sans CJK SC", sans-serif', fadeDuration: 0, attributionControl: false }).addTo(map);
const gl = layer.getMaplibreMap();
gl.on("error", (event) => window.faults.push(String(event.error && event.error.message)));
const idle = () => gl.loaded() && gl.areTilesLoaded() && !gl.isMoving();

async function fill(metric) {
  const answer = GridkeeperData.decode(await (await fetch(values[metric])).arrayBuffer());
  const { edges, first } = answer.header;
  const shift = edges.length ? 7 - edges.length : 0;
  answer.values.forEach((value, at) => {
    if (!Number.isNaN(value) && value >= edges[0]) {
      gl.setFeatureState({ source: "grids", sourceLayer: "grid", id: first + at }, { at: shift + GridkeeperData.classOf(edges, value) });
    }
  });
  const drawn = new Promise((done) => gl.once("idle", done));
  gl.triggerRepaint();
  await drawn;
}

window.drive = {
  ...window.walk(map, idle),
  first: async () => {
    await settled(idle);
    await fill("reported");
  },
  filter: () => fill("open"),
  back: () => fill("reported"),
};
window.go = (lat, lon, zoom) => map.setView([lat, lon], zoom, { animate: false });
window.idle = idle;
