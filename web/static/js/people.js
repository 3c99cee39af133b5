// The supervisor's page of people: who may sign in, their PINs, the office, what was done.

import { banner, byId, call, make, moment, ROLES, t } from "./common.js";
import { refill } from "./drafts.js";
import { ask, askAgain, prepare, reportTo, submit } from "./forms.js";
import { done } from "./record.js";

const RULES = {
  officer: () => t("A PIN is 6 to 12 digits. Let the officer type it, and look away."),
  witness: () => t("A PIN is 6 to 12 digits. A witness with a tablet needs none: connect the tablet by its code."),
  supervisor: () => t("A passphrase has at least 8 characters; several words are best."),
};
let people = [];

function card(person) {
  const words = [ROLES[person.role](), person.position, person.nip && `NIP ${person.nip}`].filter(Boolean);
  return make("section", { class: "panel person", "data-active": person.is_active ? "yes" : "no", "data-name": person.name },
    make("h2", {}, person.name), make("p", {}, words.join(" · ")),
    make("div", { class: "row" },
      make("button", { type: "button", "aria-label": `${t("New PIN")}: ${person.name}`, onclick: () => ask(byId("changing"), { id: person.id }) },
        person.role === "supervisor" ? t("New passphrase") : t("New PIN")),
      make("button", { type: "button", class: person.is_active ? "danger" : "", onclick: reportTo(null, () => change(person)),
        "aria-label": `${person.is_active ? t("Shut out") : t("Let in")}: ${person.name}` },
        person.is_active ? t("Shut out") : t("Let in"))));
}

async function load() {
  const known = await call("GET", "/api/people");
  people = known.people;
  byId("people").replaceChildren(...people.map(card));
  if (!byId("office-form").contains(document.activeElement)) {
    byId("office").value = known.office;
    byId("letterhead").value = known.letterhead;
    refill(byId("office-form"));
  }
  byId("record").replaceChildren(...known.record.map((event) => make("li", {},
    make("time", { datetime: event.at }, moment(event.at)),
    make("span", {}, `${event.by}: ${done(event)}`))));
}

async function change(person) {
  await call("POST", `/api/people/${person.id}/active`, { is_active: !person.is_active });
  banner("refused", "", "");
  await load();
}

function fitRole() {
  const role = byId("add-role").value;
  byId("add-rule").textContent = RULES[role]();
  byId("add-secret").inputMode = role === "supervisor" ? "text" : "numeric";
  byId("adding").querySelector("label[for=add-secret]").textContent = role === "supervisor" ? t("Passphrase") : t("PIN");
}

byId("add-role").addEventListener("change", fitRole);
byId("new").addEventListener("click", () => ask(byId("adding")));

prepare(byId("adding"), async (data) => {
  await call("POST", "/api/people", data);
  await load();
}, () => {
  fitRole();
  return "";
});

prepare(byId("changing"), async (data, form, { id }) => {
  await call("POST", `/api/people/${id}/secret`, data);
  await load();
}, ({ id }) => {
  const person = people.find((one) => one.id === id);
  if (!person) return null;
  byId("change-rule").textContent = RULES[person.role]();
  byId("change-secret").inputMode = person.role === "supervisor" ? "text" : "numeric";
  return person.name;
});

submit(byId("office-form"), async (data, form) => {
  form.querySelector(".done").textContent = "";
  await call("POST", "/api/office", data);
  form.querySelector(".done").textContent = t("Saved.");
});

await load();
askAgain();
