"use strict";
/* What the map computes: decoding, classes, states, clusters. No document, no Leaflet: tested with node. */

const GridkeeperData = (() => {
  const DAY_MIN = 1440;
  const TOO_FEW = -1;

  /** Return {header, values} of an answer of /api/values or /api/cells. */
  function decode(buffer) {
    const view = new DataView(buffer);
    const magic = String.fromCharCode(...new Uint8Array(buffer, 0, 4));
    if (magic !== "GKV1") {
      throw new Error(`not a value array: ${magic}`);
    }
    const length = view.getUint32(4, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
    return { header, values: new Float32Array(buffer, 8 + length) };
  }

  /** Return the value of a cell; NaN for a cell the array does not know. */
  function valueOf(answer, id) {
    const at = answer ? id - answer.header.first : -1;
    return at >= 0 && at < answer.values.length ? answer.values[at] : NaN;
  }

  /** Return the class of a value: its index in edges; -1 below the first edge. */
  function classOf(edges, value) {
    let at = -1;
    while (at + 1 < edges.length && value >= edges[at + 1]) {
      at += 1;
    }
    return at;
  }

  /**
   * Return how a cell is filled: {kind: "class" | "none" | "few" | "unknown", colour, at}. A `paint` of the page,
   * {edges, colours}, stands before the classes of the answer.
   */
  function fillOf(answer, id, colours, paint = null) {
    const value = valueOf(answer, id);
    if (Number.isNaN(value)) {
      return { kind: "unknown" };
    }
    if (value === TOO_FEW) {
      return { kind: "few" };
    }
    const edges = paint ? paint.edges : answer.header.edges;
    const at = classOf(edges, Math.fround(value) + 1e-6 * Math.abs(value));
    return at < 0 ? { kind: "none" } : { kind: "class", at, colour: (paint ? paint.colours : colours[edges.length])[at] };
  }

  /** Return the state an incident is drawn by: overdue, soon, ontime, closed or void. */
  function incidentState(props, nowMin) {
    if (props.status === "closed" || props.status === "void") {
      return props.status;
    }
    if (props.due == null) {
      return "ontime";
    }
    if (props.due < nowMin) {
      return "overdue";
    }
    return props.due < nowMin + DAY_MIN ? "soon" : "ontime";
  }

  /** Return whether an incident passes the filter {first, last, categories, status}. */
  function passes(props, filter, nowMin) {
    if (props.day < filter.first || props.day > filter.last) {
      return false;
    }
    if (filter.categories && !filter.categories.includes(props.category)) {
      return false;
    }
    const state = incidentState(props, nowMin);
    switch (filter.status) {
      case "open":
        return state !== "closed" && state !== "void";
      case "overdue":
        return state === "overdue";
      case "closed":
        return state === "closed";
      default:
        return state !== "void";
    }
  }

  /**
   * Return clusters [{x, y, count}] in world pixels at a zoom: counts of cells first added up in
   * bins of half the radius, then the larger take in the smaller within the radius.
   */
  function cluster(centres, counts, zoom, radius, box) {
    const world = 256 * 2 ** zoom;
    const bin = radius / 2;
    const bins = new Map();
    const half = centres.values.length / 2;
    for (let i = 0; i < half; i += 1) {
      const count = valueOf(counts, centres.header.first + i);
      if (!(count > 0)) {
        continue;
      }
      const x = centres.values[i] * world;
      const y = centres.values[half + i] * world;
      if (x < box.minX || x > box.maxX || y < box.minY || y > box.maxY) {
        continue;
      }
      const key = `${Math.floor(x / bin)}:${Math.floor(y / bin)}`;
      const found = bins.get(key);
      if (found) {
        found.x += (x - found.x) * (count / (found.count + count));
        found.y += (y - found.y) * (count / (found.count + count));
        found.count += count;
      } else {
        bins.set(key, { x, y, count });
      }
    }
    const merged = [];
    for (const one of [...bins.values()].sort((a, b) => b.count - a.count || a.x - b.x)) {
      const near = merged.find((other) => (other.x - one.x) ** 2 + (other.y - one.y) ** 2 < radius ** 2);
      if (near) {
        near.count += one.count;
      } else {
        merged.push(one);
      }
    }
    return merged;
  }

  /**
   * Return a surface of height × width numbers, 0…1: counts of the cells on a coarse screen, smoothed by three
   * running means in each direction, which comes close to a normal curve of about six steps.
   */
  function heat(centres, valueAt, zoom, corner, step, width, height) {
    const world = 256 * 2 ** zoom;
    const half = centres.values.length / 2;
    let field = new Float32Array(width * height);
    for (let i = 0; i < half; i += 1) {
      const x = Math.floor((centres.values[i] * world - corner.x) / step);
      const y = Math.floor((centres.values[half + i] * world - corner.y) / step);
      const value = x >= 0 && x < width && y >= 0 && y < height ? valueAt(centres.header.first + i) : 0;
      if (value > 0) {
        field[y * width + x] += value;
      }
    }
    for (let round = 0; round < 3; round += 1) {
      field = smooth(smooth(field, height, width, width, 1), width, height, 1, width);
    }
    const top = field.reduce((most, value) => Math.max(most, value), 0);
    return top > 0 ? field.map((value) => value / top) : field;
  }

  /** Return running means over 2 · 6 + 1 entries along lines: `lines` of them `apart`, entries `next` to each other. */
  function smooth(field, lines, length, apart, next) {
    const reach = 6;
    const out = new Float32Array(field.length);
    for (let line = 0; line < lines; line += 1) {
      const start = line * apart;
      let sum = 0;
      for (let i = -reach; i < length; i += 1) {
        sum += i + reach < length ? field[start + (i + reach) * next] : 0;
        sum -= i - reach - 1 >= 0 ? field[start + (i - reach - 1) * next] : 0;
        if (i >= 0) {
          out[start + i * next] = sum / (2 * reach + 1);
        }
      }
    }
    return out;
  }

  /** Return RGBA bytes of a surface: clear below a tenth, then the colours of a ramp from light to dark. */
  function ramped(surface, colours) {
    const rgb = colours.map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
    const bytes = new Uint8ClampedArray(surface.length * 4);
    for (let i = 0; i < surface.length; i += 1) {
      const value = Math.sqrt(surface[i]);
      const at = Math.min(rgb.length - 2, Math.floor(value * (rgb.length - 1)));
      const part = value * (rgb.length - 1) - at;
      for (let channel = 0; channel < 3; channel += 1) {
        bytes[4 * i + channel] = rgb[at][channel] + part * (rgb[at + 1][channel] - rgb[at][channel]);
      }
      bytes[4 * i + 3] = value < 0.1 ? 0 : 60 + 150 * value;
    }
    return bytes;
  }

  /**
   * Return points gathered in squares of `side` px of a tile: [{x, y, count, members}]; what stands alone stays alone.
   * Circles keep `margin` px from the edges of the tile, single signs half of that, so that none is cut.
   */
  function gather(points, side, least, margin, size) {
    const bins = new Map();
    for (const point of points) {
      const key = `${Math.floor(point.x / side)}:${Math.floor(point.y / side)}`;
      const bin = bins.get(key);
      if (bin) {
        bin.push(point);
      } else {
        bins.set(key, [point]);
      }
    }
    const made = [];
    const inside = (value) => Math.min(size - margin, Math.max(margin, value));
    for (const members of bins.values()) {
      if (members.length < least) {
        const whole = (value) => Math.min(size - margin / 2, Math.max(margin / 2, value));
        made.push(...members.map((one) => ({ x: whole(one.x), y: whole(one.y), count: 1, members: [one] })));
        continue;
      }
      const mean = (axis) => members.reduce((sum, one) => sum + one[axis], 0) / members.length;
      made.push({ x: inside(mean("x")), y: inside(mean("y")), count: members.length, members });
    }
    return made;
  }

  /** Return {zoom, lat, lon} of an address ?at=13.5/31.23000/121.47000; null when it is no such place. */
  function viewOf(query) {
    const given = /^(\d{1,2}(?:\.\d{1,2})?)\/(-?\d{1,2}\.\d{1,6})\/(-?\d{1,3}\.\d{1,6})$/.exec(new URLSearchParams(query).get("at") || "");
    if (!given) {
      return null;
    }
    const [zoom, lat, lon] = given.slice(1).map(Number);
    return zoom <= 20 && Math.abs(lat) <= 85 && Math.abs(lon) <= 180 ? { zoom, lat, lon } : null;
  }

  /** Return a count short enough for a circle: 987, 1.2k, 34k. */
  function short(count) {
    if (count < 1000) {
      return String(Math.round(count));
    }
    return count < 9950 ? `${(count / 1000).toFixed(1)}k` : `${Math.round(count / 1000)}k`;
  }

  /** Return the number at zoom z between the stops [[zoom, value], …], straight in between. */
  function between(stops, z) {
    if (z <= stops[0][0]) {
      return stops[0][1];
    }
    for (let i = 1; i < stops.length; i += 1) {
      if (z <= stops[i][0]) {
        const [z0, v0] = stops[i - 1];
        const [z1, v1] = stops[i];
        return v0 + ((v1 - v0) * (z - z0)) / (z1 - z0);
      }
    }
    return stops[stops.length - 1][1];
  }

  /** Return the colour of a speed limit: the last [lower bound, colour] not above it. */
  function limitColour(classes, speed) {
    let colour = classes[0][1];
    for (const [lower, candidate] of classes) {
      if (speed >= lower) {
        colour = candidate;
      }
    }
    return colour;
  }

  return { decode, valueOf, classOf, fillOf, incidentState, passes, cluster, short, between, limitColour, heat, ramped, gather, viewOf };
})();

if (typeof module !== "undefined") {
  module.exports = GridkeeperData;
}
