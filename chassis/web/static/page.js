// What every page gains by scripts: the summary of errors is read first, a banner closes in place,
// the account menu closes as menus do. One place says what kept something from being sent.

document.querySelector("#error-summary")?.focus();

const place = document.querySelector("#page-alert");

// Says one of the sentences that the page brought along, by its name; no name takes it away.
export function say(name) {
  place.hidden = !name;
  place.textContent = name ? place.dataset[name] : "";
}

document.addEventListener("click", (event) => {
  const close = event.target.closest(".banner__close");
  if (close && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    history.replaceState(history.state, "", close.href);
    close.closest(".banner").remove();
    document.querySelector("#main").focus({ preventScroll: true });
  }
  for (const menu of document.querySelectorAll(".account__menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.(".account__menu[open]");
  if (menu && event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// What htmx has put in place is read from its beginning.
document.addEventListener("htmx:after:swap", () => {
  document.querySelector("#main").focus({ preventScroll: true });
  window.scrollTo(0, 0);
});

// htmx leaves the page as it is for these statuses, and where nothing answers.
document.addEventListener("htmx:response:error", ({ detail }) => {
  const { status } = detail.ctx.response;
  const known = { 401: "ended", 403: "refused", 429: "hurried" }[status];
  if (known || status >= 500) say(known ?? "failed");
});
document.addEventListener("htmx:error", () => say("away"));
document.addEventListener("htmx:before:request", () => say(""));
