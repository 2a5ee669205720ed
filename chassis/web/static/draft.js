// Keeps a form as a draft while one types: a second after typing pauses, and only once something
// has changed. Without this script the form's first button does the same.

const PAUSE_MS = 1000;

for (const form of document.querySelectorAll("form[data-draft]")) keep(form);

function keep(form) {
  const status = form.querySelector("[data-draft-status]");
  let kept = answers(form);
  let timer = 0;
  let saving = false;

  form.addEventListener("input", later);
  form.addEventListener("change", later);
  window.addEventListener("online", save);
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (event.submitter?.name || event.submitter?.hasAttribute("formaction")) return;
    event.preventDefault(); // the button that saves, or Enter: no need to leave the page
    kept = null;
    save();
  });

  function later(event) {
    if (event.target.type === "file") return;
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE_MS);
  }

  async function save() {
    const now = answers(form);
    if (now === kept) return;
    if (saving || form.dataset.uploading) {
      timer = setTimeout(save, PAUSE_MS);
      return;
    }
    saving = true;
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" },
        body: now,
      });
      if (answer.ok && !answer.redirected) {
        kept = now;
        say((await answer.json()).said);
      } else if (answer.redirected) {
        kept = now; // it was sent meanwhile, from another window
      } else {
        say(answer.status === 401 ? status.dataset.ended : status.dataset.refused);
      }
    } catch {
      say(status.dataset.away);
    } finally {
      saving = false;
    }
  }

  function say(words) {
    if (status.textContent !== words) status.textContent = words;
  }
}

// What the form would send without a button, files apart.
function answers(form) {
  const texts = [...new FormData(form)].filter(([, value]) => typeof value === "string");
  return new URLSearchParams(texts).toString();
}
