"use strict";
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const test = require("node:test");
const vm = require("node:vm");

const world = { GridkeeperData: require("../gridkeeper-data.js"), Path2D: class {} };
const text = fs.readFileSync(path.join(__dirname, "..", "gridkeeper-style.js"), "utf8");
const style = vm.runInNewContext(`${text}; GridkeeperStyle`, world);

const config = { theme: { muted: "#666", surface: "#fff", halo: "#fff" }, facilities: [{ kinds: ["school"], glyph: "M0 0z", colour: "#123", from_zoom: 13 }] };

test("the name of a facility stands below its sign, and only where the sign stands", () => {
  const [signs, names] = style.facilityRules(config, "zh");
  const feature = { props: { kind: "school", name: "Oak School", name_zh: "橡树学校" } };
  const at = [[{ x: 100, y: 100 }]];
  const scratch = { measureText: (said) => ({ width: 12 * said.length }) };
  const [sign] = signs.symbolizer.place({ zoom: 17 }, at, feature);
  const place = (found) => names.symbolizer.place({ zoom: 17, order: 1, scratch, index: { searchBbox: () => new Set(found) } }, at, feature);
  const [name] = place([sign]);
  assert.deepEqual([name.bboxes[0].minX, name.bboxes[0].maxX], [75, 125]);
  assert.ok(name.bboxes[0].minY > sign.bboxes[0].maxY, "a sign does not push its own name away");
  for (const found of [[], [{ anchor: { x: 104, y: 100 } }]]) {
    assert.equal(place(found), null);
  }
  assert.deepEqual([names.minzoom, names.filter(12, feature), names.filter(17, feature)], [17, false, true]);
});
