// Forms and dialogs that ask people for something: one submission at a time, refusals in place.

import { CallError, sentence } from "./common.js";

/** Do `work(data)` when the form is submitted; what the station refuses stands under the fields. */
export function submit(form, work) {
  let isAtWork = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isAtWork) return; // a double click is one wish
    isAtWork = true;
    const refused = form.querySelector(".refused");
    refused.textContent = "";
    try {
      await work(Object.fromEntries(new FormData(form)), form);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      refused.textContent = sentence(error.message);
    } finally {
      isAtWork = false;
    }
  });
}

/** Open a dialog with empty fields; `what` says what it is about. */
export function ask(dialog, what = "") {
  dialog.querySelector("form").reset();
  dialog.querySelector(".refused").textContent = "";
  dialog.querySelector(".card").textContent = what;
  dialog.showModal();
}

/** Close on “leave”, and do `work(data)` on submitting, then close. */
export function prepare(dialog, work) {
  dialog.querySelector(".leave").addEventListener("click", () => dialog.close());
  submit(dialog.querySelector("form"), async (data, form) => {
    await work(data, form);
    dialog.close();
  });
}
