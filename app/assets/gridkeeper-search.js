/* Search of every page: Ctrl+K or a click opens it, arrows choose, Enter goes there. */
(() => {
  "use strict";
  const WAIT_MS = 150;
  const SEARCHES = ".gk-search input, .gk-find";

  if (document.gkSearch) {
    return;
  }
  document.gkSearch = true;

  let parts = null;
  let found = [];
  let chosen = -1;
  let timer = 0;
  let asking = null;
  let waiting = false; // what stands in the list is not yet what was typed
  let going = false; // Enter came while it was waited for

  const words = () => document.querySelector(".gk-search").dataset;

  function build() {
    const dialog = document.createElement("dialog");
    dialog.className = "gk-palette";
    dialog.innerHTML =
      '<input type="search" role="combobox" aria-expanded="true" aria-controls="gk-found" aria-autocomplete="list"' +
      ' maxlength="60" autocomplete="off" spellcheck="false">' +
      '<ul id="gk-found" role="listbox"></ul><p role="status"></p>';
    document.body.append(dialog);
    parts = {
      dialog,
      field: dialog.querySelector("input"),
      list: dialog.querySelector("ul"),
      note: dialog.querySelector("p"),
    };
    parts.field.addEventListener("input", (event) => {
      window.clearTimeout(timer);
      waiting = true;
      going = false;
      if (!event.isComposing) {
        timer = window.setTimeout(ask, WAIT_MS);
      }
    });
    parts.field.addEventListener("compositionend", ask);
    parts.field.addEventListener("keydown", onKey);
    parts.list.addEventListener("pointermove", (event) => {
      const row = event.target.closest("li");
      if (row) {
        choose([...parts.list.children].indexOf(row));
      }
    });
    // a press on the dialog itself is one beside what stands in it
    dialog.addEventListener("pointerdown", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => asking && asking.abort());
  }

  function open(text) {
    if (!document.querySelector(".gk-search")) {
      return;
    }
    if (!parts || !parts.dialog.isConnected) {
      build();
    }
    parts.dialog.setAttribute("aria-label", words().title);
    parts.field.setAttribute("aria-label", words().title);
    parts.field.placeholder = words().title;
    parts.field.value = text;
    if (!parts.dialog.open) {
      parts.dialog.showModal();
    }
    parts.field.focus();
    ask();
  }

  async function ask() {
    const text = parts.field.value.trim();
    if (asking) {
      asking.abort();
    }
    if (!text) {
      show([], words().hint);
      return;
    }
    waiting = true;
    asking = new AbortController();
    try {
      const answer = await fetch(`/api/search?${new URLSearchParams({ q: text })}`, { signal: asking.signal });
      if (!answer.ok) {
        throw new Error(String(answer.status));
      }
      const rows = await answer.json();
      const all = words().all;
      if (all) {
        rows.push({ kind: "", title: all.split("{text}").join(text), note: "", href: `/incidents?${new URLSearchParams({ find: text })}` });
      }
      show(rows, rows.length > (all ? 1 : 0) ? "" : words().none);
    } catch (error) {
      if (error.name !== "AbortError") {
        show([], words().failed);
      }
    }
  }

  function show(rows, note) {
    found = rows;
    waiting = false;
    parts.list.replaceChildren(
      ...rows.map((row, at) => {
        const item = document.createElement("li");
        item.id = `gk-found-${at}`;
        item.setAttribute("role", "option");
        const link = document.createElement("a");
        link.href = row.href;
        link.tabIndex = -1;
        for (const [name, text] of [["kind", row.kind], ["title", row.title], ["note", row.note]]) {
          const part = document.createElement(name === "title" ? "b" : "span");
          part.className = `gk-found-${name}`;
          part.textContent = text;
          link.append(part);
        }
        item.append(link);
        return item;
      }),
    );
    parts.note.textContent = note;
    choose(rows.length ? 0 : -1);
    if (going) {
      going = false;
      go();
    }
  }

  function go() {
    if (found[chosen]) {
      window.location.assign(found[chosen].href);
    }
  }

  function choose(at) {
    chosen = at;
    for (const [place, row] of [...parts.list.children].entries()) {
      row.setAttribute("aria-selected", String(place === at));
      if (place === at) {
        row.scrollIntoView({ block: "nearest" });
      }
    }
    parts.field.setAttribute("aria-activedescendant", at < 0 ? "" : `gk-found-${at}`);
  }

  function onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      choose((chosen + step + found.length) % found.length);
    } else if (event.key === "Escape" && !event.isComposing) {
      event.preventDefault(); // a search field would only empty itself
      parts.dialog.close();
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      if (waiting) {
        going = true;
      } else {
        go();
      }
    }
  }

  document.addEventListener(
    "keydown",
    (event) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        open("");
      }
    },
    true,
  );
  document.addEventListener("click", (event) => {
    const place = event.target instanceof Element ? event.target.closest(SEARCHES) : null;
    if (place) {
      open(place.value || "");
    }
  });
  document.addEventListener("input", (event) => {
    if (event.target instanceof Element && event.target.matches(SEARCHES)) {
      const text = event.target.value;
      event.target.value = "";
      open(text);
    }
  });
})();
