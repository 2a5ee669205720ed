// Forms are sent as browsers send them, once the server has been heard: where it does not answer,
// what was typed stays on the page, which says so. Pressed twice, a form is sent once.

import { say } from "asset:page.js";

const HEARD_MS = 5_000; // for an answer of no content, of which the usual one takes a moment
const SENDING_MS = 20_000; // then one may press again, whatever became of it

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.dataset.sending === "heard") return;
  event.preventDefault();
  if (!form.dataset.sending) send(form, event.submitter);
});

async function send(form, button) {
  say("");
  form.dataset.sending = "asking";
  const silence = await whyNotHeard();
  const isThere = form.isConnected && (!button || button.form === form);
  if (silence || !isThere) {
    delete form.dataset.sending;
    say(silence);
    return;
  }
  form.dataset.sending = "heard";
  form.requestSubmit(button);
  form.dataset.sending = "sent";
  setTimeout(() => delete form.dataset.sending, SENDING_MS);
}

// The sentence that the page is to say; none where the server answers.
async function whyNotHeard() {
  if (!navigator.onLine) return "away";
  try {
    const signal = AbortSignal.timeout(HEARD_MS);
    const answer = await fetch("/livez", { method: "HEAD", cache: "no-store", signal });
    return answer.ok ? "" : "failed";
  } catch {
    return navigator.onLine ? "failed" : "away";
  }
}

window.addEventListener("online", () => say(""));

// Come back to by the browser's own way back, a form can be sent again.
window.addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  for (const form of document.querySelectorAll("form[data-sending]")) delete form.dataset.sending;
});
