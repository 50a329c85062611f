/* Blocks of the board: finished HTML from the page, and one act back. A row is picked by click, Enter or the arrow
   keys; new rows wait while the pointer is at work in a list, so that nothing moves under a hand. What is chosen
   comes on its own, so that a long block is not sent again for it. */
const RESTS_MS = 1200;

function near(list, from, step) {
  const rows = [...list.querySelectorAll("[data-pick]")];
  return rows[Math.min(rows.length - 1, Math.max(0, rows.indexOf(from) + step))];
}

function bringIntoView(row, box) {
  const at = row.getBoundingClientRect();
  const seen = box.getBoundingClientRect();
  if (at.top < seen.top + 24 || at.bottom > seen.bottom) {
    box.scrollTop += at.top - seen.top - seen.height / 3;
  }
}

/** Mark in a block what is chosen: a row of the queue, a bar, the lane of a worker or of a bar. */
function mark(root, chosen, move) {
  for (const each of root.querySelectorAll("[aria-selected='true']")) {
    each.setAttribute("aria-selected", "false");
  }
  for (const each of root.querySelectorAll("[aria-current]")) {
    each.removeAttribute("aria-current");
  }
  const found = chosen ? root.querySelector(`[data-pick="${CSS.escape(chosen)}"]:not(.gk-plain)`) : null;
  if (!found) {
    return;
  }
  const lane = found.closest(".gk-tl-lane");
  found.setAttribute(found.role === "option" ? "aria-selected" : "aria-current", "true");
  lane?.setAttribute("aria-current", "true");
  const box = root.querySelector("[data-scroll]");
  if (move && box && root.asked !== chosen) {
    bringIntoView(lane || found, box);
  }
}

function markAll(chosen) {
  const moved = document.gkBoardMark !== chosen;
  document.gkBoardMark = chosen;
  for (const root of document.querySelectorAll(".gk-block")) {
    mark(root, chosen, moved);
  }
}

function makeRoot(parent) {
  const root = document.createElement("div");
  root.className = "gk-block";
  root.moved = 0;
  root.addEventListener("pointermove", () => {
    root.moved = Date.now();
  });
  root.addEventListener("pointerleave", () => {
    root.moved = 0;
  });
  parent.appendChild(root);
  return root;
}

function replace(root, html) {
  const focused = root.contains(document.activeElement) ? document.activeElement.dataset.pick : null;
  const open = [...root.querySelectorAll("details[open]")].map((each) => each.dataset.name);
  const at = root.querySelector("[data-scroll]")?.scrollTop || 0;
  const first = !root.shown;
  root.innerHTML = html;
  root.shown = html;
  for (const name of open) {
    root.querySelector(`details[data-name="${CSS.escape(name)}"]`)?.setAttribute("open", "");
  }
  const box = root.querySelector("[data-scroll]");
  if (box) {
    box.scrollTop = at;
  }
  mark(root, document.gkBoardMark, first);
  if (focused) {
    root.querySelector(`[data-pick="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
}

export default function board(component) {
  const { data, parentElement, setTriggerValue } = component;
  if (data.mark !== undefined) {
    markAll(data.mark);
    return undefined;
  }
  const root = parentElement.querySelector(":scope > .gk-block") || makeRoot(parentElement);
  const pick = (row) => {
    root.moved = 0;
    if (/^(incident|worker):/.test(row.dataset.pick)) {
      root.asked = row.dataset.pick;
      markAll(row.dataset.pick);
    }
    setTriggerValue("pick", row.dataset.pick);
  };
  root.onclick = (event) => {
    const row = event.target.closest("[data-pick]");
    if (row) {
      event.preventDefault();
      pick(row);
    }
  };
  root.onkeydown = (event) => {
    const row = event.target.closest("[data-pick]");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      event.stopPropagation();
      pick(row);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      near(root, row, event.key === "ArrowDown" ? 1 : -1).focus();
    }
  };
  const draw = () => {
    window.clearTimeout(root.later);
    if (root.shown === data.html) {
      return;
    }
    const wait = root.moved + RESTS_MS - Date.now();
    if (wait > 0 && root.shown) {
      root.later = window.setTimeout(draw, wait);
    } else {
      replace(root, data.html);
    }
  };
  draw();
  return () => {
    window.clearTimeout(root.later);
  };
}
