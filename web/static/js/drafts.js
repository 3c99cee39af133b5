// What was typed outlasts a reload, a stop of the station and the end of a session: it is kept in this
// tab, for whoever is signed in, until it was sent or somebody left it.

const MANY_DIGITS = /\d([ .-]?\d){11,}/; // may be a person's number: that is never kept
const UNKEPT = ["password", "file", "hidden", "submit", "button"];

const holder = () => document.getElementById("who")?.textContent ?? "";
const placeOf = (name) => `draft ${location.pathname} ${name} ${holder()}`;

/** Return a value as JSON, without the texts in it that may hold a person's number. */
export const withoutNumbers = (value) => JSON.stringify(value, (_, one) => (typeof one === "string" && MANY_DIGITS.test(one) ? undefined : one));

/** Keep a value under a name; texts in it that may hold a person's number are left out. */
export function keep(name, value) {
  try {
    sessionStorage.setItem(placeOf(name), withoutNumbers(value));
  } catch { /* a full or forbidden store: what is typed stays in the fields */ }
}

/** Return what was kept under a name, or null. */
export function kept(name) {
  try {
    return JSON.parse(sessionStorage.getItem(placeOf(name)) ?? "null");
  } catch {
    return null;
  }
}

export function forget(name) {
  try {
    sessionStorage.removeItem(placeOf(name));
  } catch { /* nothing was kept there either */ }
}

const nameOf = (form) => form.id || form.closest("dialog").id;
const isTick = (field) => field.type === "checkbox" || field.type === "radio";
const fieldsOf = (form) => [...form.elements].filter((field) =>
  field.matches("input, select, textarea") && !UNKEPT.includes(field.type));
const keyOf = (field) => (isTick(field) ? `${field.name}=${field.value}` : field.name || field.id);

/** Keep what is typed into a form; in a dialog also what the dialog is `about()`. */
export function keepForm(form, about = () => null) {
  form.addEventListener("input", () => {
    const fields = Object.fromEntries(fieldsOf(form).map((field) => [keyOf(field), isTick(field) ? field.checked : field.value]));
    keep(nameOf(form), { about: about(), fields, isOpen: true });
  });
}

/** Return what was typed into a form and not sent, or null. */
export const draftOf = (form) => kept(nameOf(form));
export const forgetForm = (form) => forget(nameOf(form));

/** The dialog of a form was closed: what was typed stands there when it is opened again, but it stays closed. */
export function shutDraft(form) {
  const draft = draftOf(form);
  if (draft) keep(nameOf(form), { ...draft, isOpen: false });
}

/** Put what was typed back into a form's fields; what hangs on them hears of it. */
export function refill(form) {
  const draft = draftOf(form);
  if (!draft) return;
  for (const field of fieldsOf(form)) {
    const value = draft.fields[keyOf(field)];
    if (value === undefined || (isTick(field) ? field.checked : field.value) === value) continue;
    if (isTick(field)) field.checked = value;
    else field.value = value;
    for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
    if (field.closest("details") && value) field.closest("details").open = true;
  }
}
