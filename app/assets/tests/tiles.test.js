"use strict";
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const test = require("node:test");
const vm = require("node:vm");

/** The layers as a page has them, with a server that answers with these states in turn, and without waiting. */
function layersWith(states, waits = (done) => done()) {
  const seen = { addresses: [], pauses: [], cleared: 0 };
  const world = {
    GridkeeperData: require("../gridkeeper-data.js"),
    GridkeeperStyle: {},
    L: { Layer: { extend: (parts) => parts } },
    setTimeout: (done, pause) => {
      seen.pauses.push(pause);
      waits(done);
    },
    clearTimeout: () => {
      seen.cleared += 1;
    },
    fetch: async (address) => {
      seen.addresses.push(address);
      const status = states.shift();
      return { status, ok: status === 200, arrayBuffer: async () => "tile" };
    },
  };
  const text = fs.readFileSync(path.join(__dirname, "..", "gridkeeper-layers.js"), "utf8");
  return { seen, layers: vm.runInNewContext(`${text}; GridkeeperLayers`, world) };
}

test("a tile that the server has no time for is asked for again, and nobody is told", async () => {
  const { seen, layers } = layersWith([503, 503, 200]);
  const told = [];
  const source = layers.source("/tiles/{z}/{x}/{y}", "incidents", (status) => told.push(status));
  assert.equal((await source.getZxy(3, 1, 2)).data, "tile");
  assert.deepEqual(seen.addresses, Array(3).fill("/tiles/3/1/2"));
  assert.deepEqual(seen.pauses.map((pause, at) => pause >= [1500, 4000][at] && pause <= [2250, 6000][at]), [true, true]);
  assert.deepEqual(told, []);
});

test("a layer without its tiles is named, and no longer once one comes", async () => {
  const { seen, layers } = layersWith([503, 503, 503, 200]);
  const told = [];
  const source = layers.source("/tiles/{z}/{x}/{y}", "incidents", (status) => told.push(status));
  await assert.rejects(source.getZxy(3, 1, 2), /503/);
  assert.deepEqual([...layers.missing], ["incidents"]);
  await source.getZxy(3, 1, 2);
  assert.deepEqual([...layers.missing], []);
  assert.deepEqual([told, seen.addresses.length], [[503, undefined], 4]);
});

test("what is refused is not asked for again at once", async () => {
  const { seen, layers } = layersWith([404]);
  await assert.rejects(layers.source("/t/{z}/{x}/{y}", "roads", () => {}).getZxy(1, 0, 0), /404/);
  assert.equal(seen.addresses.length, 1);
});

test("a tile that the map left behind is not asked for again, and its layer is not missing", async () => {
  const { seen, layers } = layersWith([503]);
  const asked = [];
  const wanted = (...tile) => asked.push(tile) > 1;
  await assert.rejects(layers.source("/t/{z}/{x}/{y}", "roads", assert.fail, wanted).getZxy(9, 4, 5), { name: "AbortError" });
  assert.deepEqual([seen.addresses.length, asked, layers.missing.size], [1, [[9, 4, 5]], 0]);
});

test("another zoom ends the pause at once, so that who comes back does not wait for a tile given up", async () => {
  const { seen, layers } = layersWith([503], () => {});
  const zoom = new AbortController();
  const given = layers.source("/t/{z}/{x}/{y}", "roads", assert.fail).getZxy(9, 4, 5, zoom.signal);
  setImmediate(() => zoom.abort());
  await assert.rejects(given, { name: "AbortError" });
  assert.deepEqual([seen.addresses.length, seen.cleared], [1, 1]);
});
