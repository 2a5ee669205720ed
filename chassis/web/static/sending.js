// Forms are sent as browsers send them, but not where there is no network: what was typed stays on
// the page, which says so. Pressed twice, a form is sent once.

import { say } from "asset:page.js";

const SENDING_MS = 20_000; // then one may press again, whatever became of it

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (!navigator.onLine) {
    event.preventDefault();
    say("away");
  } else if (form.dataset.sending) {
    event.preventDefault();
  } else {
    say("");
    form.dataset.sending = "true";
    setTimeout(() => delete form.dataset.sending, SENDING_MS);
  }
});

window.addEventListener("online", () => say(""));

// Come back to by the browser's own way back, a form can be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sending]")) delete form.dataset.sending;
});
