// Passwords that are chosen can be shown, all of a form by one box, which only scripts bring.

const fields = [...document.querySelectorAll("input[type=password]")];
const words = document.querySelector("#reveal");

if (fields.length && words) {
  const box = words.content.cloneNode(true).firstElementChild;
  box.querySelector("input").addEventListener("change", (event) => {
    for (const field of fields) field.type = event.target.checked ? "text" : "password";
  });
  fields.at(-1).closest(".field").after(box);
  fields[0].form.addEventListener("submit", () => {
    for (const field of fields) field.type = "password"; // browsers offer to keep only these
  });
}
