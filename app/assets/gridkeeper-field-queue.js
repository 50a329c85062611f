"use strict";
/* The queue of a phone: acts wait in order until the platform has answered each. No document: tested with node. */

const GridkeeperQueue = (() => {
  const ACTS_MOST = 20;
  const NEXT = { accept: "accepted", accept_part: "accepted", on_way: "on_way", arrive: "arrived", start: "started",
    finish: "gone", finish_part: "gone", return: "gone", return_part: "gone", hand_over: "gone", verify: "gone",
    check: "gone" };

  /** Return an id that no other phone makes. */
  function newId() {
    const parts = globalThis.crypto.getRandomValues(new Uint32Array(4));
    return "field-" + Array.from(parts, (part) => part.toString(16).padStart(8, "0")).join("");
  }

  /** Return the entries of the one who is logged in, those of others that wait for them, and those too old to keep. */
  function share(entries, who, since) {
    const theirs = entries.filter((one) => one.who !== who);
    return { mine: entries.filter((one) => one.who === who), left: theirs.filter(({ made }) => made >= since),
      old: theirs.filter(({ made }) => made < since) };
  }

  /** Return what is sent next: one photo, or the acts before the next photo; null when nothing waits. */
  function nextBatch(queue, most = ACTS_MOST) {
    if (!queue.length) {
      return null;
    }
    if (queue[0].act === "photo") {
      return { photo: queue[0] };
    }
    const end = queue.findIndex((one, at) => one.act === "photo" || at >= most
      || (at > 0 && typeof one.incident === "string"));
    return { acts: queue.slice(0, end < 0 ? queue.length : end) };
  }

  /** Return an act as it is sent. */
  function message({ id, act, incident, version, at, args }) {
    return { id, act, incident: incident ?? null, version: version ?? null, at, arguments: args || {} };
  }

  /**
   * Return {gone, changed, problems, done} after answers: entries to delete, entries to keep changed, what was
   * refused (with words), what was applied. What was not answered, or shall come later, stays as it is.
   */
  function settle(queue, answers) {
    const told = new Map(answers.map((answer) => [answer.id, answer]));
    const result = { gone: [], changed: [], problems: [], done: [] };
    const left = [];
    for (const one of queue) {
      const answer = told.get(one.id);
      if (!answer || answer.kind === "later") {
        left.push(one);
        continue;
      }
      result.gone.push(one);
      (answer.ok ? result.done : result.problems).push({ ...answer, entry: one });
    }
    for (const one of left) {
      const next = { ...one };
      for (const { entry, incident, version } of result.done) {
        if (next.incident === `new:${entry.id}`) {
          next.incident = incident;
          next.version = version;
        } else if (version && next.incident === incident && next.version === entry.version) {
          next.version = version;
        }
      }
      const orphan = result.problems.find(({ entry }) => next.incident === `new:${entry.id}`);
      if (orphan) { // what belongs to a report that was refused goes with it, and comes back with it
        result.gone.push(one);
        orphan.with = [...(orphan.with || []), one];
      } else if (next.incident !== one.incident || next.version !== one.version) {
        result.changed.push(next);
      }
    }
    return result;
  }

  /** Return the tasks as they will stand once what waits is sent; each with the number of acts that wait. */
  function overlay(tasks, queue) {
    return tasks.map((task) => {
      const mine = queue.filter((one) => one.incident === task.incident);
      const photos = mine.filter((one) => one.act === "photo").map((one) => one.args.kind);
      const notes = mine.some((one) => one.act === "note") ? ["place"] : [];
      const state = mine.reduce((now, one) => NEXT[one.act] || now, task.state);
      const needs = task.needs.filter((kind) => ![...photos, ...notes].includes(kind));
      return { ...task, state: state === "arrived" && task.kind === "handle" ? "started" : state, needs,
        waits: mine.length };
    }).filter((task) => task.state !== "gone");
  }

  /** Return the line that is always seen; empty when there is nothing to say. */
  function line(words, online, waiting) {
    const acts = waiting === 0 ? "" : waiting === 1 ? words.waits1 : words.waits.replace("{count}", waiting);
    const place = online ? (waiting ? words.sending : "") : words.offline;
    return [place, acts].filter(Boolean).join(words.colon);
  }

  /** Return the same acts with fresh ids, on the incident as it stands now: for "do it again". */
  function again(problem, tasks) {
    const now = tasks.find((task) => task.incident === problem.entry.incident);
    const bare = ({ seq, ...one }) => (seq ? one : one);
    const fresh = { ...bare(problem.entry), id: newId(), version: now ? now.version : null };
    return [fresh, ...(problem.with || []).map((one) => ({ ...bare(one), id: newId(), incident: `new:${fresh.id}` }))];
  }

  return { newId, share, nextBatch, message, settle, overlay, line, again };
})();

if (typeof module !== "undefined") {
  module.exports = GridkeeperQueue;
}
