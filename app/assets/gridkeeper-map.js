"use strict";
/* The map itself: layers on Leaflet, answers from our own server, changes pushed in by the page. */

const GridkeeperMap = (() => {
  const { decode, fillOf, valueOf, incidentState, passes, cluster, short } = GridkeeperData;
  const Style = GridkeeperStyle;
  const POINTS_FROM = 15;
  const GRIDS_TELL_FROM = 13; // from here on the filled grids are large enough to tell the counts
  const REFRESH_MS = 60000;
  const state = { filter: null, answer: null, counts: null, centres: null, selected: null, hovered: null, nowMin: 0, visible: {}, colourBy: "status", paint: null, moment: null, pushed: null, flown: "", fitted: "" };
  const timing = {};
  let map, config, layers, bubbles, tooltip, notice;

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

  function tiles(source, paneName, { paintRules = [], labels = [], minZoom = 0, share = null } = {}) {
    const layer = protomapsL.leafletLayer({
      url: `/tiles/${config.territory}/${source}/{z}/{x}/{y}.mvt${config.on ? `?on=${config.on}` : ""}`,
      paintRules,
      labelRules: labels,
      pane: paneName,
      maxDataZoom: 15,
      minZoom,
      maxZoom: 20,
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
    const cells = tiles("grids", pane("gk-cells", 210, { opacity: 0.72 }), { paintRules: [Style.cellRule(state, config)] });
    const roads = tiles("basemap", pane("gk-roads", 220), { paintRules: Style.roadRules(config.theme), share: ground });
    const names = tiles("basemap", pane("gk-names", 255), { labels: Style.labelRules(config.theme, config.lang), share: ground });
    const outline = tiles("grids", pane("gk-outline", 240), { paintRules: Style.outlineRules(state, config.theme), share: cells });
    const built = { ground, cells, roads, outline, names };
    built.traffic = tiles("traffic", pane("gk-traffic", 230), { paintRules: Style.limitRules(config) });
    built.facilities = tiles("facilities", pane("gk-facilities", 250), { labels: [Style.facilityRule(config, config.lang)], minZoom: 12 });
    built.components = tiles("components", pane("gk-components", 245), { paintRules: [Style.componentRule(config)], minZoom: 16 });
    if (config.points) {
      built.incidents = tiles("incidents", pane("gk-incidents", 260), { paintRules: Style.incidentRules(state, config, passes), minZoom: POINTS_FROM });
    }
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

  /** Counts as circles where points would be too many: added up from the value arrays, no tiles. */
  const Bubbles = L.Layer.extend({
    onAdd() {
      this._canvas = L.DomUtil.create("canvas", "leaflet-zoom-hide", map.getPane("gk-bubbles"));
      map.on("moveend zoomend resize viewreset", this.draw, this);
      this.draw();
    },
    onRemove() {
      this._canvas.remove();
      map.off("moveend zoomend resize viewreset", this.draw, this);
    },
    redraw() {
      if (this._map) {
        this.draw();
      }
    },
    draw() {
      const size = map.getSize();
      const ratio = window.devicePixelRatio || 1;
      this._canvas.width = size.x * ratio;
      this._canvas.height = size.y * ratio;
      this._canvas.style.width = `${size.x}px`;
      this._canvas.style.height = `${size.y}px`;
      L.DomUtil.setPosition(this._canvas, map.containerPointToLayerPoint([0, 0]));
      const zoom = map.getZoom();
      const told = zoom >= GRIDS_TELL_FROM && state.pushed && state.pushed.visible.grids;
      if (!state.counts || !state.centres || told || (config.points && zoom >= POINTS_FROM)) {
        return;
      }
      const corner = map.getPixelBounds().min;
      const box = { minX: corner.x - 40, minY: corner.y - 40, maxX: corner.x + size.x + 40, maxY: corner.y + size.y + 40 };
      const ctx = this._canvas.getContext("2d");
      ctx.scale(ratio, ratio);
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      for (const one of cluster(state.centres, state.counts, zoom, 72, box).reverse()) {
        const r = Math.min(20, 7 + 1.5 * Math.log2(1 + one.count));
        ctx.beginPath();
        ctx.arc(one.x - corner.x, one.y - corner.y, r, 0, 2 * Math.PI);
        ctx.fillStyle = config.theme.surface;
        ctx.globalAlpha = 0.92;
        ctx.fill();
        ctx.globalAlpha = 1;
        ctx.lineWidth = 1.4;
        ctx.strokeStyle = config.theme.text;
        ctx.stroke();
        ctx.fillStyle = config.theme.text;
        ctx.font = `600 12px ${Style.FONT}`;
        ctx.fillText(short(one.count), one.x - corner.x, one.y - corner.y + 0.5);
      }
    },
  });

  function say(text) {
    notice.textContent = text || "";
    notice.hidden = !text;
  }

  async function load(url) {
    const response = await fetch(url, { credentials: "same-origin" });
    if (!response.ok) {
      say(response.status === 401 ? config.words.ended : config.words.failed);
      throw new Error(`${url}: ${response.status}`);
    }
    say("");
    const answer = decode(await response.arrayBuffer());
    answer.tag = response.headers.get("etag");
    return answer;
  }

  async function refresh() {
    const asked = state.pushed;
    const wanted = [load(asked.values), asked.counts === asked.values || !asked.counts ? null : load(asked.counts)];
    if (!state.centres) {
      wanted.push(load(asked.centres));
    }
    const [answer, counts, centres] = await Promise.all(wanted);
    if (asked !== state.pushed) {
      return; // a newer push is on its way
    }
    state.centres = centres || state.centres;
    if (state.moment) {
      return; // a playback holds the map
    }
    const before = [state.answer && state.answer.tag, state.counts && state.counts.tag, state.painted].join();
    state.paint = asked.paint || null;
    state.painted = JSON.stringify(state.paint);
    state.answer = answer;
    state.counts = asked.counts ? counts || answer : null;
    state.nowMin = Math.floor(Date.now() / 60000);
    if (before !== [answer.tag, state.counts && state.counts.tag, state.painted].join()) {
      await Promise.all([repaint(layers.cells), repaint(layers.incidents)]);
      bubbles.redraw();
    }
    timing.painted = performance.now();
    timing.paints = (timing.paints || 0) + 1;
    map.getContainer().dataset.painted = String(timing.paints);
  }

  function show(name, on) {
    const layer = name === "bubbles" ? bubbles : layers[name];
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
    bubbles.redraw();
    choose(push.selected);
    if (push.fly && String(push.fly) !== state.flown) {
      map.setView(push.fly.slice(0, 2), Math.max(map.getZoom(), push.fly[2]), { animate: false });
    }
    state.flown = String(push.fly);
    if (push.fit && String(push.fit) !== state.fitted) {
      map.fitBounds(push.fit, { padding: [48, 48], maxZoom: 16, animate: false });
    }
    state.fitted = String(push.fit);
    mark(push.mark);
    repaint(layers.incidents);
    refresh().catch((error) => console.warn(error.message));
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

  function pick(layer, latlng, brush) {
    if (!layer || !layer._map) {
      return null;
    }
    const found = layer.views.get("").queryFeatures(latlng.lng, latlng.lat, map.getZoom(), brush);
    return found.length ? found[found.length - 1].feature : null;
  }

  function figure(value) {
    return value.toLocaleString(config.lang, { maximumFractionDigits: value < 10 ? 1 : 0 });
  }

  function describeCell(feature) {
    const value = valueOf(state.answer, feature.id);
    const at = state.paint && state.paint.labels ? fillOf(state.answer, feature.id, config.ramps, state.paint).at : null;
    const told = Number.isNaN(value) ? config.words.unknown : value < 0 ? config.words.few : at == null ? figure(value) : state.paint.labels[at];
    return [feature.props.code, `${state.pushed ? state.pushed.metric : ""}: ${told}`];
  }

  function describe(latlng) {
    const incident = pick(layers.incidents, latlng, 8);
    if (incident && state.filter && passes(incident.props, state.filter, state.nowMin)) {
      const props = incident.props;
      return [config.categories[props.category] || props.category, `${config.words[incidentState(props, state.nowMin)]} · ${props.number}`];
    }
    const facility = pick(layers.facilities, latlng, 9);
    if (facility && map.getZoom() >= 13) {
      const name = (config.lang === "zh" && facility.props.name_zh) || facility.props.name;
      const kind = config.kinds[facility.props.kind] || facility.props.kind;
      return name ? [name, kind] : [kind];
    }
    const component = pick(layers.components, latlng, 6);
    if (component && map.getZoom() >= 16) {
      return [(config.lang === "zh" && component.props.name_zh) || component.props.name_en, component.props.code];
    }
    const road = pick(layers.traffic, latlng, 5);
    if (road && road.props.speed) {
      return [road.props.name || "", `${road.props.speed} km/h · ${road.props.signed ? config.words.signed : config.words.usual}`].filter(Boolean);
    }
    return null;
  }

  function onMove(event) {
    const cell = pick(layers.cells, event.latlng, 1);
    const shown = state.pushed && state.pushed.visible.grids;
    const lines = describe(event.latlng) || (shown && cell && cell.props.code ? describeCell(cell) : null);
    const id = shown && cell && map.getZoom() >= 13 ? cell.id : null;
    if (id !== state.hovered) {
      state.hovered = id;
      repaint(layers.outline);
    }
    if (!lines) {
      tooltip.remove();
      return;
    }
    const box = document.createElement("div");
    lines.forEach((line, at) => {
      const row = box.appendChild(document.createElement(at ? "div" : "strong"));
      row.textContent = line;
    });
    tooltip.setLatLng(event.latlng).setContent(box).addTo(map);
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
    layers = buildLayers();
    pane("gk-bubbles", 270);
    bubbles = new Bubbles();
    for (const name of config.cells === false ? ["ground", "roads", "names"] : ["ground", "cells", "roads", "outline", "names"]) {
      layers[name].addTo(map);
    }
    layers.cells.once("load", () => {
      timing.cells = performance.now();
      container.dataset.cells = "1";
    });
    layers.names.once("load", () => {
      timing.ground = performance.now();
      container.dataset.ground = "1";
    });
    map.attributionControl.setPrefix(false).addAttribution(config.attribution);
    map.zoomControl.setPosition("topright");
    L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
    tooltip = L.tooltip({ direction: "top", offset: [0, -8], className: "gk-tooltip", opacity: 1 });
    let waiting = 0;
    map.on("mousemove", (event) => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => onMove(event));
    });
    map.on("mouseout", () => {
      tooltip.remove();
      state.hovered = null;
      repaint(layers.outline);
    });
    map.on("click", (event) => {
      const cell = pick(layers.cells, event.latlng, 1);
      choose(cell ? cell.id : null);
    });
    setInterval(() => {
      if (!document.hidden && state.pushed) {
        refresh().catch((error) => console.warn(error.message));
      }
    }, REFRESH_MS);
  }

  /**
   * Show one moment of a playback in the place of the answers that were fetched: {answer, paint, filter}; its counts
   * fill the grids and the circles, its filter chooses the points. Nothing is fetched. Null goes back.
   */
  async function moment(shown) {
    state.moment = shown;
    if (!shown) {
      state.answer = null;
      state.filter = state.pushed.filter;
      await refresh();
      repaint(layers.incidents);
      return;
    }
    state.answer = shown.answer;
    state.counts = state.pushed.counts ? shown.answer : null;
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

  return { attach, update, moment, dots, timing, state };
})();
