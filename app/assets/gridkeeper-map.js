"use strict";
/* The map itself: layers on Leaflet, answers from our own server, changes pushed in by the page. */

const GridkeeperMap = (() => {
  const { decode, passes, viewOf } = GridkeeperData;
  const Style = GridkeeperStyle;
  const Layers = GridkeeperLayers;
  const POINTS_FROM = 15;
  const GRIDS_TELL_FROM = 13; // from here on the filled grids are large enough to tell the counts
  const REFRESH_MS = 60000;
  const state = { parents: null, heated: null, filter: null, answer: null, counts: null, centres: null, selected: null, hovered: null, nowMin: 0, visible: {}, colourBy: "status", paint: null, moment: null, pushed: null, flown: "", fitted: "" };
  const timing = {};
  let map, config, layers, bubbles, heat, notice, corner, parentsBelow;

  L.Icon.Default.imagePath = "/assets/vendor/leaflet/images/";

  function pane(name, zIndex, { opacity = null, clickable = false } = {}) {
    const element = map.createPane(name);
    element.style.zIndex = zIndex;
    element.style.pointerEvents = clickable ? "auto" : "none";
    if (opacity !== null) {
      element.style.opacity = opacity;
    }
    return name;
  }

  /** Return whether a tile lies in the view or beside it, at the zoom that is shown. */
  function inView(z, x, y, maxDataZoom) {
    const size = 256 * 2 ** (map.getZoom() - z);
    const { min, max } = map.getPixelBounds();
    const near = (at, from, to) => (at + 2) * size > from && (at - 1) * size < to;
    return z === Math.min(Math.max(map.getZoom() - 1, 0), maxDataZoom) && near(x, min.x, max.x) && near(y, min.y, max.y);
  }

  function tiles(source, paneName, { paintRules = [], labels = [], minZoom = 0, maxZoom = 20, maxDataZoom = 15, share = null } = {}) {
    const address = `/tiles/${config.territory}/${source}/{z}/{x}/{y}.mvt${config.on ? `?on=${config.on}` : ""}`;
    const layer = protomapsL.leafletLayer({
      url: Layers.source(address, source, tell, (z, x, y) => Boolean(layer._map) && inView(z, x, y, maxDataZoom)),
      paintRules,
      labelRules: labels,
      pane: paneName,
      maxDataZoom,
      minZoom,
      maxZoom,
      bounds: config.bounds,
      attribution: "",
      lang: config.lang,
      keepBuffer: 1,
    });
    if (share) {
      layer.views.get("").tileCache = share.views.get("").tileCache;
    }
    return layer;
  }

  function buildLayers() {
    const ground = tiles("basemap", pane("gk-ground", 200), { paintRules: Style.groundRules(config.theme) });
    pane("gk-cells", 210, { opacity: 0.72 });
    const cells = tiles("grids", "gk-cells", { paintRules: Style.fillRules("grid", () => state.answer, () => state.paint, config), minZoom: parentsBelow });
    const source = parentsBelow ? config.grain.parents : "parents";
    const parents = tiles(source, "gk-cells", {
      // classes chosen on the page are of cells; parents have their own, told in the corner
      paintRules: Style.fillRules(source === "parents" ? "parent" : source, () => state.parents, () => null, config),
      maxZoom: parentsBelow - 1,
      maxDataZoom: 13,
    });
    const roads = tiles("basemap", pane("gk-roads", 220), { paintRules: Style.roadRules(config.theme), share: ground });
    const names = tiles("basemap", pane("gk-names", 255), { labels: Style.labelRules(config.theme, config.lang), share: ground });
    const outline = tiles("grids", pane("gk-outline", 240), { paintRules: Style.outlineRules(state, config.theme), share: cells, minZoom: parentsBelow });
    const built = { ground, cells, parents, roads, outline, names };
    built.traffic = tiles("traffic", pane("gk-traffic", 230), { paintRules: Style.limitRules(config) });
    built.facilities = tiles("facilities", pane("gk-facilities", 250), { labels: Style.facilityRules(config, config.lang), minZoom: 12 });
    built.components = tiles("components", pane("gk-components", 245), { paintRules: [Style.componentRule(config)], minZoom: 16 });
    if (config.points) {
      built.incidents = tiles("incidents", pane("gk-incidents", 260), { paintRules: Layers.incidentRules(state, config, passes), minZoom: POINTS_FROM });
    }
    (config.layers || []).forEach((entry, at) => {
      const rules = Layers.drawnRules(entry, config);
      built[entry.key] = tiles(entry.key, pane(`gk-drawn-${entry.key}`, 231 + at), { paintRules: rules.paintRules, labels: rules.labels, minZoom: entry.zooms[0], maxDataZoom: entry.zooms[1] });
    });
    return built;
  }

  /** Paint the tiles of a layer again from what is in memory; resolves when done. */
  function repaint(layer) {
    if (!layer || !layer._map) {
      return Promise.resolve();
    }
    const work = [];
    for (const key in layer._tiles) {
      const coords = layer._wrapCoords(layer._keyToTileCoords(key));
      work.push(layer.renderTile(coords, layer._tiles[key].el, layer._tileCoordsToKey(coords)));
    }
    return Promise.all(work);
  }

  function say(text) {
    notice.textContent = text || "";
    notice.hidden = !text;
  }

  /** Say which layers are missing, if any; the others are drawn all the same. */
  function tell(status) {
    const names = [...Layers.missing].map((key) => config.names[key] || key);
    say(status === 401 ? config.words.ended : names.length ? `${config.words.missing} ${names.join(", ")}` : "");
  }

  /** Return the address of the values of the parents, which fill the map while a cell is too small to be seen. */
  function parentsOf(address) {
    const far = parentsBelow && map.getZoom() < parentsBelow && address.startsWith("/api/values");
    return far ? `${address}&by=${config.grain.parents === "parents" ? "community" : config.grain.parents}` : null;
  }

  function figure(value) {
    return value.toLocaleString(config.lang, { maximumFractionDigits: value < 10 ? 1 : 0 });
  }

  /** Say in the corner by what the map is filled while cells are too small, with the classes of that. */
  function tellParents() {
    const shown = config.grain && state.parents && state.pushed.visible.grids && map.getZoom() <= layers.parents.options.maxZoom;
    const { edges } = shown ? state.parents.header : { edges: [] };
    corner.hidden = !edges.length;
    corner.replaceChildren();
    const title = corner.appendChild(document.createElement("strong"));
    title.textContent = shown ? config.names[config.grain.parents] : "";
    const whole = edges.every(Number.isInteger);
    edges.forEach((edge, at) => {
      const row = corner.appendChild(document.createElement("span"));
      row.style.setProperty("--gk-class", config.ramps[edges.length][at]);
      const last = at + 1 < edges.length ? edges[at + 1] - (whole ? 1 : 0) : Infinity;
      row.textContent = last === Infinity ? `${figure(edge)}+` : last <= edge ? figure(edge) : `${figure(edge)}–${figure(last)}`;
    });
  }

  /** Let each of both be drawn where it is told: values that are known by cell alone fill cells at every zoom. */
  function grain(address) {
    const from = address.startsWith("/api/values") ? parentsBelow : 0;
    if (layers.cells.options.minZoom !== from) {
      [layers.cells, layers.outline].forEach((layer) => Object.assign(layer.options, { minZoom: from }));
      layers.parents.options.maxZoom = from - 1;
      map.fire("viewreset");
      corner.hidden = true;
    }
  }

  async function load(url) {
    const response = await fetch(url, { credentials: "same-origin" });
    if (!response.ok) {
      say(response.status === 401 ? config.words.ended : config.words.failed);
      throw new Error(`${url}: ${response.status}`);
    }
    tell();
    const answer = decode(await response.arrayBuffer());
    answer.tag = response.headers.get("etag");
    return answer;
  }

  async function refresh() {
    const asked = state.pushed;
    const far = parentsOf(asked.values);
    const counted = asked.counts || (far && asked.visible.heat ? asked.values : null);
    const wanted = [far ? null : load(asked.values), counted === asked.values && !far ? null : counted && load(counted)];
    wanted.push(state.centres ? null : load(asked.centres), far && load(far));
    const [answer, counts, centres, parents] = await Promise.all(wanted);
    if (asked !== state.pushed) {
      return; // a newer push is on its way
    }
    state.centres = centres || state.centres;
    if (state.moment) {
      return; // a playback holds the map
    }
    const tags = () => [state.answer, state.counts, state.parents].map((one) => one && one.tag).concat(state.painted).join();
    const before = tags();
    state.paint = asked.paint || null;
    state.painted = JSON.stringify(state.paint);
    state.answer = answer || state.answer;
    state.parents = parents || state.parents;
    state.counts = asked.counts ? counts || answer : null;
    state.heated = asked.visible.heat ? state.counts || answer || state.answer : null;
    state.nowMin = Math.floor(Date.now() / 60000);
    if (before !== tags()) {
      await Promise.all([repaint(layers.cells), repaint(layers.parents), repaint(layers.incidents)]);
      bubbles.redraw();
    }
    heat.draw();
    tellParents();
    timing.painted = performance.now();
    timing.paints = (timing.paints || 0) + 1;
    map.getContainer().dataset.painted = String(timing.paints);
  }

  function show(name, on) {
    const layer = { bubbles, heat }[name] || layers[name];
    if (!layer || Boolean(layer._map) === on) {
      return;
    }
    if (on) {
      layer.addTo(map);
    } else {
      layer.remove();
    }
  }

  /** Take over what the page says: filter, metric, visible layers, chosen grid. Only what changed is painted. */
  function update(push) {
    timing.pushed = performance.now();
    state.pushed = push;
    state.filter = push.filter;
    state.colourBy = push.colourBy;
    state.nowMin = Math.floor(Date.now() / 60000);
    map.getPane("gk-cells").style.display = push.visible.grids ? "" : "none";
    show("traffic", push.visible.traffic);
    show("facilities", push.visible.facilities);
    show("components", Boolean(push.visible.components));
    show("incidents", push.visible.incidents);
    show("bubbles", push.visible.incidents);
    show("heat", Boolean(push.visible.heat));
    (config.layers || []).forEach((entry) => show(entry.key, Boolean(push.visible[entry.key])));
    grain(push.values);
    bubbles.redraw();
    choose(push.selected);
    if (push.fly && String(push.fly) !== state.flown && !state.viewed) {
      map.setView(push.fly.slice(0, 2), Math.max(map.getZoom(), push.fly[2]), { animate: false });
    }
    state.flown = String(push.fly);
    state.viewed = false;
    remember();
    if (push.fit && String(push.fit) !== state.fitted) {
      map.fitBounds(push.fit, { padding: [48, 48], maxZoom: 16, animate: false });
    }
    state.fitted = String(push.fit);
    mark(push.mark);
    repaint(layers.incidents);
    refresh().catch((error) => console.warn(error.message));
  }

  /** Fetch the tiles of some layers anew and paint them over what is shown: something in them has changed. */
  function freshen(names) {
    for (const layer of names.map((name) => layers[name]).filter((one) => one && one._map)) {
      layer.views.get("").tileCache.cache.clear();
      repaint(layer);
    }
  }

  function mark(place) {
    if (state.mark && String(place) !== state.marked) {
      state.mark.remove();
      state.mark = null;
    }
    if (place && !state.mark) {
      // a ring, so that what lies there stays to be seen
      state.mark = L.circleMarker(place, { radius: 14, weight: 3, color: config.theme.text, fill: false, interactive: false, className: "gk-mark" }).addTo(map);
    }
    state.marked = String(place);
  }

  function choose(id) {
    if (state.selected !== id) {
      state.selected = id;
      repaint(layers.outline);
    }
  }

  function askedOf() {
    try {
      return window.parent.location.search;
    } catch {
      return ""; // shown in a page of another host
    }
  }

  /** Keep what is seen in the page's address, so that a link or a reload shows it again. */
  function remember() {
    if (!config.remembers) {
      return;
    }
    clearTimeout(timing.remembering);
    timing.remembering = setTimeout(() => {
      try {
        const page = window.parent;
        const asked = new URLSearchParams(page.location.search);
        const { lat, lng } = map.getCenter();
        asked.set("at", `${map.getZoom()}/${lat.toFixed(5)}/${lng.toFixed(5)}`);
        const search = asked.toString().replace(/%2F/g, "/").replace(/%2C/g, ",");
        page.history.replaceState(page.history.state, "", `${page.location.pathname}?${search}${page.location.hash}`);
      } catch (error) {
        console.warn(error.message);
      }
    }, 300);
  }

  /** Build the map's layers once; called by the script that the page sends. */
  function attach(leafletMap, settings) {
    map = leafletMap;
    config = settings;
    timing.attached = performance.now();
    const container = map.getContainer();
    new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(container);
    container.setAttribute("role", "region");
    container.setAttribute("aria-label", config.words.label);
    container.style.background = config.theme[config.outside] || config.theme.ground;
    document.documentElement.lang = config.lang;
    notice = container.appendChild(document.createElement("div"));
    notice.className = "gk-notice";
    notice.hidden = true;
    corner = container.appendChild(document.createElement("div"));
    corner.className = "gk-corner";
    corner.hidden = true;
    parentsBelow = (config.grain && config.grain.below) || 0;
    const view = config.remembers ? viewOf(askedOf()) : null;
    if (view) {
      state.viewed = true;
      map.setView([view.lat, view.lon], view.zoom, { animate: false });
    }
    layers = buildLayers();
    pane("gk-heat", 225, { opacity: 0.8 });
    pane("gk-bubbles", 270);
    const hidden = (zoom) => (zoom >= GRIDS_TELL_FROM && state.pushed && state.pushed.visible.grids) || (config.points && zoom >= POINTS_FROM);
    bubbles = new Layers.Bubbles(state, config, hidden);
    heat = new Layers.Heat(state, config);
    for (const name of config.cells === false ? ["ground", "roads", "names"] : ["ground", "cells", "parents", "roads", "outline", "names"]) {
      layers[name].addTo(map);
    }
    for (const name of ["cells", "parents"]) {
      layers[name].once("load", () => {
        timing.cells = performance.now();
        container.dataset.cells = "1";
      });
    }
    layers.names.once("load", () => {
      timing.ground = performance.now();
      container.dataset.ground = "1";
    });
    map.attributionControl.setPrefix(false).addAttribution(config.attribution);
    map.zoomControl.setPosition("topright");
    L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
    GridkeeperPick(map, { config, state, layers, choose, repaint });
    let wasFar = map.getZoom() < parentsBelow;
    map.on("zoomend", () => {
      const far = map.getZoom() < parentsBelow;
      tellParents();
      if (far !== wasFar && state.pushed) {
        refresh().catch((error) => console.warn(error.message));
      }
      wasFar = far;
    });
    map.on("moveend", remember);
    setInterval(() => {
      if (!document.hidden && state.pushed) {
        refresh().catch((error) => console.warn(error.message));
      }
    }, REFRESH_MS);
  }

  /**
   * Show one moment of a playback in the place of the answers that were fetched: {answer, paint, filter, metric, blank,
   * uncounted}; its counts fill the grids and the circles, its filter chooses the points, its metric is told beside the
   * pointer. Nothing is fetched. Null goes back.
   */
  async function moment(shown) {
    state.moment = shown;
    grain(shown ? "" : state.pushed.values);
    if (!shown) {
      state.answer = null;
      state.filter = state.pushed.filter;
      await refresh();
      repaint(layers.incidents);
      return;
    }
    state.answer = shown.answer;
    state.counts = state.pushed.counts && !shown.uncounted ? shown.answer : null;
    state.paint = shown.paint;
    state.painted = JSON.stringify(shown.paint);
    state.filter = shown.filter;
    await Promise.all([repaint(layers.cells), repaint(layers.incidents)]);
    bubbles.redraw();
  }

  /** Draw many round signs at once: latitude, longitude, number of the style, what is told beside the pointer. */
  function dots(group, rows, styles) {
    for (const [lat, lon, style, tip] of rows) {
      L.circleMarker([lat, lon], styles[style]).bindTooltip(tip).addTo(group);
    }
  }

  /** Return whether any layer still loads or draws tiles; for measures. */
  function busy() {
    return Object.values(layers).some((layer) => layer._map && layer._loading);
  }

  return { attach, update, moment, repaint: (name) => repaint(layers[name]), freshen, dots, busy, timing, state, leaflet: () => map };
})();
