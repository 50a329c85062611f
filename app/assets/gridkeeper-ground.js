"use strict";
/* global GridkeeperMap */
/* What lies under the layers: our own drawing, or a map of the city's own that our server fetches. */

const GridkeeperGround = (() => {
  const OURS = ["gk-ground", "gk-roads", "gk-names"];
  const GIVE_UP = 3; // so many tiles in a row that fail bring our own drawing back
  const LIVE = ["incidents", "components", "facilities", "traffic", "workers", "routes"];
  const state = { map: null, shown: 0, layer: null, failed: 0, live: 0 };

  function escaped(text) {
    const box = document.createElement("span");
    box.textContent = text;
    return box.innerHTML;
  }

  function ours(map, on, labels) {
    for (const name of OURS) {
      const pane = map.getPane(name);
      if (pane) {
        pane.style.display = on || (labels && name === "gk-names") ? "" : "none";
      }
    }
  }

  function attach(map) {
    Object.assign(state, { map, shown: 0, layer: null, failed: 0, live: 0 });
  }

  function say(text) {
    const notice = state.map.getContainer().querySelector(".gk-notice");
    if (notice) {
      notice.textContent = text;
      notice.hidden = !text;
    }
  }

  /** Take over what the page says: which map lies below, and a number that is another when something has changed. */
  function update(push) {
    put(state.map, push.known, push.wanted, push.lost);
    if (state.live && push.live && state.live !== push.live) {
      GridkeeperMap.freshen(LIVE);
    }
    state.live = push.live || state.live;
    state.map.getContainer().dataset.live = String(state.live);
  }

  /** Put the map of this number (0: our own drawing) under the layers; what is put already stays. */
  function put(map, known, wanted, lost) {
    if (state.shown === wanted) {
      return;
    }
    if (state.layer) {
      state.layer.remove();
      state.layer = null;
    }
    state.shown = wanted;
    state.failed = 0;
    const own = known.find((each) => each.id === wanted);
    ours(map, !own, false);
    delete map.getContainer().dataset.own;
    if (!own) {
      return;
    }
    if (!map.getPane("gk-own")) {
      const pane = map.createPane("gk-own");
      pane.style.zIndex = 205;
      pane.style.pointerEvents = "none";
    }
    state.layer = L.tileLayer(`/tiles/own/${own.id}/{z}/{x}/{y}?v=${own.made}`, {
      pane: "gk-own",
      minNativeZoom: own.zooms[0],
      maxNativeZoom: own.zooms[1],
      maxZoom: 20,
      keepBuffer: 1,
      attribution: escaped(own.credit),
    });
    state.layer.on("tileload", () => (state.failed = 0));
    state.layer.on("tileerror", (event) => {
      // an empty answer is no fault: the map has nothing there
      event.tile.style.visibility = "hidden";
      fetch(event.tile.src, { credentials: "same-origin" }).then((answer) => {
        if (answer.status !== 204 && ++state.failed === GIVE_UP) {
          ours(map, true, false);
          say(lost.replace("{name}", own.name));
        }
      });
    });
    state.layer.on("load", () => (map.getContainer().dataset.own = String(own.id)));
    state.layer.addTo(map);
    ours(map, false, own.photo);
  }

  return { attach, update, state };
})();
