"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const time = require("../gridkeeper-time.js");

function encoded(header, numbers) {
  let text = JSON.stringify(header);
  text += " ".repeat((4 - (text.length % 4)) % 4);
  const buffer = new ArrayBuffer(8 + text.length + 4 * numbers.length);
  new Uint8Array(buffer).set([...`GKF1`].map((c) => c.charCodeAt(0)), 0);
  new DataView(buffer).setUint32(4, text.length, true);
  new Uint8Array(buffer).set([...text].map((c) => c.charCodeAt(0)), 8);
  new Uint32Array(buffer, 8 + text.length).set(numbers);
  return buffer;
}

test("a playback is decoded and each moment has its own counts", () => {
  const header = { first: 10, cells: 4, frames: 3, entries: 3, edges: [1, 2], totals: [3, 0, 7] };
  const frames = time.decode(encoded(header, [2, 2, 3, 0, 3, 1, 1, 2, 7]));
  assert.deepEqual([...time.answerAt(frames, 0).values], [1, 0, 0, 2]);
  assert.deepEqual([...time.answerAt(frames, 1).values], [0, 0, 0, 0]);
  assert.deepEqual([...time.answerAt(frames, 2).values], [0, 7, 0, 0]);
  assert.equal(time.answerAt(frames, 2).header.first, 10);
});

test("another format is refused", () => {
  assert.throws(() => time.decode(new ArrayBuffer(16)), /not a playback/);
});

test("moments are told in the words of the reader", () => {
  const asked = { first: "2026-07-13", last: "2026-07-22" };
  assert.match(time.labelAt(asked, "day", 1, "en"), /^Tue,? 14 Jul$/);
  assert.match(time.labelAt(asked, "hour", 33, "en"), /^Tue,? 14 Jul, 09:00$/);
  assert.equal(time.labelAt(asked, "week", 1, "en"), "20 Jul – 22 Jul");
  assert.match(time.labelAt(asked, "day", 1, "zh"), /7月14日/);
});

test("the last week ends with the period", () => {
  const asked = { first: "1970-01-02", last: "1970-01-10" };
  assert.deepEqual(time.daysAt(asked, "week", 0), [1, 7]);
  assert.deepEqual(time.daysAt(asked, "week", 1), [8, 9]);
  assert.deepEqual(time.daysAt(asked, "hour", 25), [2, 2]);
});

test("an hour of the usual day has hundredths and is told as a clock", () => {
  const header = { first: 1, cells: 2, frames: 2, entries: 2, edges: [1, 1.5], totals: [130, 200] };
  const frames = time.decode(encoded(header, [1, 2, 0, 1, 130, 200]));
  assert.ok(Math.abs(time.answerAt(frames, 0, 100).values[0] - 1.3) < 1e-6);
  assert.equal(time.labelAt({}, "traffic", 8, "en"), "08:00");
});
