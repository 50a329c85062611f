"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const data = require("../gridkeeper-data.js");

function encoded(header, values) {
  let text = JSON.stringify(header);
  text += " ".repeat((4 - (text.length % 4)) % 4);
  const buffer = new ArrayBuffer(8 + text.length + 4 * values.length);
  new Uint8Array(buffer).set([...`GKV1`].map((c) => c.charCodeAt(0)), 0);
  new DataView(buffer).setUint32(4, text.length, true);
  new Uint8Array(buffer).set([...text].map((c) => c.charCodeAt(0)), 8);
  new Float32Array(buffer, 8 + text.length).set(values);
  return buffer;
}

test("an answer is decoded to header and values", () => {
  const answer = data.decode(encoded({ first: 10, edges: [1, 3] }, [0, 2, 5]));
  assert.equal(data.valueOf(answer, 11), 2);
  assert.ok(Number.isNaN(data.valueOf(answer, 9)));
  assert.ok(Number.isNaN(data.valueOf(answer, 13)));
  assert.ok(Number.isNaN(data.valueOf(null, 1)));
});

test("another format is refused", () => {
  assert.throws(() => data.decode(new ArrayBuffer(16)), /not a value array/);
});

test("a value falls in the class of the last edge not above it", () => {
  assert.deepEqual([0, 1, 2, 3, 99].map((v) => data.classOf([1, 3, 8], v)), [-1, 0, 0, 1, 2]);
  assert.equal(data.classOf([], 5), -1);
});

test("a cell is filled by class, or told to be empty, thinly peopled or unknown", () => {
  const colours = { 2: ["light", "dark"] };
  const answer = data.decode(encoded({ first: 1, edges: [1, 3] }, [0, 2, 3, -1, NaN]));
  const fills = [1, 2, 3, 4, 5].map((id) => data.fillOf(answer, id, colours));
  assert.deepEqual(fills.map((f) => f.kind), ["none", "class", "class", "few", "unknown"]);
  assert.equal(fills[2].colour, "dark");
});

test("a float32 value on a decimal edge is not pushed below it", () => {
  const answer = data.decode(encoded({ first: 1, edges: [0.1, 0.7] }, [0.7]));
  assert.equal(data.fillOf(answer, 1, { 2: ["light", "dark"] }).colour, "dark");
});

test("incident states follow status and deadline", () => {
  const now = 100000;
  const state = (props) => data.incidentState(props, now);
  assert.equal(state({ status: "closed", due: 1 }), "closed");
  assert.equal(state({ status: "void" }), "void");
  assert.equal(state({ status: "handling", due: now - 1 }), "overdue");
  assert.equal(state({ status: "handling", due: now + 60 }), "soon");
  assert.equal(state({ status: "handling", due: now + 5000 }), "ontime");
  assert.equal(state({ status: "reported" }), "ontime");
});

test("the filter looks at day, category and status", () => {
  const props = { day: 10, category: "a", status: "filed", due: 5 };
  const all = { first: 0, last: 20, categories: null, status: "all" };
  assert.ok(data.passes(props, all, 9));
  assert.ok(!data.passes(props, { ...all, last: 9 }, 9));
  assert.ok(!data.passes(props, { ...all, categories: ["b"] }, 9));
  assert.ok(data.passes(props, { ...all, status: "overdue" }, 9));
  assert.ok(!data.passes(props, { ...all, status: "closed" }, 9));
  assert.ok(!data.passes({ ...props, status: "void" }, all, 9));
});

test("clusters keep the total and lie apart by the radius", () => {
  const n = 400;
  const xs = Array.from({ length: n }, (_, i) => 0.5 + (i % 20) * 1e-6);
  const ys = Array.from({ length: n }, (_, i) => 0.5 + Math.floor(i / 20) * 1e-6);
  const centres = { header: { first: 1 }, values: new Float32Array([...xs, ...ys]) };
  const counts = { header: { first: 1 }, values: new Float32Array(n).fill(2) };
  const everywhere = { minX: 0, minY: 0, maxX: Infinity, maxY: Infinity };
  const found = data.cluster(centres, counts, 18, 60, everywhere);
  assert.equal(found.reduce((sum, one) => sum + one.count, 0), 2 * n);
  for (const a of found) {
    for (const b of found) {
      assert.ok(a === b || Math.hypot(a.x - b.x, a.y - b.y) >= 60);
    }
  }
  assert.equal(data.cluster(centres, counts, 18, 60, { minX: 0, minY: 0, maxX: 1, maxY: 1 }).length, 0);
});

test("counts are short", () => {
  assert.deepEqual([7, 999, 1240, 9960, 34567].map(data.short), ["7", "999", "1.2k", "10k", "35k"]);
});

test("widths run straight between stops", () => {
  assert.equal(data.between([[10, 1], [14, 5]], 9), 1);
  assert.equal(data.between([[10, 1], [14, 5]], 12), 3);
  assert.equal(data.between([[10, 1], [14, 5]], 20), 5);
});

test("limits take the colour of the last bound not above them", () => {
  const classes = [[0, "slow"], [31, "town"], [91, "fast"]];
  assert.deepEqual([20, 31, 90, 110].map((v) => data.limitColour(classes, v)), ["slow", "town", "town", "fast"]);
});
