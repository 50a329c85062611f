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

  return { decode, valueOf, classOf, fillOf, incidentState, passes, cluster, short, between, limitColour };
})();

if (typeof module !== "undefined") {
  module.exports = GridkeeperData;
}
