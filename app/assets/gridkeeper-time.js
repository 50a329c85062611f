"use strict";
/* Playback on the map: every moment of a period comes in one answer and is shown without fetching anything else. */
/* global GridkeeperLayers, GridkeeperMap */

const GridkeeperTime = (() => {
  const DAY_MS = 86400000;
  const STEP_MS = { hour: DAY_MS / 24, day: DAY_MS, week: 7 * DAY_MS };
  const TRAFFIC = "traffic"; // the 24 hours of the usual day on roads; the answer holds hundredths
  const state = { asked: null, step: "day", frames: null, at: 0, playing: false, timer: 0, loading: false };
  let config, bar, parts;

  /** Return {header, ends, cells, counts} of an answer of /api/frames. */
  function decode(buffer) {
    const view = new DataView(buffer);
    const magic = String.fromCharCode(...new Uint8Array(buffer, 0, 4));
    if (magic !== "GKF1") {
      throw new Error(`not a playback: ${magic}`);
    }
    const length = view.getUint32(4, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
    const start = 8 + length;
    const part = (at, count) => new Uint32Array(buffer, start + 4 * at, count);
    const n = header.frames;
    return { header, ends: part(0, n), cells: part(n, header.entries), counts: part(n + header.entries, header.entries) };
  }

  /** Return the counts of one moment for every cell, in the form of an answer of /api/values. */
  function answerAt(frames, at, scale = 1) {
    const values = new Float32Array(frames.header.cells);
    for (let i = at ? frames.ends[at - 1] : 0; i < frames.ends[at]; i += 1) {
      values[frames.cells[i]] = frames.counts[i] / scale;
    }
    return { header: { first: frames.header.first, edges: frames.header.edges }, values };
  }

  /** Return the first and the last day of a moment, in days since 1970. */
  function daysAt(asked, step, at) {
    const first = Date.parse(`${asked.first}T00:00:00Z`) + at * STEP_MS[step];
    const end = Math.min(first + STEP_MS[step] - 1, Date.parse(`${asked.last}T23:59:59Z`));
    return [Math.floor(first / DAY_MS), Math.floor(end / DAY_MS)];
  }

  /** Return a moment in words: "Tue 14 Jul, 09:00", "Tue 14 Jul", "14 Jul – 20 Jul". */
  function labelAt(asked, step, at, lang) {
    if (step === TRAFFIC) {
      return `${String(at).padStart(2, "0")}:00`;
    }
    const [first, last] = daysAt(asked, step, at);
    const day = (number, weekday) => {
      const parts = { day: "numeric", month: "short", timeZone: "UTC" };
      return new Date(number * DAY_MS).toLocaleDateString(lang === "zh" ? "zh-CN" : "en-GB", weekday ? { weekday: "short", ...parts } : parts);
    };
    if (step === "hour") {
      return `${day(first, true)}, ${String(at % 24).padStart(2, "0")}:00`;
    }
    return step === "day" ? day(first, true) : `${day(first, false)} – ${day(last, false)}`;
  }

  function make(kind, name, attributes = {}) {
    const element = document.createElement(kind);
    element.className = `gk-time-${name}`;
    for (const [key, value] of Object.entries(attributes)) {
      element.setAttribute(key, value);
    }
    return element;
  }

  function choice(name, label, options, chosen) {
    const select = make("select", name, { "aria-label": label });
    for (const [value, text] of options) {
      const option = select.appendChild(document.createElement("option"));
      option.value = value;
      option.textContent = text;
      option.selected = value === chosen;
    }
    return select;
  }

  function build() {
    bar = make("div", "bar", { role: "group", "aria-label": config.words.playback });
    parts = {
      play: make("button", "play", { type: "button" }),
      step: choice("step", config.words.step, [["hour", config.words.hour], ["day", config.words.day], ["week", config.words.week], [TRAFFIC, config.words.traffic]], "day"),
      speed: choice("speed", config.words.speed, [["900", config.words.slow], ["400", config.words.normal], ["160", config.words.fast]], "400"),
      range: make("input", "range", { type: "range", min: "0", max: "0", step: "1", value: "0", "aria-label": config.words.moment }),
      label: make("output", "label"),
      key: make("span", "key", { "aria-label": config.words.key }),
      close: make("button", "close", { type: "button", "aria-label": config.words.close, title: config.words.close }),
    };
    parts.close.textContent = "×";
    bar.append(parts.play, parts.step, parts.speed, parts.range, parts.label, parts.key, parts.close);
    parts.play.addEventListener("click", () => (state.playing ? pause() : play()));
    parts.step.addEventListener("change", () => {
      const again = state.playing || Boolean(state.frames);
      leave();
      state.step = parts.step.value;
      tell();
      if (again) {
        play();
      }
    });
    parts.range.addEventListener("input", () => {
      const at = Number(parts.range.value); // read first: a pause sets the slider to what is shown
      pause();
      show(at);
    });
    parts.close.addEventListener("click", () => {
      leave();
      parts.play.focus();
    });
    tell();
  }

  /** Bring what the bar says in line with what is shown. */
  function tell() {
    const shown = Boolean(state.frames);
    bar.dataset.state = state.loading ? "loading" : state.playing ? "playing" : shown ? "paused" : "still";
    parts.play.textContent = state.playing ? config.words.pause : config.words.play;
    parts.play.disabled = state.loading;
    for (const part of [parts.speed, parts.range, parts.key, parts.close]) {
      part.hidden = !shown;
    }
    if (state.loading) {
      parts.label.textContent = config.words.loading;
    } else if (shown) {
      const at = labelAt(state.asked, state.step, state.at, config.lang);
      const count = state.frames.header.totals[state.at].toLocaleString(config.lang);
      const words = state.step === TRAFFIC ? config.words.usual.replace("{hour}", at) : `${at} · ${config.words.count.replace("{count}", count)}`;
      parts.label.textContent = words;
      parts.range.setAttribute("aria-valuetext", words);
      parts.range.value = String(state.at);
    } else {
      parts.label.textContent = "";
    }
  }

  /** Put what the colours of the moments stand for; they are darker than those of a whole period, which has more. */
  function legend(edges) {
    parts.key.textContent = "";
    parts.key.setAttribute("aria-label", state.step === TRAFFIC ? config.words.index : config.words.key);
    edges.forEach((edge, at) => {
      const swatch = parts.key.appendChild(make("i", "swatch"));
      swatch.style.background = colours(edges.length)[at];
      const next = edges[at + 1];
      parts.key.append(next === undefined || state.step === TRAFFIC ? `${edge}+` : next > edge + 1 ? `${edge}–${next - 1}` : String(edge));
    });
  }

  function colours(classes) {
    return (state.step === TRAFFIC ? config.traffic : config.ramp).slice(-classes);
  }

  async function show(at) {
    state.at = at;
    tell();
    const frames = state.frames;
    const edges = frames.header.edges;
    if (state.step === TRAFFIC) {
      await traffic(frames, at);
      return;
    }
    const [first, last] = daysAt(state.asked, state.step, at);
    const filter = { ...GridkeeperMap.state.pushed.filter, status: state.asked.status, first, last };
    await GridkeeperMap.moment({ answer: answerAt(frames, at), paint: { edges, colours: colours(edges.length) }, filter, metric: config.words.key, step: state.step });
    if (frames === state.frames) {
      bar.dataset.moment = String(at);
    }
  }

  /** Show roads and grids as they usually are at an hour; incidents stay as they are. */
  async function traffic(frames, at) {
    const edges = frames.header.edges;
    GridkeeperLayers.atHour(at);
    const filter = GridkeeperMap.state.pushed.filter;
    await GridkeeperMap.moment({ answer: answerAt(frames, at, 100), paint: { edges, colours: colours(edges.length) }, filter, metric: config.words.index, blank: true, uncounted: true });
    await GridkeeperMap.repaint("congestion");
    if (frames === state.frames) {
      bar.dataset.moment = String(at);
    }
  }

  async function load() {
    state.loading = true;
    tell();
    const asked = state.asked;
    try {
      const response = await fetch(asked.addresses[state.step], { credentials: "same-origin" });
      if (!response.ok) {
        throw new Error(`${response.status}`);
      }
      const frames = decode(await response.arrayBuffer());
      if (asked !== state.asked) {
        return false;
      }
      state.frames = frames;
      state.at = 0;
      legend(frames.header.edges);
      parts.range.max = String(frames.header.frames - 1);
      return true;
    } catch (error) {
      console.warn(error.message);
      return false;
    } finally {
      state.loading = false;
      tell();
      if (asked === state.asked && !state.frames) {
        parts.label.textContent = config.words.failed;
      }
    }
  }

  async function play() {
    if (!state.frames && !(await load())) {
      return;
    }
    if (state.at >= state.frames.header.frames - 1) {
      state.at = 0;
    }
    state.playing = true;
    const round = (state.round || 0) + 1;
    state.round = round;
    let at = state.at;
    while (state.playing && round === state.round && state.frames) {
      const begun = performance.now();
      await show(at);
      if (!state.frames || at >= state.frames.header.frames - 1) {
        break;
      }
      const rest = Number(parts.speed.value) - (performance.now() - begun);
      await new Promise((done) => {
        state.timer = setTimeout(done, Math.max(rest, 16));
      });
      at = state.at + 1;
    }
    if (round === state.round) {
      pause();
    }
  }

  function pause() {
    state.playing = false;
    state.round = (state.round || 0) + 1;
    tell();
  }

  /** Go back to the map of the whole period. */
  function leave() {
    const shown = Boolean(state.frames);
    state.frames = null;
    state.at = 0;
    delete bar.dataset.moment;
    pause();
    if (shown) {
      GridkeeperLayers.atHour(null);
      GridkeeperMap.repaint("congestion");
      GridkeeperMap.moment(null).catch((error) => console.warn(error.message));
    }
  }

  /** Take over what the page asks for: {first, last, addresses}; another question ends a playback. */
  function update(asked) {
    if (state.asked && JSON.stringify(asked) === JSON.stringify(state.asked)) {
      if (state.frames) {
        show(state.at); // the page pushed its own state again, for a click on a grid
      }
      return;
    }
    leave();
    state.asked = asked;
    for (const option of parts.step.options) {
      option.disabled = !asked.addresses[option.value];
      option.hidden = option.disabled;
    }
    if (!asked.addresses[state.step]) {
      state.step = Object.keys(asked.addresses).find((step) => asked.addresses[step]) || "day";
    }
    parts.step.value = state.step;
    bar.hidden = !asked.addresses[state.step];
    tell();
  }

  /** Put the bar on a map; called by the script that the page sends, after the map's own. */
  function attach(map, settings) {
    config = settings;
    build();
    map.getContainer().appendChild(bar);
    L.DomEvent.disableClickPropagation(bar);
    L.DomEvent.disableScrollPropagation(bar);
    for (const name of ["keydown", "keyup", "keypress"]) {
      bar.addEventListener(name, (event) => event.stopPropagation()); // arrows move the moment, not the map
    }
  }

  return { attach, update, decode, answerAt, daysAt, labelAt, state };
})();

if (typeof module !== "undefined") {
  module.exports = GridkeeperTime;
}
