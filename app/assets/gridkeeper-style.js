"use strict";
/* How the map is drawn: symbolizers and rules for protomaps-leaflet, from the tokens that Python sends. */

const GridkeeperStyle = (() => {
  const { between, fillOf, limitColour } = GridkeeperData;
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

  /**
   * Return the paint rules of surfaces filled by value, of the layer `of`; what `answerOf` returns may change under
   * them. All of one colour become one path: a hundred thousand cells are a dozen fills, without seams between them.
   */
  function fillRules(of, answerOf, paintOf, config) {
    const pattern = hatch(config.theme.muted);
    const tile = { paths: new Map(), matrix: null };
    const collect = {
      before() {
        tile.paths = new Map();
        tile.matrix = null;
      },
      draw(ctx, geom, z, feature) {
        const answer = answerOf();
        const filled = answer ? fillOf(answer, feature.id, config.ramps, paintOf()) : { kind: "none" };
        tile.matrix = tile.matrix || ctx.getTransform();
        const key = filled.kind === "class" ? filled.colour : filled.kind;
        let path = tile.paths.get(key);
        if (!path) {
          path = new Path2D();
          path.kind = filled.kind;
          tile.paths.set(key, path);
        }
        for (const part of geom) {
          path.moveTo(part[0].x, part[0].y);
          for (let i = 1; i < part.length; i += 1) {
            path.lineTo(part[i].x, part[i].y);
          }
        }
      },
    };
    const flush = {
      before(ctx, z) {
        if (!tile.matrix) {
          return;
        }
        ctx.save();
        ctx.setTransform(tile.matrix);
        for (const [key, path] of tile.paths) {
          const { kind } = path;
          ctx.globalAlpha = kind === "few" ? 0.45 : kind === "unknown" ? 0.35 : 1;
          ctx.fillStyle = kind === "class" ? key : kind === "few" ? config.theme.too_few : ctx.createPattern(pattern, "repeat");
          if (kind === "class" || kind === "few" || (kind === "unknown" && z >= 12)) {
            ctx.fill(path);
          }
          if (z >= 13) {
            ctx.globalAlpha = z >= 15 ? 0.4 : 0.16;
            ctx.strokeStyle = config.theme.muted;
            ctx.lineWidth = z >= 15 ? 0.7 : 0.5;
            ctx.stroke(path);
          }
        }
        ctx.restore();
        tile.matrix = null;
      },
      draw() {},
    };
    return [
      { dataLayer: of, symbolizer: collect },
      { dataLayer: of, filter: () => false, symbolizer: flush },
    ];
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

  /**
   * Return the label rules of facilities: a disc with the sign of its group; its name when near, where neither a sign
   * nor another name stands.
   */
  function facilityRules(config, lang) {
    const signs = {};
    for (const group of config.facilities) {
      for (const kind of group.kinds) {
        signs[kind] = { ...group, path: new Path2D(group.glyph) };
      }
    }
    const fallback = { colour: config.theme.muted, path: new Path2D("M5 8a3 3 0 1 0 6 0a3 3 0 1 0-6 0z"), from_zoom: 13 };
    const signOf = (f) => signs[f.props.kind] || fallback;
    const radius = (z) => (z >= 15 ? 9 : 7);
    const shown = (z, f) => z >= signOf(f).from_zoom;
    const discs = {
      dataLayer: "facility",
      filter: shown,
      symbolizer: {
        place(layout, geom, feature) {
          const at = geom[0][0];
          const sign = signOf(feature);
          const r = radius(layout.zoom);
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
          };
          return [{ anchor: at, bboxes: [{ minX: at.x - r, minY: at.y - r, maxX: at.x + r, maxY: at.y + r }], draw }];
        },
      },
    };
    const names = {
      dataLayer: "facility",
      minzoom: 17,
      filter: shown,
      symbolizer: {
        place(layout, geom, feature) {
          const at = geom[0][0];
          const name = (lang === "zh" && feature.props.name_zh) || feature.props.name || "";
          const here = layout.index.searchBbox({ minX: at.x, minY: at.y, maxX: at.x, maxY: at.y }, layout.order - 1);
          if (!name || ![...here].some((one) => one.anchor.x === at.x && one.anchor.y === at.y)) {
            return null; // its sign found no room
          }
          const font = `12px ${FONT}`;
          layout.scratch.font = font;
          const half = layout.scratch.measureText(name).width / 2 + 1;
          const r = radius(layout.zoom);
          const draw = (ctx) => {
            ctx.globalAlpha = 1;
            ctx.font = font;
            ctx.textAlign = "center";
            ctx.lineWidth = 3;
            ctx.strokeStyle = config.theme.halo;
            ctx.strokeText(name, 0, r + 13);
            ctx.fillStyle = signOf(feature).colour;
            ctx.fillText(name, 0, r + 13);
            ctx.textAlign = "start";
          };
          return [{ anchor: at, bboxes: [{ minX: at.x - half, minY: at.y + r + 2, maxX: at.x + half, maxY: at.y + r + 17 }], draw }];
        },
      },
    };
    return [discs, names];
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

  return { FONT, trace, groundRules, roadRules, labelRules, fillRules, outlineRules, limitRules, facilityRules, componentRule };
})();
