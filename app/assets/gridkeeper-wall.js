"use strict";
/* The Wall: waits for what changed, writes only what is new, and goes from scene to scene. */

(() => {
  const words = JSON.parse(document.getElementById("gk-words").textContent);
  const asked = new URLSearchParams(location.search);
  const SCENES = [["overview", 40], ["map", 15], ["day", 15], ["worst", 15]];
  const KINDS = ["open", "soon", "late", "emergency"];
  const RETRY_MS = 3000;
  const SVG = "http://www.w3.org/2000/svg";
  const $ = (id) => document.getElementById(id);
  const state = { tag: "", offset: 0, zone: "UTC", lang: document.documentElement.lang, at: null, scene: 0, points: "" };

  /** Write a text where it is another one; what stays is not touched, so nothing flickers. */
  function write(element, text) {
    if (element.textContent !== text) {
      element.textContent = text;
    }
  }

  /** Make a list as long as its rows and let each be filled. */
  function fill(list, rows, build, put) {
    while (list.children.length > rows.length) {
      list.lastElementChild.remove();
    }
    rows.forEach((row, k) => put(list.children[k] || list.appendChild(build()), row));
  }

  function element(name, className, ...inner) {
    const made = document.createElement(name);
    made.className = className;
    made.append(...inner);
    return made;
  }

  function tone(target, name) {
    if (target.dataset.tone !== (name || "")) {
      target.dataset.tone = name || "";
    }
  }

  function numbers(rows) {
    fill($("numbers"), rows, () => element("div", "number", element("b", ""), element("span", "label"), element("span", "note")), (box, row) => {
      write(box.children[0], row.value);
      write(box.children[1], row.label);
      write(box.children[2], row.note || "");
      tone(box, row.tone);
    });
  }

  function bars(id, rows, most, told) {
    const list = $(id).querySelector("ol");
    const build = () => element("li", "bar", element("span", "name"), element("span", "told"), element("i", "", element("i", "")));
    fill(list, rows, build, (item, row) => {
      write(item.children[0], row.code ? `${row.name} ${row.code}` : row.name || row.label);
      write(item.children[1], told(row));
      item.children[2].style.width = `${most ? (100 * (row.open ?? row.count)) / most : 0}%`;
      item.children[2].firstElementChild.style.width = `${row.open ? (100 * row.late) / row.open : 0}%`;
    });
  }

  function worst(id, rows) {
    const shown = rows.filter((row) => row.late > 0);
    bars(id, shown, Math.max(1, ...shown.map((row) => row.open)), (row) => row.told);
    $(id).dataset.calm = shown.length ? "" : words.calm;
  }

  function emergencies(rows) {
    const build = () => element("li", "", element("b", ""), element("span", "place"), element("span", "told"));
    fill($("emergencies").querySelector("ol"), rows, build, (item, row) => {
      write(item.children[0], row.title);
      write(item.children[1], row.place);
      write(item.children[2], row.told);
      tone(item, row.tone);
    });
    tone($("emergencies"), rows.length ? "late" : "");
    $("emergencies").dataset.calm = rows.length ? "" : words.none;
  }

  function drawn(svg, name, given) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(given)) {
      made.setAttribute(key, value);
    }
    return svg.appendChild(made);
  }

  function day(told) {
    const svg = $("day").querySelector("svg");
    const box = svg.getBoundingClientRect();
    const text = JSON.stringify([told, box.width, box.height]);
    state.day = told;
    if (svg.dataset.told === text || !box.width || !box.height) {
      return;
    }
    svg.dataset.told = text;
    svg.replaceChildren();
    const height = (720 * box.height) / box.width;
    const size = (0.026 * Math.max(window.innerHeight, 540) * 720) / box.width;
    const low = height - 1.5 * size;
    svg.setAttribute("viewBox", `0 0 720 ${height}`);
    const most = Math.max(1, ...told.today, ...told.usual);
    const y = (value) => low - ((low - 8) * value) / most;
    for (let hour = 0; hour <= 24; hour += 6) {
      drawn(svg, "line", { x1: hour * 30, x2: hour * 30, y1: 8, y2: low, class: "grid" });
      const anchor = hour === 0 ? "start" : hour === 24 ? "end" : "middle";
      drawn(svg, "text", { x: hour * 30, y: height - size * 0.3, "text-anchor": anchor, "font-size": size }).textContent = `${hour}:00`;
    }
    told.today.forEach((value, hour) => drawn(svg, "rect", { x: hour * 30 + 4, y: y(value), width: 22, height: low - y(value), class: hour === told.hour ? "now" : "today" }));
    if (told.usual.length) {
      const line = told.usual.map((value, hour) => `${hour ? "L" : "M"}${hour * 30 + 15} ${y(value)}`).join("");
      drawn(svg, "path", { d: line, class: "usual" });
    }
  }

  function map(told) {
    if (!told.frame) {
      return;
    }
    const text = JSON.stringify([told.frame, told.points]);
    if (text === state.points) {
      return;
    }
    state.points = text;
    const svg = $("points");
    svg.setAttribute("viewBox", told.frame.box.join(" "));
    $("map").style.background = told.frame.outside;
    const made = document.createDocumentFragment();
    const size = [3.4, 4.6, 5.6, 11];
    // what matters most is drawn last
    for (const [x, y, kind] of told.points.slice().reverse()) {
      drawn(made, "circle", { cx: x, cy: y, r: size[kind] * told.frame.px, class: KINDS[kind], "stroke-width": 1.2 * told.frame.px });
    }
    svg.replaceChildren(made);
  }

  function put(told) {
    state.tag = told.tag;
    state.offset = told.now_ms - Date.now();
    state.zone = told.zone;
    state.at = new Date(told.now_ms);
    write($("title"), told.title);
    write($("line"), told.note);
    tone($("line"), "");
    numbers(told.numbers);
    bars("stages", told.stages, Math.max(1, ...told.stages.map((row) => row.count)), (row) => row.count.toLocaleString(state.lang));
    worst("grids", told.grids);
    worst("units", told.units);
    emergencies(told.emergencies);
    day(told.day);
    map(told);
    document.body.dataset.painted = String(Number(document.body.dataset.painted || 0) + 1);
  }

  function clock() {
    const at = new Date(Date.now() + state.offset);
    const zone = { timeZone: state.zone };
    write($("time"), at.toLocaleTimeString(state.lang, { ...zone, hour: "2-digit", minute: "2-digit", hour12: false }));
    write($("date"), at.toLocaleDateString(state.lang, { ...zone, weekday: "short", day: "numeric", month: "long" }));
  }

  /** Ask again and again: the answer comes when something has changed. */
  async function follow() {
    for (;;) {
      try {
        const response = await fetch(`/api/wall/state?lang=${state.lang.slice(0, 2)}&seen=${state.tag}`, { credentials: "same-origin", cache: "no-store" });
        if (response.status === 401 || response.status === 403) {
          write($("line"), words.ended);
          tone($("line"), "late");
          document.body.dataset.ended = "1";
        } else if (response.status === 200) {
          delete document.body.dataset.ended;
          put(await response.json());
          continue;
        } else if (response.status === 204) {
          state.at = new Date(Date.now() + state.offset);
          if ($("line").dataset.tone) {
            state.tag = ""; // it was lost for a while
          }
          continue;
        } else {
          throw new Error(String(response.status));
        }
      } catch {
        if (state.at) {
          const told = state.at.toLocaleTimeString(state.lang, { timeZone: state.zone, hour: "2-digit", minute: "2-digit", hour12: false });
          write($("line"), words.lost.replace("{clock}", told));
          tone($("line"), "late");
        }
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  function scenes() {
    const fixed = SCENES.findIndex(([name]) => name === asked.get("scene"));
    const seconds = Number(asked.get("seconds"));
    const show = (k) => {
      state.scene = k;
      document.body.dataset.scene = SCENES[k][0];
      if (state.day) {
        day(state.day); // drawn for the room it has now
      }
      if (fixed < 0) {
        setTimeout(() => show((k + 1) % SCENES.length), 1000 * (seconds >= 3 && seconds <= 600 ? seconds : SCENES[k][1]));
      }
    };
    show(Math.max(fixed, 0));
  }

  async function stayAwake() {
    try {
      await navigator.wakeLock.request("screen");
    } catch {
      // a browser without it keeps its own time
    }
  }

  function begin() {
    for (const id of ["stages", "day", "grids", "units", "emergencies"]) {
      write($(id).querySelector("h2"), words[id]);
    }
    $("ground").src = `/api/wall/map.svg?lang=${state.lang.slice(0, 2)}`;
    $("points").setAttribute("aria-label", words.map);
    $("day").querySelector("svg").setAttribute("aria-label", `${words.day}: ${words.today}, ${words.usual}`);
    fill($("legend"), [...KINDS].reverse(), () => element("li", "", element("i", ""), element("span", "")), (item, kind) => {
      item.firstElementChild.className = kind;
      write(item.lastElementChild, words[kind]);
    });
    $("legend").append(element("li", "source", words.map_of));
    fill($("day-legend"), ["today", "usual"], () => element("li", "", element("i", ""), element("span", "")), (item, kind) => {
      item.firstElementChild.className = kind;
      write(item.lastElementChild, words[kind]);
    });
    clock();
    setInterval(clock, 1000);
    setInterval(() => ($("ground").src = `/api/wall/map.svg?lang=${state.lang.slice(0, 2)}`), 3600000);
    scenes();
    window.addEventListener("resize", () => state.day && day(state.day));
    stayAwake();
    document.addEventListener("visibilitychange", () => document.hidden || stayAwake());
    follow();
  }

  /** Hand in the secret behind the #, which no server's log has seen, and go to the wall. */
  async function open() {
    const secret = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
    const response = await fetch("/wall/enter", { method: "POST", credentials: "same-origin", body: new URLSearchParams({ secret }) }).catch(() => null);
    if (response && response.ok) {
      location.replace(`/wall${location.search}`);
    } else {
      write($("line"), words.wrong);
    }
  }

  (document.body.dataset.scene === "open" ? open : begin)();
})();
