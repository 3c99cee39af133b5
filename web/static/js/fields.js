// Fields that a browser draws in its own language: days and chosen files, said in the page's.

import { calendarDay, make, number, t } from "./common.js";

/** Say below a date field which day it is; call what comes back whenever its value was set. */
export function sayDay(field) {
  const said = make("p", { class: "hint-line", id: `${field.id}-said` });
  const say = () => {
    said.textContent = field.value ? calendarDay(field.value) : "";
  };
  field.setAttribute("aria-describedby", said.id);
  field.after(said);
  field.addEventListener("input", say);
  say();
  return say;
}

/** Give a file field a button of the page's own, and say what was chosen. */
export function ownButton(input) {
  const said = make("span", { id: `${input.id}-said` });
  const say = () => {
    const [first, ...more] = input.files;
    said.textContent = more.length ? t("%(count)s files", { count: number(input.files.length) }) : first?.name ?? t("None chosen yet.");
  };
  input.classList.add("unseen");
  input.setAttribute("aria-describedby", said.id);
  input.after(make("div", { class: "row chosen-file" },
    make("label", { class: "button", for: input.id }, t("Choose a file…")), said));
  input.addEventListener("change", say);
  input.form?.addEventListener("reset", () => setTimeout(say));
  say();
}

/** Take files that are dropped on a place: `take(files)`. */
export function takeDropped(place, take) {
  for (const kind of ["dragenter", "dragover"]) {
    place.addEventListener(kind, (event) => {
      event.preventDefault();
      place.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) place.addEventListener(kind, () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
}
