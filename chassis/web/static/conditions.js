// Shows and hides what depends on other answers of the same form, at once. The server decides in
// the end, and does so alone where this does not run. `data-shown-when` holds the conditions, all
// of which must hold; what is hidden counts as unanswered; conditions look back only.

/** The values given to a question so far: of an address, those of its parts. */
function given(form, name) {
  const names = [name, `${name}.street`, `${name}.postcode`, `${name}.city`];
  const values = [];
  for (const control of form.elements) {
    if (!names.includes(control.name) || control.closest("[data-shown-when][hidden]")) continue;
    const box = control.type === "checkbox" || control.type === "radio";
    const value = control.value.trim();
    if (value && (!box || control.checked)) values.push(value);
  }
  return values;
}

function holds(form, condition) {
  const values = given(form, condition.field);
  if (condition.one_of) return values.some((value) => condition.one_of.includes(value));
  if (condition.none_of) {
    return values.length > 0 && !values.some((value) => condition.none_of.includes(value));
  }
  return values.length > 0 === condition.answered;
}

function update(form) {
  for (const part of form.querySelectorAll("[data-shown-when]")) {
    const conditions = JSON.parse(part.dataset.shownWhen);
    part.hidden = !conditions.every((condition) => holds(form, condition));
  }
  for (const group of form.querySelectorAll("fieldset.group")) {
    group.hidden = !group.querySelector(":scope > .field:not([hidden])");
  }
  tellSeen(form);
}

/** The server is told which questions nobody has seen: it shows those before it goes on. */
function tellSeen(form) {
  const unseen = form.elements.namedItem("_unseen");
  if (!unseen) return;
  const seen = (name) => {
    const control = form.querySelector(`[name="${name}"], [name="${name}.street"]`);
    return control && !control.closest("[hidden]");
  };
  unseen.value = unseen.value.split(" ").filter((name) => !seen(name)).join(" ");
}

function updateAround(event) {
  const form = event.target.form;
  if (form && form.querySelector("[data-shown-when]")) update(form);
}

document.addEventListener("change", updateAround);
document.addEventListener("input", updateAround);
// A browser that comes back to a page fills it in as it was left.
window.addEventListener("pageshow", () => [...document.forms].forEach(update));
