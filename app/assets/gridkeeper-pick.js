"use strict";
/* What the pointer is on: words beside it, and the card of an incident; no pin opens by accident. */

const GridkeeperPick = (() => {
  const { fillOf, incidentState, passes, valueOf } = GridkeeperData;
  const { SINGLE_FROM, described } = GridkeeperLayers;
  const SURE_PX = 12; // so near a pin a click means it
  const CROWD_PX = 20; // with another one so near it might mean that: both are offered, none opens
  const MOST = 8;

  function element(kind, text, parent) {
    const made = parent.appendChild(document.createElement(kind));
    made.textContent = text;
    return made;
  }

  return (map, { config, state, layers, choose, repaint }) => {
    const { words } = config;
    const tooltip = L.tooltip({ direction: "top", offset: [0, -8], className: "gk-tooltip", opacity: 1 });
    let waiting = 0;

    function all(layer, latlng, brush) {
      return layer && layer._map ? layer.views.get("").queryFeatures(latlng.lng, latlng.lat, map.getZoom(), brush) : [];
    }

    function pick(layer, latlng, brush) {
      const found = all(layer, latlng, brush);
      return found.length ? found[found.length - 1].feature : null;
    }

    /** Return the incidents within some pixels that pass the filter, each once. */
    function incidents(latlng, brush) {
      const found = new Map();
      if (state.filter) {
        for (const { feature } of all(layers.incidents, latlng, brush)) {
          if (passes(feature.props, state.filter, state.nowMin)) {
            found.set(feature.id, feature);
          }
        }
      }
      return [...found.values()];
    }

    function tellOf(feature) {
      const { props } = feature;
      return [config.categories[props.category] || props.category, `${words[incidentState(props, state.nowMin)]} · ${props.number}`];
    }

    function figure(value, digits) {
      return value.toLocaleString(config.lang, { maximumFractionDigits: value < 10 ? digits : 0 });
    }

    /** Return what a place says: while a playback runs the words are its own, and a blank 0 is a place without a value. */
    function surface(answer, feature) {
      const shown = (answer === state.answer && state.moment) || state.pushed || {};
      const value = valueOf(answer, feature.id);
      const at = state.paint && state.paint.labels ? fillOf(answer, feature.id, config.ramps, state.paint).at : null;
      const told = Number.isNaN(value) || (shown.blank && !value) ? words.unknown : value < 0 ? words.few : at == null ? figure(value, shown.blank ? 2 : 1) : state.paint.labels[at];
      const name = (config.lang === "zh" && feature.props.name_zh) || feature.props.name || feature.props.code;
      return [name, `${shown.metric || ""}: ${told}`];
    }

    function describe(latlng) {
      const near = incidents(latlng, 8);
      if (near.length) {
        return near.length === 1 ? tellOf(near[0]) : [words.several.replace("{count}", near.length), ...(map.getZoom() < SINGLE_FROM ? [words.closer] : [])];
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
      for (const entry of config.layers || []) {
        for (const found of all(layers[entry.key], latlng, 8).reverse()) {
          const told = described(entry, found, config.lang);
          if (told) {
            return told;
          }
        }
      }
      const road = pick(layers.traffic, latlng, 5);
      if (road && road.props.speed) {
        return [road.props.name || "", `${road.props.speed} km/h · ${road.props.signed ? words.signed : words.usual}`].filter(Boolean);
      }
      return null;
    }

    function filled(latlng) {
      const cell = pick(layers.cells, latlng, 1);
      if (cell && map.getZoom() >= (layers.cells.options.minZoom || 0)) {
        return { cell, told: cell.props.code ? surface(state.answer, cell) : null };
      }
      const parent = map.getZoom() <= layers.parents.options.maxZoom ? pick(layers.parents, latlng, 1) : null;
      return { cell: null, told: parent ? surface(state.parents, parent) : null };
    }

    function point(id) {
      if (id !== state.hovered) {
        state.hovered = id;
        repaint(layers.outline);
      }
    }

    function onMove(event) {
      const shown = state.pushed && state.pushed.visible.grids;
      const { cell, told } = shown ? filled(event.latlng) : { cell: null, told: null };
      const lines = describe(event.latlng) || told;
      point(cell && map.getZoom() >= 13 ? cell.id : null);
      if (!lines) {
        tooltip.remove();
        return;
      }
      const box = document.createElement("div");
      lines.forEach((line, at) => element(at ? "div" : "strong", line, box));
      tooltip.setLatLng(event.latlng).setContent(box).addTo(map);
    }

    /** Offer what was clicked on: the one pin that was meant, or all that might have been; none opens by itself. */
    function card(latlng) {
      const crowd = incidents(latlng, CROWD_PX);
      const sure = incidents(latlng, SURE_PX);
      if (!sure.length) {
        return;
      }
      const box = document.createElement("div");
      box.className = "gk-card";
      for (const feature of crowd.slice(0, MOST)) {
        const [title, rest] = tellOf(feature);
        const row = box.appendChild(document.createElement("div"));
        const link = element("a", title, row);
        link.href = `/incidents?incident=${encodeURIComponent(feature.id)}`;
        link.target = "_parent";
        element("span", rest, row);
      }
      if (crowd.length > MOST) {
        element("p", words.more.replace("{count}", crowd.length - MOST), box);
      }
      L.popup({ className: "gk-popup", closeButton: true, autoPan: true, maxWidth: 280 }).setLatLng(latlng).setContent(box).openOn(map);
    }

    map.on("mousemove", (event) => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => onMove(event));
    });
    map.on("mouseout", () => {
      tooltip.remove();
      point(null);
    });
    map.on("click", (event) => {
      const cell = pick(layers.cells, event.latlng, 1);
      choose(cell ? cell.id : null);
      card(event.latlng);
    });
  };
})();

if (typeof module !== "undefined") {
  module.exports = GridkeeperPick;
}
