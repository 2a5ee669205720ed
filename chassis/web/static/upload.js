// Sends files to the draft as soon as they are chosen, and shows how far it is. The answer is the
// page as it now stands, of which the question's part takes the place of the one before: a refusal
// is read there too. Without this script, files are sent with the form.

for (const form of document.querySelectorAll("form[data-draft][enctype]")) {
  form.addEventListener("change", (event) => {
    if (event.target.type === "file" && event.target.files.length) send(form, event.target);
  });
}

function send(form, input) {
  const status = form.querySelector("[data-draft-status]");
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.setAttribute("aria-label", status.dataset.sending);
  input.after(bar);
  status.textContent = status.dataset.sending;
  form.dataset.uploading = "true"; // what is typed meanwhile is saved with the files known
  const body = new FormData(form);
  input.disabled = true;

  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.responseType = "document";
  request.setRequestHeader("Accept", "text/html");
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) bar.value = event.loaded / event.total;
  });
  request.addEventListener("loadend", () => {
    delete form.dataset.uploading;
    bar.remove();
    input.disabled = false;
    const page = request.response;
    const fresh = page?.getElementById(input.id)?.closest("fieldset");
    if (fresh) {
      const own = input.closest("fieldset");
      own.replaceWith(document.adoptNode(fresh));
      fresh.querySelector("input[type=file]").focus();
      const said = page.querySelector("[data-draft-status]")?.textContent;
      const wrong = fresh.querySelector(".error")?.textContent;
      status.textContent = (wrong ?? said ?? "").trim();
    } else {
      status.textContent = refusal(request, status.dataset);
    }
  });
  request.send(body);
}

// Why nothing came back that shows the question: the files stay chosen, and go with the form.
function refusal(request, words) {
  if (!request.status) return words.away;
  if (request.status === 413) return words.tooLarge;
  return new URL(request.responseURL).pathname.startsWith("/sign-in") ? words.ended : words.refused;
}
