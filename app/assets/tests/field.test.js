"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const queue = require("../gridkeeper-field-queue.js");

const entry = (seq, act, incident, more) => ({ seq, id: `id-${seq}`, act, incident, version: 3, args: {}, ...more });
const ids = (entries) => entries.map(({ id }) => id);
const fine = (id, incident, version) => ({ id, ok: true, incident, version, number: "N-1" });
const task = { incident: 7, version: 3, kind: "handle", state: "waiting", needs: ["before", "after", "place"] };

test("an id is fresh, long, and of signs that the platform takes", () => {
  const made = new Set(Array.from({ length: 2000 }, queue.newId));
  assert.equal(made.size, 2000);
  assert.ok([...made].every((id) => /^[A-Za-z0-9._:-]{8,70}$/.test(id)));
});

test("what another login left on the phone waits for him, and is neither sent nor dropped", () => {
  const mine = entry(1, "accept", 7, { who: "1.5", made: 90 }), his = entry(2, "finish", 8, { who: "1.6", made: 50 });
  const told = queue.share([mine, his, entry(3, "note", 8, { who: "1.6", made: 1 })], "1.5", 40);
  assert.deepEqual([ids(told.mine), ids(told.left), ids(told.old)], [["id-1"], ["id-2"], ["id-3"]]);
  assert.deepEqual(ids(queue.share([mine, his], "1.6", 40).mine), ["id-2"]);
  assert.deepEqual(ids(queue.share([mine, his], "", 40).left), ["id-1", "id-2"]);
});

test("acts go together and in order, a photo alone and in its turn", () => {
  const waits = [entry(1, "accept", 7), entry(2, "arrive", 7), entry(3, "photo", 7), entry(4, "finish", 7)];
  assert.deepEqual(ids(queue.nextBatch(waits).acts), ["id-1", "id-2"]);
  assert.equal(queue.nextBatch(waits.slice(2)).photo.id, "id-3");
  assert.deepEqual(ids(queue.nextBatch(waits.slice(3)).acts), ["id-4"]);
  assert.equal(queue.nextBatch([]), null);
});

test("no more than twenty acts at once, or one where one is wished", () => {
  const waits = Array.from({ length: 50 }, (_, at) => entry(at, "accept", at));
  assert.equal(queue.nextBatch(waits).acts.length, 20);
  assert.equal(queue.nextBatch(waits, 1).acts.length, 1);
});

test("what belongs to a report waits until the report has its number", () => {
  const waits = [entry(1, "report", null), entry(2, "self_handle", "new:id-1"), entry(3, "accept", 7)];
  assert.deepEqual(ids(queue.nextBatch(waits).acts), ["id-1"]);
  const { gone, changed } = queue.settle(waits, [fine("id-1", 99, 1)]);
  assert.deepEqual(ids(gone), ["id-1"]);
  assert.deepEqual(changed.map(({ seq, incident, version }) => [seq, incident, version]), [[2, 99, 1]]);
});

test("what is not answered, or shall come later, stays as it is", () => {
  const waits = [entry(1, "accept", 7), entry(2, "arrive", 8), entry(3, "finish", 9)];
  const told = queue.settle(waits, [fine("id-1", 7, 4), { id: "id-2", ok: false, kind: "later", say: "x" }]);
  assert.deepEqual([ids(told.gone), told.changed, told.problems], [["id-1"], [], []]);
  assert.deepEqual(queue.settle(waits, []).gone, []);
});

test("an answer given twice changes nothing more", () => {
  const waits = [entry(1, "accept", 7)];
  const { gone } = queue.settle(waits, [fine("id-1", 7, 4), fine("id-1", 7, 4)]);
  assert.equal(gone.length, 1);
  assert.deepEqual(queue.settle([], [fine("id-1", 7, 4)]), { gone: [], changed: [], problems: [], done: [] });
});

test("acts that wait go on from the version that the one before them made", () => {
  const waits = [entry(1, "accept", 7), entry(2, "arrive", 7), entry(3, "arrive", 8), entry(4, "finish", 7, { version: 9 })];
  const { changed } = queue.settle(waits, [fine("id-1", 7, 4)]);
  assert.deepEqual(changed.map(({ seq, version }) => [seq, version]), [[2, 4]]);
});

