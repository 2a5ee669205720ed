// Fields that come with a choice: taken from the page that the choice leads to, which is where one
// is led without scripts. Focus stays on the choice. `data-by` names the choice's inputs.

const asked = document.querySelector("#asked[data-by]");
const choices = document.querySelectorAll(`input[name="${asked?.dataset.by}"]`);
let wanted = "";

async function follow(choice) {
  wanted = choice.value;
  const path = `${location.pathname.replace(/\/$/, "")}/${wanted}`;
  const answer = await fetch(path, { headers: { Accept: "text/html" } });
  if (!answer.ok || choice.value !== wanted) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const part = page.querySelector("#asked");
  if (!part || choice.value !== wanted) return;
  asked.replaceChildren(...part.childNodes);
  choice.form.action = path;
}

for (const choice of choices) {
  choice.addEventListener("change", () => follow(choice).catch(() => {}));
  if (choice.checked) follow(choice).catch(() => {});
}
