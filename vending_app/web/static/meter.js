// The virtual meter's page: asks for the panel every second, and makes the keys of the keypad work.
// Without this script the page shows the meter as it was when the page was loaded.
"use strict";

(() => {
  const page = document.querySelector("[data-panel-url]");
  const panel = document.getElementById("panel");
  const entry = document.getElementById("token");
  const keypad = document.querySelector("[data-keypad]");
  const PERIOD_MS = 1000;

  const grouped = (text) => (text.replace(/\D/g, "").slice(0, 20).match(/.{1,4}/g) || []).join(" ");

  async function refresh() {
    try {
      const answer = await fetch(page.dataset.panelUrl, { redirect: "error" });
      if (answer.ok) {
        panel.innerHTML = await answer.text();
      }
    } catch {
      // The server is away or the session has ended: the next try, or the next click, will tell.
    }
    setTimeout(refresh, PERIOD_MS);
  }

  keypad.hidden = false;
  keypad.addEventListener("click", (event) => {
    const key = event.target.dataset.key;
    if (!key) {
      return;
    }
    const digits = entry.value.replace(/\D/g, "");
    entry.value = grouped(key === "back" ? digits.slice(0, -1) : digits + key);
  });
  setTimeout(refresh, PERIOD_MS);
})();