test("a refusal takes nothing else along, but what belonged to a refused report comes back with it", () => {
  const waits = [entry(1, "report", null), entry(2, "photo", "new:id-1"), entry(3, "accept", 7)];
  const { gone, problems } = queue.settle(waits, [{ id: "id-1", ok: false, kind: "wrong", say: "outside" }]);
  assert.deepEqual(ids(gone), ["id-1", "id-2"]);
  assert.equal(problems[0].say, "outside");
  const anew = queue.again(problems[0], []);
  assert.equal(anew[1].incident, `new:${anew[0].id}`);
  assert.ok(anew.every(({ seq, id }) => seq === undefined && !["id-1", "id-2"].includes(id)));
});

test("doing it again takes the incident as it stands now", () => {
  const [one] = queue.again({ entry: entry(1, "finish", 7), say: "x" }, [{ ...task, version: 5 }]);
  assert.equal(one.version, 5);
  assert.equal(queue.again({ entry: entry(1, "finish", 6), say: "x" }, [task])[0].version, null);
});

test("the day is shown as it will be once all is sent", () => {
  const shown = (...waits) => queue.overlay([task], waits)[0];
  assert.equal(shown().state, "waiting");
  assert.equal(shown(entry(1, "accept", 7)).state, "accepted");
  assert.equal(shown(entry(1, "accept", 7), entry(2, "arrive", 7)).state, "started");
  assert.equal(shown(entry(1, "accept", 8)).waits, 0);
  assert.deepEqual(shown(entry(1, "photo", 7, { args: { kind: "before" } }), entry(2, "note", 7)).needs, ["after"]);
  assert.deepEqual(queue.overlay([task], [entry(1, "finish", 7)]), []);
  assert.equal(queue.overlay([{ ...task, kind: "check" }], [entry(1, "arrive", 7)])[0].state, "arrived");
});

test("one line says what waits", () => {
  const words = { waits1: "1 act waits", waits: "{count} acts wait", offline: "Offline", sending: "Sending", colon: ": " };
  assert.equal(queue.line(words, false, 2), "Offline: 2 acts wait");
  assert.equal(queue.line(words, false, 0), "Offline");
  assert.equal(queue.line(words, true, 1), "Sending: 1 act waits");
  assert.equal(queue.line(words, true, 0), "");
});

test("any order of answers, lost ones and repeats: each act is sent until it is answered, and never after", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    let state = seed;
    const random = () => ((state = (state * 48271) % 2147483647) / 2147483647);
    let waits = Array.from({ length: 12 }, (_, at) => entry(at, random() < 0.2 ? "photo" : "note", 1 + Math.floor(random() * 3)));
    const applied = [], seen = new Set();
    for (let step = 0; waits.length && step < 500; step += 1) {
      const batch = queue.nextBatch(waits);
      const answers = [];
      for (const one of batch.photo ? [batch.photo] : batch.acts) {
        if (random() < 0.1) { break; } // the platform goes away in the middle
        if (!seen.has(one.id)) { seen.add(one.id); applied.push(one.seq); }
        answers.push(fine(one.id, one.incident, 3));
      }
      if (random() < 0.3) { continue; } // the answer is lost on its way
      const { gone, changed } = queue.settle(waits, answers);
      waits = waits.filter((one) => !gone.includes(one)).map((one) => changed.find(({ seq }) => seq === one.seq) || one);
    }
    assert.deepEqual(applied, Array.from({ length: 12 }, (_, at) => at), `seed ${seed}`);
  }
});

test("the part of who comes along is accepted, begun and gone as he says it", () => {
  const help = { ...task, kind: "help", needs: [] };
  const after = (...acts) => queue.overlay([help], acts.map((act, at) => entry(at, act, 7))).map(({ state }) => state);
  assert.deepEqual(after("accept_part"), ["accepted"]);
  assert.deepEqual(after("accept_part", "on_way", "arrive"), ["arrived"]);
  assert.deepEqual(after("arrive", "finish_part"), []);
  assert.deepEqual(after("return_part"), []);
});
