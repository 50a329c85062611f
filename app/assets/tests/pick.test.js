"use strict";
const assert = require("node:assert");
const test = require("node:test");

global.GridkeeperData = require("../gridkeeper-data.js");
global.GridkeeperLayers = { SINGLE_FROM: 16, described: () => null };
const made = (kind) => ({ kind, children: [], appendChild(child) { this.children.push(child); return child; } });
global.document = { createElement: made };
const pick = require("../gridkeeper-pick.js");

/** A map whose pins lie at pixels; return what a click at (x, y) puts up: null, or the incidents that are offered. */
function clicked(pins, x, y) {
  let card = null;
  global.L = {
    tooltip: () => ({ remove() {} }),
    popup: () => ({ setLatLng() { return this; }, setContent(box) { card = box; return this; }, openOn() { return this; } }),
  };
  const layer = {
    _map: true,
    views: new Map([["", { queryFeatures: (lng, lat, zoom, brush) => pins.filter((pin) => Math.hypot(pin.x - lng, pin.y - lat) <= brush).map((pin) => ({ feature: pin })) }]]),
  };
  const acts = {};
  const map = { on: (names, act) => names.split(" ").forEach((name) => { acts[name] = act; }), getZoom: () => 17 };
  const state = { filter: { first: 0, last: 9, categories: null, status: "open" }, nowMin: 100 };
  pick(map, { config: { words: { ontime: "Open", overdue: "Late", more: "{count} more" }, categories: {} }, state, layers: { incidents: layer }, choose() {}, repaint() {} });
  acts.click({ latlng: { lat: y, lng: x } });
  return card && card.children.filter((row) => row.kind === "div").map((row) => row.children[0].href.split("=")[1]);
}

const pin = (id, x, y, more = {}) => ({ id, x, y, props: { category: "event-01", status: "filed", number: `S${id}`, day: 5, due: 500, ...more } });

test("a click means a pin within twelve pixels, and none beyond", () => {
  const pins = [pin(1, 100, 100)];
  for (const [by, offered] of [[0, ["1"]], [11.9, ["1"]], [12.1, null], [19.9, null], [40, null]]) {
    assert.deepEqual(clicked(pins, 100 + by, 100), offered, `${by} px`);
  }
});

test("with another pin within twenty pixels of the click both are offered, and none opens", () => {
  const pins = [pin(1, 100, 100), pin(2, 118, 100), pin(3, 150, 100)];
  assert.deepEqual(clicked(pins, 100, 100), ["1", "2"]);
  assert.deepEqual(clicked(pins, 97, 100), ["1"], "the other one is too far to be meant");
  assert.deepEqual(clicked(pins, 134, 100), null, "between two, near neither");
});

test("what the filter leaves out is not clicked on, and many are counted", () => {
  assert.equal(clicked([pin(1, 100, 100, { status: "closed" }), pin(2, 100, 100, { day: 12 })], 100, 100), null);
  const many = Array.from({ length: 11 }, (_, at) => pin(at + 1, 100, 100));
  assert.equal(clicked(many, 100, 100).length, 8);
});

test("beside the pointer stands what is played, and a place without a measured speed has none", () => {
  let told = null;
  global.requestAnimationFrame = (draw) => draw();
  global.cancelAnimationFrame = () => {};
  global.L = { tooltip: () => ({ remove() {}, setLatLng() { return this; }, setContent(box) { told = box.children.map((line) => line.textContent); return this; }, addTo() {} }) };
  const cells = { _map: true, options: {}, views: new Map([["", { queryFeatures: (id) => [{ feature: { id, props: { code: `C${id}` } } }] }]]) };
  const acts = {};
  const map = { on: (names, act) => names.split(" ").forEach((name) => { acts[name] = act; }), getZoom: () => 15 };
  const answer = { header: { first: 1, edges: [1, 1.5] }, values: new Float32Array([0, 1.25]) };
  const state = { answer, filter: null, nowMin: 0, paint: null, moment: null, pushed: { metric: "Reported", visible: { grids: true } } };
  pick(map, { config: { lang: "en", words: { unknown: "no data" }, layers: [] }, state, layers: { cells }, choose() {}, repaint() {} });
  const at = (id) => {
    acts.mousemove({ latlng: { lat: 0, lng: id } });
    return told;
  };
  assert.deepEqual(at(1), ["C1", "Reported: 0"]);
  state.moment = { metric: "Travel time", blank: true };
  assert.deepEqual(at(1), ["C1", "Travel time: no data"]);
  assert.deepEqual(at(2), ["C2", "Travel time: 1.25"]);
});
