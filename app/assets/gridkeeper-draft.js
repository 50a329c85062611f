"use strict";
/* A draft of grids on the map: its cells from tiles, the picked ones, what the pointer is on. */

const GridkeeperDraft = (() => {
  let map, config, layer, tooltip;
  let waiting = 0;
  const state = { version: null, colours: {}, picked: new Set(), hovered: null, hand: false, round: null, clicks: 0, tint: null };

  function trace(ctx, geom) {
    ctx.beginPath();
    for (const part of geom) {
      ctx.moveTo(part[0].x, part[0].y);
      for (let i = 1; i < part.length; i += 1) {
        ctx.lineTo(part[i].x, part[i].y);
      }
    }
  }

  /** The colour of a cell: of its class where cells are coloured by a measure, else of its responsibility grid. */
  function colourOf(feature) {
    const tint = state.tint;
    return tint ? tint.colours[Number(tint.digits[feature.id - tint.first])] : state.colours[feature.props.area];
  }

  function fillRule(theme) {
    return {
      dataLayer: "cell",
      symbolizer: {
        draw(ctx, geom, z, feature) {
          const colour = colourOf(feature);
          trace(ctx, geom);
          ctx.globalAlpha = colour ? (state.tint ? 0.7 : 0.45) : 0.06;
          ctx.fillStyle = colour || theme.closed;
          ctx.fill();
          ctx.globalAlpha = z >= 14 ? 0.8 : z >= 13 ? 0.45 : z >= 12 ? 0.2 : 0;
          ctx.strokeStyle = theme.primary;
          ctx.lineWidth = z >= 15 ? 1.2 : 0.7;
          ctx.stroke();
        },
      },
    };
  }

  function markRule(theme, wanted, width, alpha) {
    return {
      dataLayer: "cell",
      filter: (z, f) => wanted(f.id),
      symbolizer: {
        draw(ctx, geom, z, feature) {
          trace(ctx, geom);
          ctx.globalAlpha = alpha;
          ctx.fillStyle = colourOf(feature) || theme.closed;
          ctx.fill();
          ctx.globalAlpha = 1;
          ctx.strokeStyle = theme.text;
          ctx.lineWidth = width;
          ctx.setLineDash([]);
          ctx.stroke();
        },
      },
    };
  }

  /** Why a border is there: its colour and dashes say it, the pointer reads it. */
  function reasonRule(kind) {
    const [colour, dashes] = config.reasons[kind];
    return {
      dataLayer: "border",
      minzoom: 14,
      filter: (z, f) => f.props.kind === kind,
      symbolizer: {
        draw(ctx, geom, z) {
          trace(ctx, geom);
          ctx.globalAlpha = 0.95;
          ctx.strokeStyle = colour;
          ctx.lineWidth = z >= 16 ? 3 : 2;
          ctx.setLineDash(dashes ? dashes.split(" ").map(Number) : []);
          ctx.stroke();
          ctx.setLineDash([]);
        },
      },
    };
  }

  function build(version) {
    const theme = config.theme;
    return protomapsL.leafletLayer({
      url: `/tiles/draft/${config.change}/${version}/{z}/{x}/{y}.mvt`,
      paintRules: [
        fillRule(theme),
        ...Object.keys(config.reasons).map(reasonRule),
        markRule(theme, (id) => id === state.hovered && !state.picked.has(id), 1.4, 0.2),
        markRule(theme, (id) => state.picked.has(id), 3, 0.6),
      ],
      labelRules: [],
      pane: "gk-draft",
      maxDataZoom: 15,
      maxZoom: 20,
      bounds: config.bounds,
      attribution: "",
      lang: config.lang,
      keepBuffer: 1,
    });
  }

  function repaint() {
    if (!layer || !layer._map) {
      return;
    }
    for (const key in layer._tiles) {
      const coords = layer._wrapCoords(layer._keyToTileCoords(key));
      layer.renderTile(coords, layer._tiles[key].el, layer._tileCoordsToKey(coords));
    }
  }

  /** Show another version: the old one stays until the new one is drawn. */
  function swap(version) {
    const old = layer;
    layer = build(version);
    layer.once("load", () => {
      if (old) {
        old.remove();
      }
      map.getContainer().dataset.draft = String(version);
    });
    layer.addTo(map);
    map.eachLayer((each) => {
      if (each instanceof L.Polyline && !(each instanceof L.Polygon)) {
        each.remove(); // a drawn line has cut once
      }
    });
  }

  function featureAt(latlng, name, reach) {
    if (!layer || !layer._map) {
      return null;
    }
    const found = layer.views.get("").queryFeatures(latlng.lng, latlng.lat, map.getZoom(), reach);
    const named = found.filter((each) => each.layerName === name);
    return named.length ? named[named.length - 1].feature : null;
  }

  function cellAt(latlng) {
    return featureAt(latlng, "cell", 1);
  }

  /** Return why the border under the pointer is there, in words; nothing away from borders. */
  function reasonAt(latlng) {
    const border = map.getZoom() >= 14 ? featureAt(latlng, "border", 6) : null;
    if (!border) {
      return "";
    }
    const word = config.reasons[border.props.kind][2];
    return border.props.name ? `${border.props.name} (${word})` : word;
  }

  function onMove(event) {
    const cell = map.getZoom() >= 12 ? cellAt(event.latlng) : null;
    const id = cell && map.getZoom() >= 14 ? cell.id : null;
    if (id !== state.hovered) {
      state.hovered = id;
      repaint();
    }
    if (!cell || !cell.props.code) {
      tooltip.remove();
      return;
    }
    const box = document.createElement("div");
    const size = `${(cell.props.m2 / 1e4).toLocaleString(config.lang, { maximumFractionDigits: 2 })} ha`;
    const why = reasonAt(event.latlng);
    const lines = [cell.props.code, [size, cell.props.area].filter(Boolean).join(" · "), why && `${config.words.border}: ${why}`];
    lines.filter(Boolean).forEach((line, at) => {
      box.appendChild(document.createElement(at ? "div" : "strong")).textContent = line;
    });
    tooltip.setLatLng(event.latlng).setContent(box).addTo(map);
  }

  function onClick(event) {
    const cell = state.hand ? cellAt(event.latlng) : null;
    if (!cell) {
      return;
    }
    // Marked at once, and the whole list goes along with the place of the click: a page that is busy, or that hears
    // only the last of several quick clicks, misses none.
    if (!state.picked.delete(cell.id)) {
      state.picked.add(cell.id);
    }
    state.clicks += 1;
    event.latlng.picked = [...state.picked];
    event.latlng.clicks = state.clicks;
    event.latlng.round = state.round;
    map.getContainer().dataset.picked = String(state.picked.size);
    repaint();
  }

  function attach(leafletMap, settings) {
    map = leafletMap;
    config = settings;
    layer = null;
    Object.assign(state, { version: null, colours: {}, picked: new Set(), hovered: null, hand: false, round: null, clicks: 0, tint: null });
    map.createPane("gk-draft").style.zIndex = 215;
    map.getPane("gk-draft").style.pointerEvents = "none";
    tooltip = L.tooltip({ direction: "top", offset: [0, -8], className: "gk-tooltip", opacity: 1 });
    map.on("mousemove", (event) => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => onMove(event));
    });
    map.on("mouseout", () => {
      tooltip.remove();
      state.hovered = null;
      repaint();
    });
    map.on("click", onClick);
  }

  /** Take over what the page says: version, colours of the areas, picked cells, whether a click picks. */
  function update(push) {
    state.colours = push.colours;
    state.hand = push.hand;
    state.tint = push.tint;
    if (push.round !== state.round) {
      state.round = push.round;
      state.clicks = push.clicks; // a map that was just put goes on counting where the page is
      state.picked = new Set(push.picked);
    } else if (push.clicks >= state.clicks) {
      state.picked = new Set(push.picked); // an answer to earlier clicks does not undo later ones
    }
    map.getContainer().dataset.picked = String(state.picked.size);
    if (state.version !== push.version) {
      state.version = push.version;
      swap(push.version);
    } else {
      repaint();
    }
  }

  return { attach, update, state };
})();
