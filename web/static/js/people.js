// The supervisor's page of people: who may sign in, their PINs, the office, what was done.

import { byId, call, make, moment, sentence, t } from "./common.js";
import { done } from "./record.js";

const ROLES = { officer: () => t("Officer"), witness: () => t("Witness"), supervisor: () => t("Supervisor") };
const RULES = {
  officer: () => t("A PIN is 6 to 12 digits. Let the officer type it, and look away."),
  witness: () => t("A PIN is 6 to 12 digits. A witness with a tablet needs none: connect the tablet by its code."),
  supervisor: () => t("A passphrase has at least 8 characters; several words are best."),
};
let changing = null;

function card(person) {
  const words = [ROLES[person.role](), person.position, person.nip && `NIP ${person.nip}`].filter(Boolean);
  return make("section", { class: "panel person", "data-active": person.is_active ? "yes" : "no", "data-name": person.name },
    make("h2", {}, person.name), make("p", {}, words.join(" · ")),
    make("div", { class: "row" },
      make("button", { type: "button", "aria-label": `${t("New PIN")}: ${person.name}`, onclick: () => askForSecret(person) },
        person.role === "supervisor" ? t("New passphrase") : t("New PIN")),
      make("button", { type: "button", class: person.is_active ? "danger" : "", onclick: () => change(person),
        "aria-label": `${person.is_active ? t("Shut out") : t("Let in")}: ${person.name}` },
        person.is_active ? t("Shut out") : t("Let in"))));
}

async function load() {
  const known = await call("GET", "/api/people");
  byId("people").replaceChildren(...known.people.map(card));
  if (!byId("office-form").contains(document.activeElement)) {
    byId("office").value = known.office;
    byId("letterhead").value = known.letterhead;
  }
  byId("record").replaceChildren(...known.record.map((event) => make("li", {},
    make("time", { datetime: event.at }, moment(event.at)),
    make("span", {}, `${event.by}: ${done(event)}`))));
}

/** Run a call for a form, showing a refusal in it. */
async function tried(place, work) {
  place.querySelector(".refused").textContent = "";
  try {
    await work();
    await load();
    return true;
  } catch (error) {
    if (error.status === undefined) throw error;
    place.querySelector(".refused").textContent = sentence(error.message);
    return false;
  }
}

function askForSecret(person) {
  changing = person;
  byId("changing-who").textContent = person.name;
  byId("change-rule").textContent = RULES[person.role]();
  byId("change-secret").value = "";
  byId("change-secret").inputMode = person.role === "supervisor" ? "text" : "numeric";
  byId("changing").querySelector(".refused").textContent = "";
  byId("changing").showModal();
}

async function change(person) {
  try {
    await call("POST", `/api/people/${person.id}/active`, { is_active: !person.is_active });
    await load();
  } catch (error) {
    if (error.status === undefined) throw error;
    alert(sentence(error.message));
  }
}

function fitRole() {
  const role = byId("add-role").value;
  byId("add-rule").textContent = RULES[role]();
  byId("add-secret").inputMode = role === "supervisor" ? "text" : "numeric";
  byId("adding").querySelector("label[for=add-secret]").textContent = role === "supervisor" ? t("Passphrase") : t("PIN");
}

byId("add-role").addEventListener("change", fitRole);
byId("new").addEventListener("click", () => {
  byId("adding").querySelector("form").reset();
  byId("adding").querySelector(".refused").textContent = "";
  fitRole();
  byId("adding").showModal();
});
for (const dialog of [byId("adding"), byId("changing")]) {
  dialog.querySelector(".leave").addEventListener("click", () => dialog.close());
}

byId("adding").querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const data = Object.fromEntries(new FormData(event.target));
  if (await tried(byId("adding"), () => call("POST", "/api/people", data))) byId("adding").close();
});

byId("changing").querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const secret = byId("change-secret").value;
  const isDone = await tried(byId("changing"), () => call("POST", `/api/people/${changing.id}/secret`, { secret }));
  if (isDone) byId("changing").close();
});

byId("office-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const data = Object.fromEntries(new FormData(event.target));
  byId("office-form").querySelector(".done").textContent = "";
  if (await tried(byId("office-form"), () => call("POST", "/api/office", data))) {
    byId("office-form").querySelector(".done").textContent = t("Saved.");
  }
});

load();
