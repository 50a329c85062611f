"use strict";
/* How the map is drawn: symbolizers and rules for protomaps-leaflet, from the tokens that Python sends. */

const GridkeeperStyle = (() => {
  const { between, fillOf, incidentState, limitColour } = GridkeeperData;
  const FONT = '"Source Sans", "Source Sans 3", "Noto Sans", "Segoe UI", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif';

  const ROAD_WIDTH = {
    motorway: [[8, 1.4], [12, 3], [15, 6], [17, 11], [19, 20]],
    trunk: [[8, 1.3], [12, 2.8], [15, 6], [17, 11], [19, 20]],
    primary: [[8, 1], [12, 2.4], [15, 5.5], [17, 10], [19, 19]],
    secondary: [[9, 0.7], [12, 1.9], [15, 4.8], [17, 9], [19, 17]],
    tertiary: [[11, 0.8], [13, 1.6], [15, 4], [17, 8], [19, 15]],
    minor: [[12, 0.4], [13, 0.7], [14, 1.3], [15, 2.4], [16, 3.6], [17, 6], [19, 13]],
    service: [[13, 0.3], [15, 1.2], [17, 2.6], [19, 7]],
    path: [[14, 0.5], [16, 0.9], [18, 1.6]],
  };
  const ROAD_ORDER = ["service", "minor", "tertiary", "secondary", "primary", "trunk", "motorway"];

  function trace(ctx, geom) {
    ctx.beginPath();
    for (const part of geom) {
      ctx.moveTo(part[0].x, part[0].y);
      for (let i = 1; i < part.length; i += 1) {
        ctx.lineTo(part[i].x, part[i].y);
      }
    }
  }

  /** A symbolizer that only strokes; width and colour by zoom and feature. */
  function stroke(colour, width, { dash = null, cap = "round", alpha = 1 } = {}) {
    return {
      draw(ctx, geom, z, feature) {
        const lineWidth = width(z, feature);
        if (lineWidth <= 0) {
          return;
        }
        ctx.globalAlpha = alpha;
        ctx.strokeStyle = typeof colour === "function" ? colour(feature) : colour;
        ctx.lineWidth = lineWidth;
        ctx.lineCap = cap;
        ctx.lineJoin = "round";
        ctx.setLineDash(dash ? dash(z, feature) : []);
        trace(ctx, geom);
        ctx.stroke();
        ctx.setLineDash([]);
      },
    };
  }

  function fill(colour, line) {
    return {
      draw(ctx, geom, z, feature) {
        ctx.globalAlpha = 1;
        ctx.fillStyle = typeof colour === "function" ? colour(feature) : colour;
        trace(ctx, geom);
        ctx.fill();
        if (line && z >= 16) {
          ctx.strokeStyle = line;
          ctx.lineWidth = 0.7;
          ctx.stroke();
        }
      },
    };
  }

  /** Return the paint rules of the ground: land, cover, buildings. */
  function groundRules(theme) {
    const cover = { water: theme.water, sea: theme.water, green: theme.green, wood: theme.wood, sand: theme.sand, farmland: theme.farmland };
    const isArea = (z, f) => f.geomType === 3;
    return [
      { dataLayer: "land", symbolizer: fill(theme.land) },
      { dataLayer: "cover", filter: isArea, symbolizer: fill((f) => cover[f.props.kind] || theme.water) },
      { dataLayer: "cover", filter: (z, f) => f.geomType === 2, minzoom: 11, symbolizer: stroke(theme.water, (z) => between([[11, 0.6], [14, 1.6], [17, 4]], z)) },
      { dataLayer: "building", minzoom: 14, symbolizer: fill(theme.building, theme.building_line) },
    ];
  }

  /** Return the paint rules of the roads: casings below, fills above, by class. */
  function roadRules(theme) {
    const rules = [];
    const of = (name) => (z, f) => f.props.class === name && !f.props.tunnel;
    rules.push({ dataLayer: "road", minzoom: 14, filter: of("path"), symbolizer: stroke(theme.path, (z) => between(ROAD_WIDTH.path, z), { dash: () => [3, 2], cap: "butt" }) });
    rules.push({ dataLayer: "road", minzoom: 13, filter: (z, f) => f.props.tunnel, symbolizer: stroke(theme.casing, (z, f) => between(ROAD_WIDTH[f.props.class], z), { dash: () => [4, 4], cap: "butt", alpha: 0.6 }) });
    for (const name of ROAD_ORDER) {
      const least = name === "service" ? 15 : name === "minor" ? 13 : 0;
      rules.push({ dataLayer: "road", minzoom: least, filter: of(name), symbolizer: stroke(theme.casing, (z) => between(ROAD_WIDTH[name], z) + (z < 12 ? 0.8 : 1.5)) });
    }
    for (const name of ROAD_ORDER) {
      rules.push({ dataLayer: "road", filter: of(name), symbolizer: stroke(theme.road, (z) => between(ROAD_WIDTH[name], z)) });
    }
    return rules;
  }

  /** Return the label rules: places first, then roads, the larger before the smaller. */
  function labelRules(theme, lang) {
    const P = protomapsL;
    const names = lang === "zh" ? ["name_zh", "name"] : ["name"];
    const place = (kinds, size, weight, minzoom, maxzoom, colour) => ({
      dataLayer: "place",
      minzoom,
      maxzoom,
      filter: (z, f) => kinds.includes(f.props.kind),
      sort: (a, b) => (b.people || 0) - (a.people || 0),
      symbolizer: new P.CenteredTextSymbolizer({ labelProps: names, font: (z) => `${weight} ${size + (z > 13 ? 2 : 0)}px ${FONT}`, fill: colour, stroke: theme.halo, width: 1.6, lineHeight: 1.2, maxLineChars: 16 }),
    });
    const road = (classes, minzoom, size) => ({
      dataLayer: "road_name",
      minzoom,
      filter: (z, f) => classes.includes(f.props.class),
      symbolizer: new P.LineLabelSymbolizer({ labelProps: names, font: `${size}px ${FONT}`, fill: theme.label, stroke: theme.halo, width: 3, position: 2, repeatDistance: 400, maxLabelChars: 34 }),
    });
    return [
      place(["city", "town"], 13, 600, 6, 16, theme.text),
      place(["village"], 11, 600, 12, 17, theme.text),
      place(["suburb"], 11, 500, 13, 17, theme.label),
      place(["hamlet"], 10, 400, 13, 17, theme.label),
      road(["motorway", "trunk", "primary"], 13, 12),
      road(["secondary", "tertiary"], 14, 12),
      road(["minor", "service"], 16, 11),
    ];
  }

  function hatch(colour) {
    const canvas = document.createElement("canvas");
    canvas.width = 6;
    canvas.height = 6;
    const ctx = canvas.getContext("2d");
    ctx.strokeStyle = colour;
    ctx.lineWidth = 0.8;
    ctx.beginPath();
    ctx.moveTo(-1, 1);
    ctx.lineTo(1, -1);
    ctx.moveTo(0, 6);
    ctx.lineTo(6, 0);
    ctx.moveTo(5, 7);
    ctx.lineTo(7, 5);
    ctx.stroke();
    return canvas;
  }

  /** Return the paint rule of the cells; `state.answer` may change under it. */
  function cellRule(state, config) {
    const pattern = hatch(config.theme.muted);
    return {
      dataLayer: "grid",
      symbolizer: {
        before(ctx) {
          this.hatched = ctx.createPattern(pattern, "repeat");
        },
        draw(ctx, geom, z, feature) {
          const filled = state.answer ? fillOf(state.answer, feature.id, config.ramps, state.paint) : { kind: "none" };
          trace(ctx, geom);
          if (filled.kind === "class" || filled.kind === "few") {
            const colour = filled.kind === "few" ? config.theme.too_few : filled.colour;
            ctx.globalAlpha = filled.kind === "few" ? 0.45 : 1;
            ctx.fillStyle = colour;
            ctx.fill();
            ctx.globalAlpha = filled.kind === "few" ? 0 : 1;
            ctx.strokeStyle = colour; // closes the hairlines between neighbours
            ctx.lineWidth = 0.6;
            ctx.stroke();
          } else if (filled.kind === "unknown" && z >= 12) {
            ctx.globalAlpha = 0.35;
            ctx.fillStyle = this.hatched;
            ctx.fill();
          }
          if (z >= 13) {
            ctx.globalAlpha = z >= 15 ? 0.4 : 0.16;
            ctx.strokeStyle = config.theme.muted;
            ctx.lineWidth = z >= 15 ? 0.7 : 0.5;
            ctx.stroke();
          }
        },
      },
    };
  }

  /** Return the rules of the outlines of the chosen and the pointed-at cell. */
  function outlineRules(state, theme) {
    const chosen = (z, f) => f.id === state.selected;
    const pointed = (z, f) => f.id === state.hovered && f.id !== state.selected;
    return [
      { dataLayer: "grid", filter: pointed, symbolizer: stroke(theme.text, () => 1.2, { alpha: 0.7 }) },
      { dataLayer: "grid", filter: chosen, symbolizer: stroke(theme.surface, () => 5.5) },
      { dataLayer: "grid", filter: chosen, symbolizer: stroke(theme.text, () => 2.6) },
    ];
  }

  /** Return the paint rules of roads by limit: dashed where no sign is known. */
  function limitRules(config) {
    const width = (z, f) => Math.max(1.2, between(ROAD_WIDTH[f.props.class] || ROAD_WIDTH.minor, z) * 0.72);
    const colour = (f) => limitColour(config.limits, f.props.speed);
    return [
      { dataLayer: "limit", filter: (z, f) => !f.props.signed, symbolizer: stroke(colour, (z, f) => width(z, f) * 0.8, { dash: (z) => (z < 13 ? [3, 3] : [6, 5]), cap: "butt", alpha: 0.8 }) },
      { dataLayer: "limit", filter: (z, f) => f.props.signed, symbolizer: stroke(colour, width) },
    ];
  }

  /** Return the label rule of facilities: a disc with the sign of its group, its name when near. */
  function facilityRule(config, lang) {
    const signs = {};
    for (const group of config.facilities) {
      for (const kind of group.kinds) {
        signs[kind] = { ...group, path: new Path2D(group.glyph) };
      }
    }
    const fallback = { colour: config.theme.muted, path: new Path2D("M5 8a3 3 0 1 0 6 0a3 3 0 1 0-6 0z"), from_zoom: 13 };
    return {
      dataLayer: "facility",
      filter: (z, f) => z >= (signs[f.props.kind] || fallback).from_zoom,
      symbolizer: {
        place(layout, geom, feature) {
          const at = geom[0][0];
          const sign = signs[feature.props.kind] || fallback;
          const name = (lang === "zh" && feature.props.name_zh) || feature.props.name || "";
          const r = layout.zoom >= 15 ? 9 : 7;
          const draw = (ctx) => {
            ctx.globalAlpha = 1;
            ctx.beginPath();
            ctx.arc(0, 0, r, 0, 2 * Math.PI);
            ctx.fillStyle = sign.colour;
            ctx.fill();
            ctx.lineWidth = 1.5;
            ctx.strokeStyle = config.theme.surface;
            ctx.stroke();
            ctx.save();
            ctx.scale(r / 10.5, r / 10.5);
            ctx.translate(-8, -8);
            ctx.fillStyle = "#FFFFFF";
            ctx.fill(sign.path, "evenodd");
            ctx.restore();
            if (name && layout.zoom >= 17) {
              ctx.font = `12px ${FONT}`;
              ctx.textAlign = "center";
              ctx.lineWidth = 3;
              ctx.strokeStyle = config.theme.halo;
              ctx.strokeText(name, 0, r + 13);
              ctx.fillStyle = sign.colour;
              ctx.fillText(name, 0, r + 13);
              ctx.textAlign = "start";
            }
          };
          return [{ anchor: at, bboxes: [{ minX: at.x - r, minY: at.y - r, maxX: at.x + r, maxY: at.y + r }], draw }];
        },
      },
    };
  }

  /** Return the paint rule of components: a small square in the colour of the category, hollow where it is no longer sound. */
  function componentRule(config) {
    return {
      dataLayer: "component",
      symbolizer: {
        draw(ctx, geom, z, feature) {
          const at = geom[0][0];
          const half = z >= 18 ? 4.5 : 3;
          const colour = config.categoryColours[feature.props.category] || config.theme.muted;
          const sound = feature.props.state === "in_use";
          ctx.globalAlpha = 1;
          ctx.fillStyle = sound ? colour : config.theme.surface;
          ctx.strokeStyle = sound ? config.theme.surface : colour;
          ctx.lineWidth = sound ? 1 : 1.6;
          ctx.fillRect(at.x - half, at.y - half, 2 * half, 2 * half);
          ctx.strokeRect(at.x - half, at.y - half, 2 * half, 2 * half);
        },
      },
    };
  }

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

  /** Return the paint rules of incident points: closed below, overdue on top. */
  function incidentRules(state, config, passes) {
    const colours = { overdue: config.theme.overdue, soon: config.theme.due_soon, ontime: config.theme.on_time, closed: config.theme.closed };
    const rule = (wanted) => ({
      dataLayer: "incident",
      filter: (z, f) => incidentState(f.props, state.nowMin) === wanted && passes(f.props, state.filter, state.nowMin),
      symbolizer: {
        draw(ctx, geom, z, feature) {
          // What is closed stays small and pale until one is near: it must not hide what is open.
          const near = z >= 17 ? 6 : z >= 16 ? 5 : 4;
          const r = wanted === "closed" && z < 17 ? near - 2 : near;
          const colour = state.colourBy === "category" ? config.categoryColours[feature.props.category] || config.theme.muted : colours[wanted];
          drawIncident(ctx, geom[0][0].x, geom[0][0].y, r, wanted, colour, config.theme.surface);
        },
      },
    });
    return ["closed", "ontime", "soon", "overdue"].map(rule);
  }

  return { FONT, groundRules, roadRules, labelRules, cellRule, outlineRules, limitRules, facilityRule, componentRule, incidentRules };
})();
