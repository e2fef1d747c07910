// Comforts of pages that work without them: colours, copying, countdowns, filters, look-ahead.
"use strict";
(() => {
  const THEME = "lictor-theme";
  const root = document.documentElement;

  const storage = {
    get: () => { try { return localStorage.getItem(THEME); } catch { return null; } },
    set: (value) => { try { localStorage.setItem(THEME, value); } catch { /* not kept, then */ } },
  };

  // Runs before the body is there, so that no page flashes in the wrong colours.
  const dress = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  dress(storage.get());

  const say = (text) => {
    const said = document.getElementById("said");
    if (said) said.textContent = text;
  };

  // --- colours
  const offerThemes = () => {
    const choice = document.querySelector(".theme");
    if (!choice) return;
    choice.hidden = false;
    const kept = storage.get() ?? "system";
    for (const radio of choice.querySelectorAll("input")) {
      radio.checked = radio.value === kept;
      radio.addEventListener("change", () => {
        storage.set(radio.value);
        dress(radio.value);
      });
    }
  };

  // --- copying
  const copied = async (text, beside) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const range = document.createRange();
      range.selectNodeContents(beside);
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      return document.execCommand("copy");
    }
  };

  // What is copied: a text, or an element's with the token in the place that is held free for it.
  const text = (button) => {
    if (button.dataset.copy !== undefined) return button.dataset.copy;
    const copy = document.getElementById(button.dataset.copyOf).cloneNode(true);
    for (const hole of copy.querySelectorAll("[data-hole]")) {
      hole.textContent = document.getElementById("token")?.textContent ?? "";
    }
    return copy.textContent;
  };

  const offerCopying = (within) => {
    for (const button of within.querySelectorAll(".copy")) {
      button.hidden = false;
      let back;
      const label = button.textContent;
      button.addEventListener("click", async () => {
        const { copyOf } = button.dataset;
        const beside = copyOf ? document.getElementById(copyOf) : button.previousElementSibling;
        const done = await copied(text(button), beside);
        if (done) document.dispatchEvent(new Event("copied"));
        button.textContent = done ? "Copied" : "Selected";
        say(done ? "Copied" : "Selected; copy it with the keyboard");
        clearTimeout(back);
        back = setTimeout(() => { button.textContent = label; }, 2000);
      });
    }
  };

  // --- countdowns
  const span = (seconds) => {
    if (seconds < 60) return `${seconds} s`;
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60) return `${minutes} min`;
    const hours = Math.floor(minutes / 60);
    if (hours < 24) {
      const rest = minutes % 60;
      return rest === 0 || hours >= 10 ? `${hours} h` : `${hours} h ${rest} min`;
    }
    const days = Math.floor(hours / 24);
    return `${days} day${days === 1 ? "" : "s"}`;
  };

  const ended = (band) => {
    const again = document.createElement("a");
    again.href = "";
    again.textContent = "It has ended. Load this page again";
    band.querySelector("form")?.replaceWith(again);
  };

  const countDown = () => {
    const clocks = [...document.querySelectorAll("[data-countdown]")];
    // The clock of this computer may be wrong; only what has passed since is taken from it.
    const ahead = Date.now() - Number(root.dataset.now) * 1000;
    const tick = () => {
      for (const clock of clocks) {
        const left = Math.ceil((Date.parse(clock.dateTime) + ahead - Date.now()) / 1000);
        if (clock.dataset.countdown === "wait") clock.textContent = span(Math.max(left, 0));
        else clock.textContent = left > 0 ? `${span(left)} left` : "ended";
        const band = clock.closest(".band");
        if (left <= 0 && band) ended(band);
      }
    };
    if (clocks.length > 0) {
      tick();
      setInterval(tick, 1000);
    }
  };

  // --- filters
  const offerFilters = () => {
    for (const filter of document.querySelectorAll("[data-filter]")) {
      const rows = [...document.querySelectorAll(`#${filter.dataset.filter} tbody tr`)];
      const texts = rows.map((row) => row.textContent.toLowerCase());
      const input = filter.querySelector("input");
      const count = filter.querySelector("[role=status]");
      filter.hidden = false;
      input.addEventListener("input", () => {
        const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
        let shown = 0;
        rows.forEach((row, index) => {
          row.hidden = !words.every((word) => texts[index].includes(word));
          if (!row.hidden) shown += 1;
        });
        count.textContent = `${shown} of ${rows.length} ${rows.length === 1 ? "route" : "routes"}`;
      });
    }
  };

  // --- look-ahead: a combobox with a listbox (ARIA 1.2)
  const marked = (text, needle) => {
    const fragment = document.createDocumentFragment();
    const at = needle ? text.toLowerCase().indexOf(needle.toLowerCase()) : -1;
    if (at < 0) {
      fragment.append(text);
      return fragment;
    }
    const mark = document.createElement("mark");
    mark.textContent = text.slice(at, at + needle.length);
    fragment.append(text.slice(0, at), mark, text.slice(at + needle.length));
    return fragment;
  };

  const lookAhead = (input, address, kind) => {
    const list = document.createElement("ul");
    list.id = `${input.id}-options`;
    list.className = "options";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", kind.label);
    input.after(list);
    const attributes = {
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": list.id,
    };
    for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);

    let timer;
    let asked;
    let options = [];
    let active = -1;

    const close = () => {
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };

    const forget = () => {
      clearTimeout(timer);
      asked?.abort();
      close();
    };

    const activate = (index) => {
      options[active]?.element.setAttribute("aria-selected", "false");
      active = index;
      const option = options[active];
      if (!option) {
        input.removeAttribute("aria-activedescendant");
        return;
      }
      option.element.setAttribute("aria-selected", "true");
      option.element.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", option.element.id);
    };

    const choose = (index) => {
      input.value = kind.chosen(input.value, options[index].value);
      if (options[index].meant) tellWhom(input, options[index].meant);
      forget();
      input.focus();
      say(`${options[index].value} chosen`);
    };

    const show = (found, needle) => {
      options = kind.options(found).map(({ value, lines, meant }, index) => {
        const element = document.createElement("li");
        element.id = `${list.id}-${index}`;
        element.setAttribute("role", "option");
        element.setAttribute("aria-selected", "false");
        lines.forEach((line, nth) => {
          const into = nth === 0 ? document.createElement("span") : document.createElement("small");
          into.append(marked(line, needle));
          element.append(into);
        });
        element.addEventListener("pointerdown", (event) => event.preventDefault());
        element.addEventListener("click", () => choose(index));
        return { value, element, meant };
      });
      list.replaceChildren(...options.map((option) => option.element));
      active = -1;
      input.removeAttribute("aria-activedescendant");
      list.hidden = options.length === 0;
      input.setAttribute("aria-expanded", String(options.length > 0));
      const total = kind.total(found);
      const more = total > options.length ? ` of ${total}` : "";
      say(options.length === 0 ? "Nothing found" : `${options.length}${more} found`);
    };

    const ask = async (needle) => {
      asked?.abort();
      asked = new AbortController();
      try {
        const url = `${address}?q=${encodeURIComponent(needle)}${kind.ask ?? ""}`;
        const answer = await fetch(url, {
          signal: asked.signal,
          credentials: "same-origin",
          headers: { accept: "application/json" },
        });
        if (!answer.ok) throw new Error(String(answer.status));
        const found = await answer.json();
        if (document.activeElement === input) show(found, needle);
      } catch (problem) {
        if (problem.name !== "AbortError") close();
      }
    };

    const later = () => {
      clearTimeout(timer);
      asked?.abort();
      const needle = kind.needle(input.value);
      if (needle === "") close();
      else timer = setTimeout(() => ask(needle), 150);
    };

    input.addEventListener("input", later);
    input.addEventListener("blur", forget);
    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      const last = options.length - 1;
      const open = !list.hidden;
      const moves = {
        ArrowDown: () => (active < last ? active + 1 : 0),
        ArrowUp: () => (active > 0 ? active - 1 : last),
        Home: () => 0,
        End: () => last,
      };
      if (open && moves[event.key]) {
        if (["Home", "End"].includes(event.key) && active < 0) return;
        event.preventDefault();
        activate(moves[event.key]());
      } else if (!open && event.key === "ArrowDown") {
        event.preventDefault();
        later();
      } else if (open && event.key === "Enter" && active >= 0) {
        event.preventDefault();
        choose(active);
      } else if (open && event.key === "Escape") {
        event.preventDefault();
        forget();
      } else if (open && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
        activate(-1);
      }
    });
  };

  const person = (one) => [one.name && one.email, one.id, one.source].filter(Boolean).join(" · ");
  const whole = { needle: (text) => text.trim(), chosen: (_, value) => value, total: (found) => found.total };
  const people = {
    ...whole,
    label: "People",
    options: (found) => found.people.filter((one) => one.email).map((one) => ({
      value: one.email,
      lines: [one.email, [one.name, one.id, one.source].filter(Boolean).join(" · ")],
    })),
  };

  // By user id, as policies and accounts name people; with machines where the address asks for them.
  const users = {
    ...whole,
    label: "People",
    options: (found) => found.people.map((one) => ({
      value: one.id,
      lines: [one.name || one.email || one.id, person(one)],
      meant: one,
    })),
  };
  const accounts = {
    ...whole,
    label: "Service accounts",
    ask: "&accounts=on",
    options: (found) => found.people.filter((one) => one.account).map((one) => ({
      value: one.account,
      lines: [one.name, [one.id, one.description].filter(Boolean).join(" · ")],
    })),
  };

  const lastComma = (text) => text.lastIndexOf(",") + 1;
  const afterComma = {
    needle: (text) => text.slice(lastComma(text)).trim(),
    chosen: (text, value) => {
      const before = text.slice(0, lastComma(text)).trim();
      return before === "" ? value : `${before} ${value}`;
    },
  };
  const groups = {
    ...afterComma,
    label: "Groups",
    total: (found) => found.groups.length,
    options: (found) => found.groups.map((group) => ({
      value: group.id,
      lines: group.name ? [group.name, group.id] : [group.id],
    })),
  };

  // What a field wants may depend on another one.
  const subjects = (of) => ({
    ...whole,
    label: "People and groups",
    ask: "&accounts=on",
    options: (found) => (of.value === "group" ? groups : users).options(found),
  });
  const criterion = (input) => {
    const rule = input.closest(".rule");
    const of = (name) => rule.querySelector(`select[name^=${name}]`).value;
    const several = () => ["in", "not_in"].includes(of("operator"));
    const kinds = { user: users, email: people, groups };
    return {
      label: "People, service accounts and groups",
      ask: "&accounts=on",
      needle: (text) => (kinds[of("criterion")] ? (several() ? afterComma : whole).needle(text) : ""),
      chosen: (text, value) => (several() ? afterComma : whole).chosen(text, value),
      total: (found) => (of("criterion") === "groups" ? found.groups.length : found.total),
      options: (found) => kinds[of("criterion")].options(found),
    };
  };

  // Whom a user id means, in words below its field.
  const tellWhom = (input, one) => {
    const told = document.querySelector(`[data-meant="${input.id}"]`);
    if (!told) return;
    told.hidden = !one;
    if (!one) return;
    const state = document.createElement("span");
    state.className = "state yes";
    state.textContent = "This is";
    const name = document.createElement("strong");
    name.className = "break";
    name.textContent = one.name || one.email || one.id;
    const tag = document.createElement("span");
    tag.className = "tag";
    tag.textContent = one.source;
    told.replaceChildren(state, " ", name, " ", one.name ? one.email : "", " ", tag);
  };

  // A pasted id says whose it is.
  const resolve = (input) => {
    let asked = input.value;
    input.addEventListener("input", () => tellWhom(input, null));
    input.addEventListener("change", async () => {
      const typed = input.value.trim();
      if (typed === "" || typed === asked) return;
      asked = typed;
      try {
        const answer = await fetch(`${input.dataset.users}?q=${encodeURIComponent(typed)}`, {
          credentials: "same-origin",
          headers: { accept: "application/json" },
        });
        const found = await answer.json();
        const one = found.people.find(({ id, email }) => id === typed || email === typed);
        if (input.value.trim() === typed) tellWhom(input, one);
      } catch { /* said by the server, then */ }
    });
  };

  // Fields of a page, or of a part of it that was put in later.
  const offerLookAhead = (within) => {
    const each = (name, kind) => {
      for (const input of within.querySelectorAll(`[data-${name}]`)) {
        lookAhead(input, input.dataset[name], kind(input));
      }
    };
    each("people", () => people);
    each("groups", () => groups);
    each("users", () => users);
    each("accounts", () => accounts);
    each("subjects", (input) => subjects(document.getElementById(input.dataset.of)));
    each("criterion", criterion);
    for (const input of within.querySelectorAll("[data-users]")) resolve(input);
  };
  document.addEventListener("part", (event) => {
    offerLookAhead(event.target);
    offerCopying(event.target);
  });

  const begin = () => {
    offerThemes();
    offerCopying(document);
    countDown();
    offerFilters();
    offerLookAhead(document);
    document.querySelector(".summary")?.focus();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
