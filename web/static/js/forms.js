// Forms and dialogs that ask people for something: one submission at a time, refusals in place, and
// what was typed outlasts a reload.

import { banner, byId, CallError, sentence } from "./common.js";
import { draftOf, forgetForm, keepForm, refill, shutDraft } from "./drafts.js";

/** Do `work(data, form)` when the form is submitted; what the station refuses stands under the fields. */
export function submit(form, work, about) {
  let isAtWork = false;
  keepForm(form, about);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isAtWork) return; // a double click is one wish
    isAtWork = true;
    const refused = form.querySelector(".refused");
    refused.textContent = "";
    try {
      await work(Object.fromEntries(new FormData(form)), form);
      forgetForm(form);
      landFocus();
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      refused.textContent = sentence(error.message);
    } finally {
      isAtWork = false;
    }
  });
  if (!form.closest("dialog")) refill(form);
}

/** Where the focus was lost, because what had it is done with, it goes to what comes next. */
function landFocus(before = null) {
  const held = document.activeElement;
  if (held && held !== document.body && held.checkVisibility()) return;
  const inSight = (place) => [...(place?.querySelectorAll("button, a") ?? [])].filter((one) => one.checkVisibility() && !one.disabled);
  const next = inSight(byId(before?.list))[before?.place] ?? inSight(document.querySelector("main")).find((one) => one.classList.contains("main"));
  next?.focus({ preventScroll: true });
}

/** Return in which list an element stands, and where. */
function placeOf(element) {
  const list = element?.parentElement?.closest("[id]");
  return list && { list: list.id, place: [...list.querySelectorAll("button, a")].indexOf(element) };
}

const prepared = new Map(); // dialog: {about, begin, opener}

/**
 * Do `work(data, form, about)` on submitting, then close; “leave” closes, too, and forgets what was typed.
 * `begin(about)` fills in what the dialog begins with and returns what it is about, in words; null: that is gone.
 */
export function prepare(dialog, work, begin = () => "") {
  const form = dialog.querySelector("form");
  const known = { about: null, begin, opener: null };
  prepared.set(dialog, known);
  dialog.querySelector(".leave").addEventListener("click", () => {
    forgetForm(form);
    dialog.close();
  });
  dialog.addEventListener("close", () => shutDraft(form));
  submit(form, async (data) => {
    await work(data, form, known.about);
    dialog.close();
    landFocus(known.opener);
  }, () => known.about);
}

/** Open a dialog with empty fields, or with what was typed about the same before; false: that is gone. */
export function ask(dialog, about = null) {
  const form = dialog.querySelector("form");
  const known = prepared.get(dialog);
  form.reset();
  form.querySelector(".refused").textContent = "";
  const what = known.begin(about);
  if (what === null) return false;
  known.about = about;
  known.opener = placeOf(document.activeElement);
  const place = form.querySelector(".card");
  if (place) place.textContent = what;
  if (JSON.stringify(draftOf(form)?.about) === JSON.stringify(about)) refill(form);
  dialog.showModal();
  return true;
}

/** Open again the dialog that stood open with something typed in it when the page was left; false: none did. */
export function askAgain() {
  for (const dialog of prepared.keys()) {
    const draft = draftOf(dialog.querySelector("form"));
    if (draft?.isOpen && ask(dialog, draft.about)) return true;
  }
  return false;
}

/** Make a handler that does `work(event)` once at a time; a refusal stands in `place`, or on top of the page. */
export function reportTo(place, work) {
  let isBusy = false; // a second tap on the same button is not a second wish
  return async (event) => {
    event?.preventDefault();
    if (isBusy) return;
    isBusy = true;
    if (place) place.textContent = "";
    try {
      await work(event);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (place) place.textContent = sentence(error.message);
      else banner("refused", "bad", sentence(error.message));
    } finally {
      isBusy = false;
    }
  };
}
