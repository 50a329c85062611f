"use strict";
/* protomaps-leaflet, as the City map uses it: canvas tiles in Leaflet, our own rules. */

const { config, tiles, values, view } = window.bench;
const held = { answer: null };
const map = L.map("map", { center: view.slice(0, 2), zoom: view[2] });
const layer = (source, options) => {
  const made = protomapsL.leafletLayer({ url: tiles.replace("{source}", source), maxDataZoom: 15, maxZoom: 20, attribution: "", labelRules: [], paintRules: [], keepBuffer: 1, ...options });
  return made.addTo(map);
};
const layers = [
  layer("basemap", { paintRules: GridkeeperStyle.groundRules(config.theme).concat(GridkeeperStyle.roadRules(config.theme)) }),
  layer("grids", { paintRules: GridkeeperStyle.fillRules("grid", () => held.answer, () => null, config) }),
  layer("basemap", { labelRules: GridkeeperStyle.labelRules(config.theme, config.lang), lang: config.lang }),
];
const idle = () => layers.every((one) => !one._loading);

async function fill(metric) {
  held.answer = GridkeeperData.decode(await (await fetch(values[metric])).arrayBuffer());
  const cells = layers[1];
  await Promise.all(Object.keys(cells._tiles).map((key) => {
    const at = cells._wrapCoords(cells._keyToTileCoords(key));
    return cells.renderTile(at, cells._tiles[key].el, cells._tileCoordsToKey(at));
  }));
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
