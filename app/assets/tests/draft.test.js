"use strict";
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const test = require("node:test");
const vm = require("node:vm");

const source = fs.readFileSync(path.join(__dirname, "..", "gridkeeper-draft.js"), "utf8");

function put() {
  const heard = {};
  const box = { dataset: {} };
  const map = { createPane: () => ({ style: {} }), getPane: () => ({ style: {} }), getContainer: () => box, on: (name, act) => { heard[name] = act; } };
  const context = vm.createContext({ L: { tooltip: () => ({}) } });
  const draft = vm.runInContext(`${source}; GridkeeperDraft`, context);
  draft.attach(map, {});
  return { box, draft };
}

test("a map that is put anew goes on counting clicks where the page is, and keeps what is picked", () => {
  const { box, draft } = put();
  draft.update({ version: null, colours: {}, picked: [4, 9], hand: true, round: 2, clicks: 5, tint: null });
  assert.equal(draft.state.clicks, 5);
  assert.equal(box.dataset.picked, "2");
  draft.state.clicks = 7;
  draft.state.picked.add(11);
  draft.update({ version: null, colours: {}, picked: [4], hand: true, round: 2, clicks: 6, tint: null });
  assert.equal(box.dataset.picked, "3");
});
