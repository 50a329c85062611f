"use strict";
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const test = require("node:test");
const vm = require("node:vm");

/** The layers as a page has them, with a server that answers with these states in turn, and without waiting. */
function layersWith(states) {
  const seen = { addresses: [], pauses: [] };
  const world = {
    GridkeeperData: require("../gridkeeper-data.js"),
    GridkeeperStyle: {},
    L: { Layer: { extend: (parts) => parts } },
    setTimeout: (done, pause) => {
      seen.pauses.push(pause);
      done();
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
  assert.deepEqual(seen.pauses, [1500, 4000]);
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

test("what is refused or left behind is not asked for again at once", async () => {
  for (const [states, signal] of [[[404], undefined], [[503], { aborted: true }]]) {
    const { seen, layers } = layersWith(states);
    await assert.rejects(layers.source("/t/{z}/{x}/{y}", "roads", () => {}).getZxy(1, 0, 0, signal));
    assert.equal(seen.addresses.length, 1);
  }
});
