"use strict";
/* Layers that are told and not programmed: painted from the rules of the registry; the source of all tiles; heat. */

const GridkeeperLayers = (() => {
  const { between, cluster, gather, heat, incidentState, ramped, short, valueOf } = GridkeeperData;
  const { FONT, trace } = GridkeeperStyle;
  const missing = new Set();
  const HEAT_STEP_PX = 4;
  const NAME_PX = 7; // half the height of a place's name
  const PAUSES_MS = [1500, 4000]; // before a tile is asked for again, or half as long again: not all maps at once
  const DRAWN_AFTER = "moveend resize"; // each zoom ends as a move, so this is once

  /** Resolves after a pause, at once when the tile is left behind: who comes back to its zoom must not wait for it. */
  function pause(least, signal) {
    return new Promise((done) => {
      const timer = setTimeout(done, least * (1 + Math.random() / 2));
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        done();
      }, { once: true });
    });
  }

  /**
   * Return what protomaps-leaflet takes for a file of tiles: our own address, and who is told when it fails.
   * A tile that the server has no time for is asked for again after some moments, at most twice and only while it is
   * wanted; any other that failed is not kept and asked for again when the map moves.
   */
  function source(url, name, tell, wanted = () => true) {
    return {
      async getZxy(z, x, y, signal) {
        const address = url.replace("{z}", z).replace("{x}", x).replace("{y}", y);
        let response;
        try {
          response = await fetch(address, { signal, credentials: "same-origin" });
          for (const least of PAUSES_MS) {
            if (response.status !== 503) {
              break;
            }
            await pause(least, signal);
            if (signal?.aborted || !wanted(z, x, y)) {
              throw Object.assign(new Error(`${address}: left behind`), { name: "AbortError" });
            }
            response = await fetch(address, { signal, credentials: "same-origin" });
          }
        } catch (error) {
          if (error.name !== "AbortError") {
            missing.add(name);
            tell();
          }
          throw error;
        }
        if (!response.ok) {
          missing.add(name);
          tell(response.status);
          throw new Error(`${address}: ${response.status}`);
        }
        if (missing.delete(name)) {
          tell();
        }
        return { data: await response.arrayBuffer() };
      },
    };
  }

  function colourOf(rule, feature, fallback) {
    return typeof rule.colour === "string" ? rule.colour : rule.colour.of[feature.props[rule.colour.by]] || fallback;
  }

  /** The hour of the usual day that roads are drawn at; null: as they are now. */
  let hour = null;

  function atHour(next) {
    hour = next;
  }

  /** Return the class of a road at an hour by its usual speeds, "30,,45": the share of the free speed; -1 unknown. */
  function hourClass(props, shares, at) {
    const kmh = Number((props.hours || "").split(",")[at] || NaN);
    return kmh > 0 && props.free > 0 ? shares.filter((share) => kmh < share * props.free).length : -1;
  }

  function wanted(rule, geomType) {
    const pairs = Object.entries(rule.where || {});
    return (z, f) => {
      if (f.geomType !== geomType || z < (rule.from || 0)) {
        return false;
      }
      if (rule.hourly && hour !== null) {
        return hourClass(f.props, rule.hourly, hour) === rule.where.class;
      }
      return pairs.every(([name, value]) => f.props[name] === value);
    };
  }

  const PAINTERS = {
    line(rule, fallback) {
      return {
        draw(ctx, geom, z, feature) {
          ctx.globalAlpha = rule.alpha || 1;
          ctx.strokeStyle = colourOf(rule, feature, fallback);
          ctx.lineWidth = between(rule.width, z);
          ctx.lineJoin = "round";
          ctx.setLineDash(rule.dash || []);
          trace(ctx, geom);
          ctx.stroke();
          ctx.setLineDash([]);
        },
      };
    },
    area(rule, fallback) {
      return {
        draw(ctx, geom, z, feature) {
          const colour = colourOf(rule, feature, fallback);
          trace(ctx, geom);
          ctx.globalAlpha = rule.alpha || 1;
          ctx.fillStyle = colour;
          ctx.fill();
          if (rule.line) {
            ctx.globalAlpha = 0.9;
            ctx.strokeStyle = colour;
            ctx.lineWidth = 1.2;
            ctx.stroke();
          }
        },
      };
    },
    dot(rule, fallback, theme) {
      return {
        draw(ctx, geom, z, feature) {
          const r = Array.isArray(rule.radius) ? between(rule.radius, z) : rule.radius;
          const at = geom[0][0];
          ctx.globalAlpha = 1;
          ctx.beginPath();
          ctx.arc(at.x, at.y, r, 0, 2 * Math.PI);
          ctx.fillStyle = colourOf(rule, feature, fallback);
          ctx.fill();
          ctx.strokeStyle = theme.surface;
          ctx.lineWidth = 1.3;
          ctx.stroke();
          const words = (rule.words || []).map((name) => feature.props[name]).join(" ");
          if (!words || z < (rule.words_from || 0)) {
            return;
          }
          ctx.textAlign = "center";
          ctx.textBaseline = "middle";
          ctx.font = `600 ${rule.inside ? 10 : 12}px ${FONT}`;
          ctx.fillStyle = rule.inside ? theme.surface : theme.text;
          if (!rule.inside) {
            ctx.lineWidth = 3;
            ctx.strokeStyle = theme.halo;
            ctx.strokeText(words, at.x, at.y + r + 9);
          }
          ctx.fillText(words, at.x, rule.inside ? at.y + 0.5 : at.y + r + 9);
        },
      };
    },
  };
  const GEOMETRY = { line: [2, 3], area: [3], dot: [1] };

  /** Return {paintRules, labels} of a layer the registry tells: lines, areas, dots and words, lowest first. */
  function drawnRules(entry, config) {
    const paintRules = [];
    const labels = [];
    for (const rule of entry.drawn) {
      if (rule.as === "words") {
        const names = config.lang === "zh" ? ["name_zh", "name"] : ["name"];
        labels.push({
          dataLayer: rule.of,
          minzoom: rule.from,
          symbolizer: new protomapsL.CenteredTextSymbolizer({ labelProps: names, font: `600 12px ${FONT}`, fill: rule.colour, stroke: config.theme.halo, width: 2, lineHeight: 1.2, maxLineChars: 16 }),
        });
        continue;
      }
      for (const geomType of GEOMETRY[rule.as]) {
        paintRules.push({ dataLayer: rule.of, filter: wanted(rule, geomType), symbolizer: PAINTERS[rule.as](rule, config.theme.muted, config.theme) });
      }
    }
    return { paintRules, labels };
  }

  /** Return what is told of a feature of such a layer, null when it has no words. */
  function described(entry, feature, lang) {
    const rule = entry.drawn.find((one) => one.tip && one.of === feature.layerName);
    if (!rule) {
      return null;
    }
    const props = feature.feature.props;
    const named = lang === "zh" && props.name_zh ? props.name_zh : props.name;
    const usual = rule.hourly && hour !== null ? (props.hours || "").split(",")[hour] : null;
    const told = rule.tip.map((name) => (name === "name" ? named : name === "kmh" && usual !== null ? usual : props[name])).filter((value) => value != null && value !== "");
    return [entry.title, told.join(" · ")];
  }

  /** The counts as a surface: spread over about 24 px in the browser, so that a filter needs no tile. */
  const Heat = L.Layer.extend({
    initialize(state, config) {
      this._state = state;
      this._config = config;
    },
    onAdd(map) {
      this._canvas = L.DomUtil.create("canvas", "leaflet-zoom-hide", map.getPane("gk-heat"));
      map.on(DRAWN_AFTER, this.draw, this);
      this.draw();
    },
    onRemove(map) {
      this._canvas.remove();
      map.off(DRAWN_AFTER, this.draw, this);
    },
    draw() {
      const map = this._map;
      const { centres, heated } = this._state;
      if (!map || !centres || !heated) {
        return;
      }
      const size = map.getSize();
      const width = Math.ceil(size.x / HEAT_STEP_PX);
      const height = Math.ceil(size.y / HEAT_STEP_PX);
      const corner = map.getPixelBounds().min;
      const surface = heat(centres, (id) => valueOf(heated, id), map.getZoom(), corner, HEAT_STEP_PX, width, height);
      this._canvas.width = width;
      this._canvas.height = height;
      this._canvas.style.width = `${width * HEAT_STEP_PX}px`;
      this._canvas.style.height = `${height * HEAT_STEP_PX}px`;
      L.DomUtil.setPosition(this._canvas, map.containerPointToLayerPoint([0, 0]));
      const image = new ImageData(ramped(surface, this._config.ramps["5"]), width, height);
      this._canvas.getContext("2d").putImageData(image, 0, 0);
    },
  });

  /** Draw an incident's shape; the state is never told by colour alone. */
  function drawIncident(ctx, x, y, r, state, colour, surface) {
    ctx.globalAlpha = state === "closed" ? 0.7 : 1;
    ctx.beginPath();
    if (state === "overdue") {
      ctx.moveTo(x, y - r * 1.35);
      ctx.lineTo(x + r * 1.35, y);
      ctx.lineTo(x, y + r * 1.35);
      ctx.lineTo(x - r * 1.35, y);
      ctx.closePath();
    } else if (state === "soon") {
      ctx.moveTo(x, y - r * 1.25);
      ctx.lineTo(x + r * 1.2, y + r * 0.9);
      ctx.lineTo(x - r * 1.2, y + r * 0.9);
      ctx.closePath();
    } else {
      ctx.arc(x, y, state === "closed" ? r * 0.72 : r, 0, 2 * Math.PI);
    }
    if (state === "closed") {
      ctx.fillStyle = surface;
      ctx.fill();
      ctx.strokeStyle = colour;
      ctx.lineWidth = r < 4 ? 1 : 1.6;
      ctx.stroke();
      return;
    }
    ctx.fillStyle = colour;
    ctx.fill();
    ctx.strokeStyle = surface;
    ctx.lineWidth = 1.3;
    ctx.stroke();
  }

  const WORST_LAST = ["closed", "ontime", "soon", "overdue"];
  const TILE_PX = 256;
  const SINGLE_FROM = 17; // from here on every point stands alone

  function drawGroup(ctx, one, colour, theme) {
    const r = Math.min(13, 8 + Math.log2(one.count));
    ctx.globalAlpha = 0.95;
    ctx.beginPath();
    ctx.arc(one.x, one.y, r, 0, 2 * Math.PI);
    ctx.fillStyle = theme.surface;
    ctx.fill();
    ctx.globalAlpha = 1;
    ctx.lineWidth = 2;
    ctx.strokeStyle = colour;
    ctx.stroke();
    ctx.font = `600 11px ${FONT}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillStyle = theme.text;
    ctx.fillText(short(one.count), one.x, one.y + 0.5);
  }

  /** Return the paint rules of incident points: gathered while they are close, closed below, late on top. */
  function incidentRules(state, config, passes) {
    const { theme } = config;
    const colours = { overdue: theme.overdue, soon: theme.due_soon, ontime: theme.on_time, closed: theme.closed };
    const tile = { points: [] };
    const collect = {
      before() {
        tile.points = [];
      },
      draw(ctx, geom, z, feature) {
        const at = ctx.getTransform();
        const x = geom[0][0].x + at.e / at.a;
        const y = geom[0][0].y + at.f / at.d;
        if (z >= SINGLE_FROM || (x >= 0 && x < TILE_PX && y >= 0 && y < TILE_PX)) {
          const colour = config.categoryColours[feature.props.category] || theme.muted;
          tile.points.push({ x, y, rank: WORST_LAST.indexOf(incidentState(feature.props, state.nowMin)), colour });
        }
      },
    };
    const flush = {
      before(ctx, z) {
        const near = z >= SINGLE_FROM ? 6 : z >= 16 ? 5 : 4;
        const made = z >= SINGLE_FROM ? gather(tile.points, 0.5, 2, -TILE_PX, TILE_PX) : gather(tile.points, 34, 3, 14, TILE_PX);
        tile.points = [];
        const rank = (one) => Math.max(0, ...one.members.map((member) => member.rank));
        for (const one of made.sort((a, b) => rank(a) - rank(b))) {
          const stands = WORST_LAST[rank(one)];
          if (one.count > 1) {
            drawGroup(ctx, one, colours[stands], theme);
            continue;
          }
          // What is closed stays small and pale until one is near: it must not hide what is open.
          const r = stands === "closed" && z < SINGLE_FROM ? near - 2 : near;
          const colour = state.colourBy === "category" ? one.members[0].colour : colours[stands];
          drawIncident(ctx, one.x, one.y, r, stands, colour, theme.surface);
        }
      },
      draw() {},
    };
    return [
      { dataLayer: "incident", filter: (z, f) => passes(f.props, state.filter, state.nowMin), symbolizer: collect },
      { dataLayer: "incident", filter: () => false, symbolizer: flush },
    ];
  }

  /** Counts as circles where points would be too many: added up from the value arrays, no tiles. */
  const Bubbles = L.Layer.extend({
    initialize(state, config, hidden) {
      this._state = state;
      this._config = config;
      this._hidden = hidden;
    },
    onAdd(map) {
      this._canvas = L.DomUtil.create("canvas", "leaflet-zoom-hide", map.getPane("gk-bubbles"));
      map.on(DRAWN_AFTER, this.draw, this);
      this.draw();
    },
    onRemove(map) {
      this._canvas.remove();
      map.off(DRAWN_AFTER, this.draw, this);
    },
    redraw() {
      if (this._map) {
        this.draw();
      }
    },
    draw() {
      const map = this._map;
      const { theme } = this._config;
      const { counts, centres } = this._state;
      const size = map.getSize();
      const ratio = window.devicePixelRatio || 1;
      this._canvas.width = size.x * ratio;
      this._canvas.height = size.y * ratio;
      this._canvas.style.width = `${size.x}px`;
      this._canvas.style.height = `${size.y}px`;
      L.DomUtil.setPosition(this._canvas, map.containerPointToLayerPoint([0, 0]));
      const zoom = map.getZoom();
      if (!counts || !centres || this._hidden(zoom)) {
        return;
      }
      const corner = map.getPixelBounds().min;
      const box = { minX: corner.x - 40, minY: corner.y - 40, maxX: corner.x + size.x + 40, maxY: corner.y + size.y + 40 };
      const ctx = this._canvas.getContext("2d");
      ctx.scale(ratio, ratio);
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      for (const one of cluster(centres, counts, zoom, 72, box).reverse()) {
        const r = Math.min(18, 7 + 1.4 * Math.log2(1 + one.count));
        const x = one.x - corner.x;
        const y = one.y - corner.y - r - NAME_PX; // above the place, so that its name stays to be read
        ctx.beginPath();
        ctx.arc(x, y, r, 0, 2 * Math.PI);
        ctx.fillStyle = theme.surface;
        ctx.globalAlpha = 0.92;
        ctx.fill();
        ctx.globalAlpha = 1;
        ctx.lineWidth = 1.4;
        ctx.strokeStyle = theme.text;
        ctx.stroke();
        ctx.fillStyle = theme.text;
        ctx.font = `600 12px ${FONT}`;
        ctx.fillText(short(one.count), x, y + 0.5);
      }
    },
  });

  return { SINGLE_FROM, source, missing, atHour, hourClass, drawnRules, described, incidentRules, Heat, Bubbles };
})();
