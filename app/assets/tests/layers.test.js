"use strict";
const assert = require("node:assert");
const test = require("node:test");
const { gather, heat, ramped, viewOf } = require("../gridkeeper-data.js");

const sum = (list) => list.reduce((a, b) => a + b, 0);

test("points close together become one circle that no edge cuts, none is lost", () => {
  const points = [{ x: 1, y: 1 }, { x: 2, y: 2 }, { x: 3, y: 1 }, { x: 200, y: 90 }, { x: 201, y: 91 }];
  const made = gather(points, 26, 3, 14, 256);
  assert.equal(sum(made.map((one) => one.count)), 5);
  assert.deepEqual(made[0], { x: 14, y: 14, count: 3, members: points.slice(0, 3) });
  assert.equal(made.length, 3);
});

test("heat keeps what it counts, is highest where it is counted, and draws nothing of nothing", () => {
  const centres = { header: { first: 7 }, values: Float32Array.of(0.5, 0.5) };
  const corner = { x: 128 - 60 * 4, y: 128 - 60 * 4 };
  const surface = heat(centres, () => 3, 0, corner, 4, 120, 120);
  assert.equal(surface.indexOf(1), 60 * 120 + 60);
  assert.ok(surface[0] === 0 && surface[60 * 120 + 70] > 0);
  assert.equal(sum(heat(centres, () => 0, 0, corner, 4, 120, 120)), 0);
  const bytes = ramped(Float32Array.of(0, 0.5, 1), ["#000000", "#808080", "#FFFFFF"]);
  assert.deepEqual([...bytes.slice(8, 12)], [255, 255, 255, 210]);
  assert.equal(bytes[3], 0);
});

test("the place in an address is a place or nothing", () => {
  assert.deepEqual(viewOf("?grid=4&at=13/31.23000/121.47000"), { zoom: 13, lat: 31.23, lon: 121.47 });
  for (const wrong of ["", "?at=", "?at=13/91.0/1.0", "?at=99/1.0/1.0", "?at=<script>/1.0/1.0", "?at=13/1.0"]) {
    assert.equal(viewOf(wrong), null, wrong);
  }
});
