"use strict";
/* The field page: draws the day of a worker, keeps what he does, sends it once and in order. Text is only ever text. */
/* global GridkeeperQueue */
(() => {
  const $ = (id) => document.getElementById(`gk-${id}`), Q = GridkeeperQueue;
  const W = JSON.parse($("words").textContent), POLL_S = 20, IN_HAND_S = 5, AGAIN_S = 4, HOUR = 3600e3, KEEP_H = 16, LEFT_H = 7 * 24, PHOTO_PX = 1600, NOTICES = 2;
  const now = () => new Date(Date.now() + ahead), lang = document.documentElement.lang;
  let state = null, queue = [], problems = [], shots = [], etag = "", done = "", ahead = 0, tries = 0, saidAt = 0, me = "", others = 0;
  let online = navigator.onLine, ended = false, busy = false, chosen = null, watching = null, spot = null, again = 0;
  let said = Promise.resolve(), unsay = false, unfolded = false, once = false, askedAt = 0, touchedAt = Date.now();
  const maps = new Map(), drawn = new Map(), asking = new Set();

  /* --- what the phone keeps */
  const opened = new Promise((resolve, reject) => {
    const asked = indexedDB.open("gridkeeper-field", 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("queue", { keyPath: "seq", autoIncrement: true });
      asked.result.createObjectStore("kept");
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  async function store(mode, work) {
    const step = (await opened).transaction(["queue", "kept"], mode, { durability: "strict" });
    const asked = work(step.objectStore("queue"), step.objectStore("kept"));
    return new Promise((resolve, reject) => {
      step.oncomplete = () => resolve(asked && asked.result);
      step.onerror = step.onabort = () => reject(step.error);
    });
  }
  const keep = (key, value, until) => store("readwrite", (_, kept) => void kept.put({ value, until }, key));
  const recall = async (key) => {
    const { value, until } = (await store("readonly", (_, kept) => kept.get(key))) || { until: 0 };
    return until > Date.now() ? value : null;
  };
  async function reload() { // what another worker left here unsent is his, and waits a week for him
    const { mine, left, old } = Q.share(await store("readonly", (waits) => waits.getAll()), me, Date.now() - LEFT_H * HOUR);
    [queue, others] = [mine, left.length];
    problems = ((await recall("problems")) || []).filter(({ entry }) => entry.who === me); // another window may have had an answer
    if (old.length) { await store("readwrite", (waits) => old.forEach(({ seq }) => waits.delete(seq))); }
  }
  const put = (kept, all) => kept.put({ value: all, until: Date.now() + KEEP_H * HOUR }, "problems");
  const enqueue = (...entries) => settled(null, entries);
  async function settled(problem, entries = []) { // in one step: a closed tab loses nothing and does nothing twice
    await store("readwrite", (waits, kept) => {
      entries.forEach((one) => waits.add({ who: me, made: Date.now(), at: now().toISOString(), args: {}, ...one }));
      if (problem) { put(kept, problems.filter(({ id }) => id !== problem.id)); }
    });
    done = "";
    await reload();
    draw();
    sync();
  }
  const act = (name, { incident, version, number }, args = {}) => ({ id: Q.newId(), act: name, incident, version, number, args });
  const photo = ({ kind, blob }, about) => ({ ...act("photo", about, { kind }), blob });

  /* --- sending */
  async function ask(address, options) {
    const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(30000), ...options });
    [online, ended] = [true, answer.status === 401]; // 409: somebody else is logged in by now
    if (ended || answer.status >= 500 || answer.status === 409) { throw new Error(String(answer.status)); }
    return answer;
  }
  const by = (who) => ({ "gridkeeper-who": who });
  async function send({ photo: one, acts = [one] }) {
    const answer = await (one ? ask(`/api/field/photo?incident=${one.incident}&kind=${one.args.kind}&id=${one.id}`, { method: "POST", body: one.blob, headers: by(one.who) })
      : ask("/api/field/acts", { method: "POST", body: JSON.stringify({ acts: acts.map(Q.message) }), headers: by(acts[0].who) }));
    const body = await answer.json(), say = `${body.error} ${body.hint || ""}`;
    return answer.ok ? body.answers : acts.map(({ id }) => ({ id, ok: false, kind: "wrong", say }));
  }
  async function sendAll() {
    for (await reload(); queue.length; await reload()) {
      const batch = Q.nextBatch(queue, tries > 1 ? 1 : undefined); // one act that breaks the platform holds up no other
      let answers;
      try {
        answers = await send(batch);
        tries = 0;
      } catch (error) {
        if (error.message === "409") { etag = ""; } // nothing of it was applied: ask who it is, and keep the queue
        if (["409", "503"].includes(error.message)) { return; }
        if (!/^5/.test(error.message) || (tries += 1) < 4) { throw error; }
        answers = [{ id: queue[0].id, ok: false, kind: "wrong", say: W.lost_turn }];
      }
      const told = Q.settle(queue, answers);
      problems = [...problems, ...told.problems];
      await store("readwrite", (waits, kept) => { // all of it or nothing: a closed tab loses and repeats nothing
        told.gone.forEach(({ seq }) => waits.delete(seq));
        told.changed.forEach((one) => waits.put(one));
        put(kept, problems);
      });
      done = told.done.length && told.done.at(-1).number ? W.done.replace("{number}", told.done.at(-1).number) : done;
      if (!told.gone.length) { break; }
    }
  }
  async function sync() {
    if (busy) { once = true; return; }
    [busy, askedAt] = [true, Date.now()];
    try {
      if (me && queue.length) { await (navigator.locks ? navigator.locks.request("gridkeeper-field", sendAll) : sendAll()); }
      await poll();
    } catch (error) {
      if (ended) { await hide(); }
      online = ended || /^5/.test(error.message);
    } finally {
      busy = false;
      draw();
      clearTimeout(again);
      again = !online && navigator.onLine ? setTimeout(sync, AGAIN_S * 1000) : 0;
      if (once && online) { once = false; setTimeout(sync); } // what was pressed meanwhile does not wait for its turn
    }
  }
  async function hide() { // the session is over: what was told to the worker goes from the phone, what he said stays
    [state, etag] = [null, ""];
    if (watching !== null) { unwatch(); }
    [...maps.keys()].forEach((key) => BARE.includes(key) || maps.delete(key));
    await sweep((key) => !BARE.includes(key));
  }
  const BARE = ["problems", "classes", "around"];
  const sweep = (gone) => store("readwrite", (_, kept) => {
    kept.openCursor().onsuccess = ({ target: { result: at } }) => {
      if (!at) { return; }
      if (gone(at.key, at.value)) { at.delete(); }
      at.continue();
    };
  });
  async function poll() {
    if (unsay) { await silence(); }
    const answer = await ask("/api/field/state", etag ? { headers: { "if-none-match": etag } } : {});
    ahead = Date.parse(answer.headers.get("date") || "") - Date.now() || 0;
    if (![200, 304].includes(answer.status)) { // the platform says why not: he works here no more, or it has no place for him
      [state, etag, done] = [null, "", (await answer.json().catch(() => ({}))).error || String(answer.status)];
      return;
    }
    if (answer.status === 200) {
      const fresh = await answer.json();
      if (me && me !== fresh.who) {
        if (watching !== null) { unwatch(); }
        maps.clear();
        await store("readwrite", (_, kept) => void kept.clear());
      }
      [state, etag, me] = [fresh, answer.headers.get("etag") || "", fresh.who];
      await keep("state", state, shiftEnd());
    }
    await reload();
    if (!state.shift.on && watching !== null) { share(); }
    const shown = Number($("task").dataset.incident); // a way that did not come is asked for again
    await Promise.all([load("classes", "/api/field/classes"), load("around", "/api/field/way"), shown ? wayTo(shown) : null]);
  }
  const shiftEnd = () => (state.shift.end ? Math.max(Date.parse(state.shift.end), Date.now()) + HOUR / 2 : Date.now() + KEEP_H * HOUR);
  async function load(key, address) {
    if (maps.get(key) || asking.has(key)) { return; }
    asking.add(key);
    const before = await recall(key);
    if (before) { maps.set(key, before); }
    const answer = await ask(address).catch(() => ({ ok: false }));
    if (answer.ok) { maps.set(key, await answer.json()); await keep(key, maps.get(key), shiftEnd()); }
    asking.delete(key);
  }
  const wayTo = (incident) => load(incident, `/api/field/way?incident=${incident}`);

  /* --- drawing */
  function el(tag, props, ...kids) {
    const made = document.createElement(tag);
    Object.entries(props || {}).forEach(([name, value]) => (name.startsWith("on") ? made.addEventListener(name.slice(2), value) : made.setAttribute(name, value)));
    made.append(...kids.flat().filter(Boolean));
    return made;
  }
  const press = (name, work, label) => el("button", { type: "button", "data-act": name, onclick: work }, label || W.acts[name]);
  function clock(moment) {
    const at = new Date(moment), zone = { timeZone: state.zone }, day = (when) => when.toLocaleDateString("en", zone);
    const shown = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...zone };
    return at.toLocaleString(lang, day(at) === day(now()) ? shown : { weekday: "short", ...shown });
  }
  function when({ expected, eta, due }) {
    const late = due && new Date(due) < now() ? "late" : "due", say = (word, at) => W[word].replace("{time}", clock(at));
    return [expected ? el("span", {}, say("until", expected)) : eta && el("span", {}, say("eta", eta)), due && el("span", { class: late }, say(late, due))];
  }
  const place = (task) => [task.place, task.community].filter(Boolean).join(W.comma);
  const marks = (task) => [task.emergency && el("b", { class: "late" }, W.emergency), task.urged && el("b", { class: "due" }, W.urged),
    task.kind !== "handle" && el("span", {}, W.kinds[task.kind]), el("span", { class: task.waits ? "due" : "muted" }, task.waits ? W.pending : W.states[task.state])];
  const picture = (image, map) => { // the platform draws it; a phone that is offline has it from before
    if (map && image.dataset.box !== String(map.box)) {
      image.dataset.box = map.box;
      image.src = URL.createObjectURL(new Blob([map.svg], { type: "image/svg+xml" }));
    }
    return image;
  };
  function way(task) {
    const [lon, lat] = task.at, map = maps.get(task.incident);
    wayTo(task.incident).then(() => maps.get(task.incident) !== map && draw());
    return [map && picture(el("img", { class: "map", alt: place(task) }), map), map && el("p", { class: "muted" }, map.text),
      el("a", { class: "maps", href: `geo:${lat},${lon}?q=${lat},${lon}`, rel: "noreferrer" }, W.maps)];
  }
  const flow = (task) => (W.flow[task.kind] || {})[task.state] || [];
  function start(name, task) {
    return W.asks.includes(name) ? ending(task, name) : enqueue(act(name, task));
  }
  const minutes = (task) => el("select", { id: "gk-minutes", "aria-label": W.acts.expect_done, onchange: ({ target }) => enqueue(act("expect_done", task, { minutes: +target.value })) },
    el("option", { value: "" }, W.acts.expect_done), [5, 10, 20, 30, 45, 60, 90, 120].map((count) => el("option", { value: count }, W.minutes.replace("{count}", count))));
  const face = (task, more) => (task ? [el("p", { class: "marks" }, marks(task)), el("h1", {}, task.title), el("p", {}, place(task)),
      el("p", { class: "when" }, when(task), el("span", { class: "muted" }, task.number)), task.takes && el("p", { class: "takes" }, task.takes), task.note && el("p", { class: "said" }, task.note), ...way(task),
      el("div", { class: "more" }, more.map((name) => (name === "expect_done" ? minutes(task) : press(name, () => start(name, task)))))]
      : [el("h1", {}, W.none), el("p", { class: "muted" }, W.none_hint)]).filter(Boolean);
  function told(notices) { // two lines and how many more: the next task stays in sight
    const most = unfolded ? notices.length : NOTICES, more = notices.length - most;
    return [...notices.slice(0, most).map((one) => el("li", one.why ? { class: "why" } : {}, `${W.topics[one.topic]}${W.colon}${one.title} ${one.number}${one.why ? ` · ${one.why}` : ""}`)),
      more > 0 && el("li", {}, press("more", () => { unfolded = true; draw(); }, (more === 1 ? W.more1 : W.more).replace("{count}", more)))];
  }
  function redraw(id, about, make) { // what stays as it is stays under the thumb
    const sign = JSON.stringify(about) || "";
    if (drawn.get(id) !== sign) { $(id).replaceChildren(...make()); }
    drawn.set(id, sign);
  }
  function draw() {
    const say = ended ? W.ended : Q.line(W, online, queue.length) || done;
    $("line").hidden = !say;
    $("line").className = ended || !online ? "due" : "";
    $("line").replaceChildren(say, ended ? el("a", { href: "/login?next=/field" }, W.login) : "");
    $("others").textContent = others === 0 ? "" : others === 1 ? W.others1 : W.others.replace("{count}", others);
    if (!state) {
      drawn.clear();
      ["shift", "problems", "notices", "task", "list", "where"].forEach((id) => $(id).replaceChildren());
      ["day", "act", "share"].forEach((id) => { $(id).hidden = true; });
      return;
    }
    const tasks = Q.overlay(state.tasks, queue), task = tasks.find(({ incident }) => incident === chosen) || tasks[0];
    const [main, ...more] = task ? flow(task) : [], { shift } = state;
    $("shift").textContent = shift.away ? W.away : shift.on ? W.on.replace("{time}", clock(shift.end)) : W.off;
    redraw("problems", problems, () => problems.map((one) => el("section", { class: "card problem", role: "alert" }, el("b", {}, W.acts[one.entry.act]),
      el("p", {}, one.say), el("div", { class: "pair" }, press("away", () => settled(one), W.put_away), press("again", () => settled(one, Q.again(one, state.tasks)), W.again)))));
    redraw("notices", [state.notices, unfolded], () => (state.notices.length ? [el("section", { class: "card notice" },
      el("ul", unfolded ? { class: "all" } : {}, told(state.notices)), press("read", putAway))] : []));
    $("task").dataset.incident = task ? task.incident : "";
    $("task").dataset.state = task ? task.state : "";
    const times = (each) => when(each).map((one) => one && one.textContent);
    redraw("task", task && [task, (maps.get(task.incident) || {}).text, times(task)], () => face(task, more));
    Object.assign($("act"), { hidden: !main, textContent: main ? W.acts[main] : "", onclick: () => start(main, task) }).dataset.act = main || "";
    $("day").hidden = tasks.length < 2;
    const later = tasks.filter((each) => each !== task);
    redraw("list", later.map((each) => [each, times(each)]), () => later.map((each) => el("li", {}, el("button", { type: "button", "data-incident": each.incident,
      onclick: () => { chosen = each.incident; draw(); window.scrollTo(0, 0); } }, el("b", {}, each.title), el("span", { class: "muted" }, place(each)),
    el("span", { class: "when" }, when(each)), el("span", { class: "marks" }, marks(each))))));
    $("where").textContent = watching === null ? "" : W.sharing;
    Object.assign($("share"), { hidden: !shift.on || !navigator.geolocation, textContent: watching === null ? W.share : W.unshare, onclick: share });
  }
  function putAway() {
    const upto = state.notices[0].id;
    [state.notices, unfolded] = [[], false];
    enqueue({ id: Q.newId(), act: "read", args: { upto } });
  }

  /* --- ending a task, reporting, place and photo */
  async function shoot(input, kind) { // made small here: mobile data is dear; what cannot be read goes as it is
    const [file] = input.files;
    if (!file) { return; }
    const blob = await createImageBitmap(file, { imageOrientation: "from-image" }).then((image) => {
      const share = Math.min(1, PHOTO_PX / Math.max(image.width, image.height)), sheet = el("canvas", {});
      [sheet.width, sheet.height] = [image.width * share, image.height * share];
      sheet.getContext("2d").drawImage(image, 0, 0, sheet.width, sheet.height);
      return new Promise((resolve) => { sheet.toBlob(resolve, "image/jpeg", 0.85); });
    }).catch(() => file);
    shots = [...shots.filter((one) => one.input !== input || W.asks.includes($("finish").dataset.act)), { kind: kind(), blob, input }];
    input.parentElement.append(el("img", { alt: W.acts.photo, src: URL.createObjectURL(blob) }));
  }
  function fresh(dialog) {
    shots = [];
    dialog.querySelector("form").reset();
    dialog.querySelectorAll(".photo img").forEach((image) => image.remove());
    dialog.showModal();
  }
  function ending(task, name) {
    const proof = ["finish", "verify", "check"].includes(name), lacks = () => (proof ? task.needs.filter((kind) => !shots.some((shot) => shot.kind === kind)
      && !(kind === "place" && $("note").value.trim())) : []);
    const check = () => {
      const left = name === "finish" ? lacks() : [], asked = $("reasons").children.length && !$("reasons").querySelector(":checked");
      $("needs").textContent = left.length ? W.needs.replace("{kinds}", left.map((kind) => W.proofs[kind]).join(W.comma)) : "";
      $("done").disabled = Boolean(left.length || asked);
    };
    $("what").textContent = `${W.acts[name]}${W.colon}${task.title}`;
    $("reasons").replaceChildren(...(W.reasons[name] || []).map(([value, label]) => el("label", { class: "tick" }, el("input", { type: "radio", name: "reason", value }), label)));
    $("proof").hidden = !proof;
    $("finish").dataset.act = name;
    fresh($("finish"));
    $("photo").onchange = () => shoot($("photo"), () => lacks().find((kind) => kind !== "place") || (name === "finish" ? "after" : "other")).then(check);
    $("finish").oninput = check;
    check();
    $("done").onclick = () => {
      const text = proof && $("note").value.trim(), reason = $("reasons").querySelector(":checked");
      enqueue(...shots.map((shot) => photo(shot, task)), ...(text ? [act("note", task, { text })] : []), act(name, task, reason ? { reason: reason.value } : {}));
      chosen = null;
    };
  }
  function report() {
    const classes = maps.get("classes") || [], around = maps.get("around"), known = () => classes.find(({ key }) => key === $("class").value);
    const groups = Map.groupBy ? [...Map.groupBy(classes, ({ group }) => group)] : [["", classes]];
    $("class").replaceChildren(el("option", { value: "" }, W.no_class), ...groups.map(([label, all]) => el("optgroup", { label }, all.map(({ key, title }) => el("option", { value: key }, title)))));
    $("finish").dataset.act = spot = "";
    picture($("map"), around).parentElement.hidden = !around;
    const pick = (at) => {
      const [west, south, east, north] = around ? around.box : [0, 0, 0, 0], inside = around && at[0] > west && at[0] < east && at[1] > south && at[1] < north;
      spot = at;
      [$("wrong").textContent, $("place").textContent, $("dot").hidden] = ["", W.picked, !inside];
      Object.assign($("dot").style, { left: `${((at[0] - west) / (east - west)) * 100}%`, top: `${((north - at[1]) / (north - south)) * 100}%` });
    };
    $("map").onclick = ({ offsetX, offsetY, target }) => pick([around.box[0] + (offsetX / target.clientWidth) * (around.box[2] - around.box[0]),
      around.box[3] - (offsetY / target.clientHeight) * (around.box[3] - around.box[1])]);
    $("here").onclick = () => navigator.geolocation.getCurrentPosition(({ coords }) => pick([coords.longitude, coords.latitude]),
      () => { $("wrong").textContent = W.no_gps; }, { enableHighAccuracy: true, timeout: 15000 });
    $("class").onchange = () => { $("call").textContent = known() && known().emergency ? W.call : ""; };
    $("self").onchange = () => { $("after").hidden = !$("self").checked; };
    $("photo2").onchange = () => shoot($("photo2"), () => "before");
    $("photo3").onchange = () => shoot($("photo3"), () => "after");
    [$("wrong").textContent, $("place").textContent, $("call").textContent, $("dot").hidden, $("after").hidden] = ["", "", "", true, true];
    fresh($("report"));
    $("send").onclick = () => {
      $("wrong").textContent = !known() ? W.no_class : !spot ? W.no_place : "";
      if ($("wrong").textContent) { return; }
      const made = act("report", {}, { class: known().key, lon: spot[0], lat: spot[1], place: $("street").value.trim(), text: $("text").value.trim() });
      const about = { incident: `new:${made.id}`, number: known().title };
      enqueue({ ...made, number: known().title }, ...shots.map((shot) => photo(shot, about)), ...($("self").checked ? [act("self_handle", about)] : []));
      $("report").close();
    };
  }
  function share() { // on shift only, and only once somebody pressed; each position overwrites the one before
    if (watching === null) {
      watching = navigator.geolocation.watchPosition(({ coords: { longitude: lon, latitude: lat, accuracy } }) => {
        if (Date.now() - saidAt < 60e3) { return; }
        if (!saidAt) { [...maps.keys()].forEach((key) => BARE.includes(key) || maps.delete(key)); } // ways begin here now
        saidAt = Date.now();
        said = ask("/api/field/position", { method: "POST", body: JSON.stringify({ lon, lat, accuracy }), headers: by(me) }).catch(() => { saidAt = 0; });
      }, () => watching !== null && share(), { enableHighAccuracy: false, maximumAge: 30e3 });
    } else {
      unwatch();
      silence().catch(() => null);
    }
    draw();
  }
  function unwatch() {
    navigator.geolocation.clearWatch(watching);
    [watching, saidAt] = [null, 0];
  }
  async function silence() { // the last place is deleted there too; without a network, once there is one
    unsay = true;
    await said;
    await ask("/api/field/position", { method: "DELETE", headers: by(me) });
    unsay = false;
  }
  async function leave(event) {
    event.preventDefault();
    if (queue.length && !$("leave").dataset.sure) {
      $("leave").dataset.sure = "yes";
      return $("leave").replaceChildren(el("p", { class: "late" }, W.unsent), el("button", {}, W.drop));
    }
    if (watching !== null) { unwatch(); }
    await store("readwrite", (waits, kept) => { queue.forEach(({ seq }) => waits.delete(seq)); kept.clear(); });
    await (globalThis.caches ? caches.delete("gridkeeper-field") : null);
    const workers = navigator.serviceWorker ? await navigator.serviceWorker.getRegistrations() : [];
    await Promise.all(workers.map((worker) => worker.unregister()));
    if (others) { $("leave").action = "/logout?keep=queue"; } // what another worker left here is not ours to delete
    return $("leave").submit();
  }

  async function begin() {
    $("new").onclick = report;
    $("leave").addEventListener("submit", leave);
    window.addEventListener("online", sync);
    window.addEventListener("offline", () => { online = false; draw(); });
    document.addEventListener("visibilitychange", () => document.hidden || sync());
    ["pointerdown", "keydown"].forEach((name) => document.addEventListener(name, () => { touchedAt = Date.now(); }));
    setInterval(() => { // more often while somebody has the phone in hand
      const every = Date.now() - touchedAt < 60e3 ? IN_HAND_S : POLL_S;
      if (!document.hidden && Date.now() - askedAt > (every - 1) * 1000) { sync(); }
    }, IN_HAND_S * 1000);
    await sweep((_, { until }) => !(until > Date.now()));
    state = await recall("state");
    if (state) {
      me = state.who;
      await reload();
      draw();
    }
    if (navigator.serviceWorker) {
      const ours = globalThis.trustedTypes ? trustedTypes.createPolicy("gridkeeper", { createScriptURL: (url) => url }).createScriptURL("/field/worker.js") : "/field/worker.js";
      navigator.serviceWorker.register(ours, { scope: "/field" }).catch(() => null);
    }
    sync();
  }
  begin();
})();
