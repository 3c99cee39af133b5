// The supervisor's page of the minutes: number, place, legal basis, who signs.

import { byId, call, make, ofBatch, t } from "./common.js";
import { forget, keep, kept } from "./drafts.js";
import { sayDay } from "./fields.js";
import { reportTo } from "./forms.js";

const form = byId("particulars");
const address = ofBatch(form.dataset.slug, "/particulars");
let known = [];
let rows = 0;
const sayHeldOn = sayDay(byId("held-on"));

const FIELDS = {
  officers: [["name", () => t("Name")], ["nip", () => t("NIP")], ["position", () => t("Position")]],
  witnesses: [["name", () => t("Name")], ["institution", () => t("Institution")]],
};
const TITLES = { officers: () => t("Officer"), witnesses: () => t("Witness") };
const LONGEST = { name: 80, nip: 24, position: 200, institution: 200 };

/** Fill in what the station knows of an officer whose name was chosen. */
function complete(row) {
  const value = (name) => row.querySelector(`[data-field=${name}]`);
  const found = known.find((person) => person.name === value("name").value.trim());
  if (!found || !value("nip")) return;
  value("nip").value ||= found.nip;
  value("position").value ||= found.position;
}

function signer(kind, person = {}) {
  rows += 1;
  const row = make("fieldset", { class: "signer" }, make("legend", {}, TITLES[kind]()));
  for (const [name, title] of FIELDS[kind]) {
    const id = `${kind}-${name}-${rows}`;
    const input = make("input", { id, "data-field": name, maxlength: LONGEST[name] });
    input.value = person[name] ?? "";
    if (name === "name") {
      input.required = true;
      input.addEventListener("change", () => complete(row));
      if (kind === "officers") input.setAttribute("list", "known");
    }
    row.append(make("div", {}, make("label", { for: id }, title()), input));
  }
  row.append(make("button", {
    type: "button", class: "danger", onclick: () => { row.remove(); keepTyped(); byId(`add-${kind === "officers" ? "officer" : "witness"}`).focus(); },
  }, t("Remove")));
  byId(kind).append(row);
  return row;
}

function signersOf(kind) {
  return [...byId(kind).querySelectorAll(".signer")].map((row) => Object.fromEntries(
    FIELDS[kind].map(([name]) => [name, row.querySelector(`[data-field=${name}]`).value])));
}

function show(particulars) {
  byId("number").value = particulars.number;
  byId("held-on").value = particulars.held_on;
  sayHeldOn();
  byId("place").value = particulars.place;
  byId("legal-basis").value = particulars.legal_basis.join("\n");
  for (const kind of Object.keys(FIELDS)) {
    byId(kind).replaceChildren();
    for (const person of particulars[kind]) signer(kind, person);
  }
}

const typed = () => ({
  number: byId("number").value,
  held_on: byId("held-on").value,
  place: byId("place").value,
  legal_basis: byId("legal-basis").value.split("\n").map((line) => line.trim()).filter(Boolean),
  officers: signersOf("officers"),
  witnesses: signersOf("witnesses"),
});

// Rows of people come and go, so the paper is kept as a whole.
const DRAFT = "paper";
const keepTyped = () => keep(DRAFT, typed());
form.addEventListener("input", keepTyped);

form.addEventListener("submit", reportTo(form.querySelector(".refused"), async () => {
  form.querySelector(".done").textContent = "";
  show(await call("POST", address, typed()));
  forget(DRAFT);
  form.querySelector(".done").textContent = t("Saved.");
}));

byId("add-officer").addEventListener("click", () => signer("officers").querySelector("input").focus());
byId("add-witness").addEventListener("click", () => signer("witnesses").querySelector("input").focus());

show({ ...await call("GET", address), ...kept(DRAFT) });
form.querySelector("fieldset[disabled]").disabled = false; // what is typed earlier would be overwritten
known = (await call("GET", "/api/people")).people.filter((person) => person.role !== "witness" && person.is_active);
for (const row of byId("officers").querySelectorAll(".signer")) complete(row);
byId("known").replaceChildren(...known.map((person) => make("option", { value: person.name })));
