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
    let went = 0;
    const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]");
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
      if (document.querySelector("dialog[open]")) return;
      const go = event.timeStamp - went < 1500;
      went = 0;
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
    for (const form of document.querySelectorAll("form[data-guarded]")) {
      let changed = false;
      form.addEventListener("input", () => { changed = true; });
      form.addEventListener("submit", () => { changed = false; });
      addEventListener("beforeunload", (event) => { if (changed) ask(event); });
    }
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

  const begin = () => {
    offerDrops();
    offerKeys();
    offerDialogs();
    offerForms();
    keepToken();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
