// Comforts of the console.
"use strict";
(() => {
  const say = (text) => {
    const said = document.getElementById("said");
    if (said) said.textContent = text;
  };

  // --- what drops down closes again
  const offerDrops = () => {
    const open = () => [...document.querySelectorAll("details[data-drop][open]")];
    document.addEventListener("click", (event) => {
      for (const drop of open()) if (!drop.contains(event.target)) drop.open = false;
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      const last = open().pop();
      if (!last) return;
      last.open = false;
      last.querySelector("summary").focus();
      event.preventDefault();
    });
    for (const field of document.querySelectorAll("[data-narrow]")) {
      const list = document.getElementById(field.dataset.narrow);
      const input = field.querySelector("input");
      if (list.children.length < 8) continue;
      field.hidden = false;
      input.addEventListener("input", () => {
        const needle = input.value.trim().toLowerCase();
        for (const item of list.children) item.hidden = !item.textContent.toLowerCase().includes(needle);
      });
      input.closest("details").addEventListener("toggle", (event) => { if (event.target.open) input.focus(); });
    }
  };

  // --- keys
  const offerKeys = () => {
    const list = document.getElementById("keys");
    if (!list) return;
    for (const button of document.querySelectorAll("[data-keys]")) {
      button.hidden = false;
      button.addEventListener("click", () => list.showModal());
    }
    let went = -Infinity;
    const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]");
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
      if (document.querySelector("dialog[open]")) return;
      const go = event.timeStamp - went < 1500;
      went = -Infinity;
      const way = go && /^[a-z]$/.test(event.key) && document.querySelector(`[data-go="${event.key}"]`);
      if (way) way.click();
      else if (event.key === "g") went = event.timeStamp;
      else if (event.key === "/") document.getElementById("seek")?.focus();
      else if (event.key === "?") list.showModal();
      else if (event.key === "n") document.querySelector("[data-new]")?.click();
      else return;
      event.preventDefault();
    });
  };

  const offerDialogs = () => {
    for (const button of document.querySelectorAll("dialog [data-close]")) {
      button.addEventListener("click", () => button.closest("dialog").close());
    }
  };

  // A browser asks only those who did something here.
  const ask = (event) => { if (navigator.userActivation?.hasBeenActive ?? true) event.preventDefault(); };

  // --- forms
  const offerForms = () => {
    for (const form of document.querySelectorAll("form[data-once]")) {
      let sent = false;
      form.addEventListener("submit", (event) => {
        if (sent) event.preventDefault();
        sent = true;
      });
      addEventListener("pageshow", () => { sent = false; });
    }
    let changed = false;
    document.addEventListener("input", (event) => {
      if (event.target.closest?.("form[data-guarded]")) changed = true;
    });
    document.addEventListener("submit", (event) => { if (!event.defaultPrevented) changed = false; });
    addEventListener("beforeunload", (event) => { if (changed) ask(event); });
    for (const follower of document.querySelectorAll("[data-follows]")) {
      const input = document.getElementById(follower.dataset.follows);
      input.addEventListener("input", () => {
        follower.textContent = `${input.value.trim() || "NAME"}${follower.dataset.after}`;
      });
    }
    for (const said of document.querySelectorAll("[data-chosen]")) {
      const form = said.closest("form");
      form.addEventListener("change", () => {
        const number = form.querySelectorAll("input[name^=pick-]:checked").length;
        said.textContent = `${number} chosen:`;
      });
    }
  };

  // --- a token, shown once
  const keepToken = () => {
    const secret = document.getElementById("secret");
    if (!secret) return;
    const token = document.getElementById("token");
    const shown = document.getElementById("shown");
    let safe = false;
    // A reload asks for the page that says that it was shown.
    history.replaceState(null, "", secret.dataset.afterwards);
    const save = (name, text) => {
      const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
      const link = document.createElement("a");
      link.href = url;
      link.download = name;
      link.click();
      URL.revokeObjectURL(url);
    };
    for (const button of secret.querySelectorAll("[data-download]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        save(button.dataset.download, `${button.dataset.before ?? ""}${token.textContent}\n`);
        safe = true;
        say("Downloaded");
      });
    }
    document.addEventListener("copied", () => { safe = true; });
    shown.addEventListener("toggle", () => { if (shown.open) safe = true; });
    const question = document.getElementById("unsaved");
    let leaving = false;
    for (const link of document.querySelectorAll("[data-leaves]")) {
      link.addEventListener("click", (event) => {
        if (safe) return;
        event.preventDefault();
        question.querySelector("[data-anyway]").href = link.href;
        question.showModal();
      });
    }
    question.querySelector("[data-anyway]").addEventListener("click", () => { leaving = true; });
    addEventListener("beforeunload", (event) => { if (!safe && !leaving) ask(event); });
    // Whatever the browser keeps of this page, the token is not in it.
    addEventListener("pagehide", () => {
      token.textContent = "";
      shown.open = false;
    });
    addEventListener("pageshow", (event) => { if (event.persisted) location.replace(secret.dataset.afterwards); });
  };

  // --- the tree: a grid of rows that open and close (ARIA treegrid)
  const offerTree = () => {
    const table = document.querySelector("table[data-tree]");
    if (!table) return;
    const rows = [...table.tBodies[0].rows];
    const level = (row) => Number(row.dataset.level);
    const below = (row) => {
      const from = rows.indexOf(row) + 1;
      const end = rows.findIndex((one, index) => index >= from && level(one) <= level(row));
      return rows.slice(from, end < 0 ? rows.length : end);
    };
    const parent = (row) => rows.slice(0, rows.indexOf(row)).reverse().find((one) => level(one) < level(row));
    const isOpen = (row) => row.getAttribute("aria-expanded") !== "false";
    const settle = () => {
      for (const row of rows) {
        let over = parent(row);
        let shown = true;
        for (; over; over = parent(over)) shown &&= isOpen(over);
        row.hidden = !shown;
      }
    };
    const turn = (row, open) => {
      if (!row.hasAttribute("aria-expanded")) return;
      row.setAttribute("aria-expanded", String(open));
      row.querySelector(".twist").textContent = open ? "▾" : "▸";
      settle();
    };
    const focus = (row) => {
      for (const one of rows) one.tabIndex = one === row ? 0 : -1;
      row.focus();
    };
    table.setAttribute("role", "treegrid");
    table.setAttribute("aria-label", "Namespaces");
    rows.forEach((row, index) => {
      const peers = rows.filter((one) => level(one) === level(row) && parent(one) === parent(row));
      row.setAttribute("role", "row");
      row.setAttribute("aria-level", String(level(row) + 1));
      row.setAttribute("aria-setsize", String(peers.length));
      row.setAttribute("aria-posinset", String(peers.indexOf(row) + 1));
      row.tabIndex = index === 0 ? 0 : -1;
      for (const cell of row.cells) cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "gridcell");
      if (below(row).length === 0) return;
      const twist = document.createElement("button");
      twist.type = "button";
      twist.className = "twist";
      twist.tabIndex = -1;
      twist.textContent = "▾";
      twist.setAttribute("aria-label", "Open or close");
      twist.addEventListener("click", () => turn(row, !isOpen(row)));
      row.querySelector(".twig").prepend(twist);
      row.setAttribute("aria-expanded", "true");
    });
    table.addEventListener("keydown", (event) => {
      const row = event.target;
      if (!rows.includes(row) || event.ctrlKey || event.metaKey || event.altKey) return;
      const shown = rows.filter((one) => !one.hidden);
      const at = shown.indexOf(row);
      const inside = below(row)[0];
      const moves = {
        ArrowDown: () => shown[at + 1],
        ArrowUp: () => shown[at - 1],
        Home: () => shown[0],
        End: () => shown.at(-1),
        ArrowRight: () => (isOpen(row) ? inside : turn(row, true)),
        ArrowLeft: () => (inside && isOpen(row) ? turn(row, false) : parent(row)),
        Enter: () => row.querySelector("a")?.click(),
      };
      if (!moves[event.key]) return;
      event.preventDefault();
      const to = moves[event.key]();
      if (to) focus(to);
    });
  };

  // --- the editor of policies: parts are put in place, and what is typed is compiled
  const offerEditor = () => {
    const editor = document.getElementById("editor");
    const form = editor?.querySelector("form");
    if (!form) return;
    const sent = (more) => {
      const data = new URLSearchParams(new FormData(form));
      for (const [name, value] of Object.entries(more)) data.set(name, value);
      return { method: "POST", body: data, credentials: "same-origin" };
    };

    form.addEventListener("submit", async (event) => {
      const button = event.submitter;
      if (!button?.hasAttribute("data-swap")) return;
      event.preventDefault();
      const answer = await fetch(form.action, sent({ do: button.value })).catch(() => null);
      const page = answer && new DOMParser().parseFromString(await answer.text(), "text/html");
      const part = page?.getElementById("editor");
      if (!part) {
        button.removeAttribute("data-swap");
        form.requestSubmit(button);
        return;
      }
      editor.replaceWith(part);
      part.dispatchEvent(new CustomEvent("part", { bubbles: true }));
      offerEditor();
      const last = part.querySelector(".rule:last-child select");
      const again = part.querySelector(`[data-swap][value="${CSS.escape(button.value)}"]`);
      const next = button.value === "add" ? last : again ?? part.querySelector("[data-swap]");
      (part.querySelector(".summary") ?? next)?.focus();
    });

    const told = form.querySelector("[data-problems]");
    const text = form.querySelector("textarea");
    if (!text) return;
    let timer;
    let asked;
    // What a message quotes in backticks.
    const coded = (into, message) => {
      const parts = message.split("`");
      if (parts.length % 2 === 0) return into.append(message);
      parts.forEach((part, nth) => {
        if (nth % 2 === 0) return into.append(part);
        const code = document.createElement("code");
        code.textContent = part;
        into.append(code);
      });
    };
    const tell = (problems) => {
      const one = (problem) => {
        const item = document.createElement("li");
        if (problem.line) {
          const place = document.createElement("strong");
          place.textContent = `Line ${problem.line}, column ${problem.column}: `;
          item.append(place);
        }
        coded(item, problem.message);
        if (problem.help) {
          const help = document.createElement("span");
          help.className = "line quiet";
          coded(help, problem.help);
          item.append(help);
        }
        return item;
      };
      const state = document.createElement("p");
      const word = document.createElement("span");
      word.className = problems.length === 0 ? "state yes" : "state no";
      word.textContent = problems.length === 0 ? "It compiles" : "It does not compile";
      state.append(word);
      const list = document.createElement("ul");
      list.append(...problems.map(one));
      const box = document.createElement("div");
      if (problems.length > 0) box.className = "problems";
      box.append(state, ...(problems.length > 0 ? [list] : []));
      told.replaceChildren(box);
      if (problems.length > 0) text.setAttribute("aria-invalid", "true");
      else text.removeAttribute("aria-invalid");
    };
    text.addEventListener("input", () => {
      clearTimeout(timer);
      asked?.abort();
      timer = setTimeout(async () => {
        asked = new AbortController();
        try {
          const answer = await fetch(form.dataset.editor, { ...sent({}), signal: asked.signal });
          if (answer.ok) tell((await answer.json()).problems);
        } catch { /* said when it is saved, then */ }
      }, 400);
    });
    // A tab indents only where Escape was not pressed before: the keyboard is never caught.
    let free = false;
    text.addEventListener("keydown", (event) => {
      if (event.key === "Escape") free = true;
      else if (event.key === "Tab" && !event.shiftKey && !free && text.selectionStart !== text.selectionEnd) {
        event.preventDefault();
        text.setRangeText(text.value.slice(text.selectionStart, text.selectionEnd).replace(/^/gm, "  "));
      } else if (event.key !== "Tab") free = false;
    });
  };

  const begin = () => {
    offerTree();
    offerEditor();
    offerDrops();
    offerKeys();
    offerDialogs();
    offerForms();
    keepToken();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
