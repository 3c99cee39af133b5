// The page on which a batch is closed: the sums, what stands in the way, two people who seal.

import {
  banner, byId, call, figures, make, moment, number, ofBatch, REASONS, sentence, STATES, t, whole,
} from "./common.js";
import { Witnesses } from "./closing_witnesses.js";
import { refill } from "./drafts.js";
import { ask, askAgain, prepare, submit } from "./forms.js";
import { keepLooking, redraw } from "./looking.js";

const LOOKS_EVERY_MS = 4000;
const slug = byId("closing").dataset.slug;
const isOpen = () => found.state === "open" || found.state === "paused";
let found = null;
let shown = "";

// --- sums ----------------------------------------------------------------------------------

const COLUMNS = [
  ["manifest", () => t("On the manifest")], ["counted", () => t("Counted")],
  ["missing", () => t("Missing")], ["added", () => t("Added")], ["unidentified", () => t("Unidentified")],
  ["burned", () => t("Into the fire")],
];
const MANUAL = ["manual", () => t("of it typed")]; // among the counted

function sums(axis) {
  const rows = found[`by_${axis}`];
  const stated = found.declared[`by_${axis}`];
  const names = [...new Set([...Object.keys(rows), ...Object.keys(stated)])].sort();
  const cells = (row, declared) => [
    ...COLUMNS.map(([key]) => make("td", { "data-key": key, "data-differs": key === "missing" && row[key] > 0 }, number(row[key] ?? 0))),
    make("td", { "data-key": "declared" }, declared === undefined || declared === null ? "–" : number(declared)),
    make("td", { "data-key": "difference", "data-differs": declared != null && declared !== (row.burned ?? 0) },
      declared === undefined || declared === null ? "–" : signed(declared - (row.burned ?? 0))),
    make("td", { "data-key": MANUAL[0] }, number(row.manual ?? 0)),
  ];
  const words = ["", ...COLUMNS.map(([, word]) => word()), t("Declared"), t("Difference"), MANUAL[1]()];
  byId(`by-${axis}`).replaceChildren(make("table", {},
    make("thead", {}, make("tr", {}, ...words.map((word) => (word ? make("th", { scope: "col" }, word) : make("td", {}))))),
    make("tbody", {}, ...names.map((name) => make("tr", { "data-name": name },
      make("th", { scope: "row" }, name || t("(none)")), ...cells(rows[name] ?? {}, stated[name])))),
    make("tfoot", {}, make("tr", {}, make("th", { scope: "row" }, t("In total")), ...cells(found.totals, found.declared.total)))));
}

const signed = (value) => (value > 0 ? `+${number(value)}` : number(value));

// --- differences ---------------------------------------------------------------------------

const REMEDIES = {
  missing: () => t("Look for these cards and count them, or explain them by two people."),
  strangers: () => t("Take them out of the pile, and explain by two people where they come from."),
  declared: () => t("Correct the declared figure, or explain it by two people."),
  declared_parts: () => t("Correct the declared figures, or explain them by two people."),
};
const WHAT = {
  missing: () => t("Missing"), strangers: () => t("Not on the manifest"),
  declared: () => t("Declared"), declared_parts: () => t("Declared parts against their total"),
};

function named(one) {
  const where = [one.category, one.district].filter((place) => place !== null).map((place) => place || t("(none)"));
  const figures = one.what === "missing" ? [t("On the manifest"), one.manifest, t("Counted"), one.counted]
    : one.what === "declared" ? [t("Declared"), one.declared, t("Into the fire"), one.burned] : [];
  return [WHAT[one.what](), ...where, signed(one.difference)].join(" · ")
    + (figures.length ? ` (${figures[0]} ${number(figures[1])}, ${figures[2]} ${number(figures[3])})` : "");
}

const state = (one) => (one.state === "open" ? t("not explained") : t("explained"));

function difference(one) {
  const reasons = found.explanations.filter((said) => one.explained_by.includes(said.sequence));
  return make("li", { "data-what": one.what, "data-state": one.state },
    make("div", {}, make("strong", {}, `${state(one)}: `), named(one),
      ...reasons.map((said) => make("p", {}, t("“%(reason)s” (%(by)s, seconded by %(second)s)",
        { reason: said.reason, by: said.by, second: said.seconded_by })))),
    one.state === "open" && isOpen()
      ? make("button", { type: "button", onclick: () => ask(byId("explaining"), keyOf(one)) }, t("Explain…")) : null);
}

const keyOf = ({ what, category, district }) => ({ what, category, district });
const openOnes = () => found.differences.filter((one) => one.state === "open");

/** Return in words what is still to be explained, or null. */
function unexplained(about) {
  const all = openOnes().filter((one) => one.what === "missing");
  if (about.isAll) return all.length ? sayMissing(all) : null;
  const one = openOnes().find((other) => JSON.stringify(keyOf(other)) === JSON.stringify(about));
  return one ? named(one) : null;
}

const MOST_PLACES = 3; // of missing cards, before they are told in one line

function hindrances() {
  const open = openOnes();
  // The station names open differences first, in the order of its list.
  const missing = open.filter((one) => one.what === "missing");
  const isMany = missing.length > MOST_PLACES;
  const lines = found.hindrances.slice(isMany ? missing.length : 0).map((said, place) => {
    const one = open[place + (isMany ? missing.length : 0)];
    return make("li", { "data-state": "open" }, make("div", {}, sentence(said), one ? make("p", {}, REMEDIES[one.what]()) : ""));
  });
  if (isMany) lines.unshift(manyMissing(missing));
  const nothing = make("li", { "data-state": "none" },
    isOpen() ? t("Nothing: two people can seal it.") : t("The batch is closed."));
  byId("hindrances").replaceChildren(...(lines.length ? lines : [nothing]));
  byId("where-to").hidden = found.hindrances.length <= open.length;
}

/** One line, and one explanation, for missing cards in many places; they are listed below. */
function manyMissing(places) {
  return make("li", { "data-state": "open", "data-what": "missing" },
    make("div", {}, sentence(sayMissing(places)), make("p", {}, REMEDIES.missing())),
    make("button", { type: "button", onclick: () => ask(byId("explaining"), { isAll: true }) }, t("Explain all…")));
}

const sayMissing = (places) => t("%(count)s cards are missing and not explained, in %(places)s places of category and district",
  { count: places.reduce((sum, one) => sum + one.open, 0), places: places.length });

// --- card by card --------------------------------------------------------------------------

const place = (one) => [one.category, one.district].filter(Boolean).join(" · ");
const entry = (one) => t("entry %(sequence)s", { sequence: one.sequence });
const photograph = (one) => (one.has_photograph
  ? make("a", { href: ofBatch(slug, `/photographs/${one.sequence}`), target: "_blank" }, t("Photograph")) : "");
// Of each list: its name, what its columns hold, and a row of it.
const HAND = () => [t("Entry"), t("Card"), t("Category and district"), t("By"), t("Agreed by"), t("Reason"), t("Photograph")];
const byHand = (one) => [entry(one), one.identifier || t("number %(number)s", { number: one.number }), place(one), one.by,
  one.agreed_by, one.reason, photograph(one)];
const LISTS = [
  ["missing", () => t("Missing"), () => [t("Name"), t("Card"), t("Category"), t("District"), t("Cards"), t("State")], (one) => [one.name, one.identifier, one.category, one.district, number(one.pieces), state(one)]],
  ["strangers", () => t("Not on the manifest"), () => [t("Entry"), t("Card"), t("Time"), t("Earlier batch"), t("State")], (one) => [entry(one), one.identifier, moment(one.at), one.earlier_batch, state(one)]],
  ["unreadable", () => t("Unreadable"), () => [t("Entry"), t("Time"), t("Reader"), t("Reason")], (one) => [entry(one), moment(one.at), one.reader, REASONS[one.reason]?.() ?? one.reason]],
  ["voids", () => t("Taken back"), () => [t("Entry"), t("Time"), t("By"), t("Category and district"), t("Reason")], (one) => [entry(one), moment(one.at), one.by, place(one), one.reason]],
  ["manual", () => t("Typed"), HAND, byHand],
  ["added", () => t("Added"), HAND, byHand],
  ["unidentified", () => t("Unidentified"), HAND, byHand],
  ["earlier", () => t("Counted in an earlier batch"), () => [t("Entry"), t("Card"), t("Earlier batch")], (one) => [entry(one), one.identifier, one.batch]],
];

function lists() {
  const wereOpen = new Set([...document.querySelectorAll("#lists details[open]")].map((one) => one.dataset.list));
  byId("lists").replaceChildren(...LISTS.map((list) => {
    const [key, word] = list;
    if (!found[key].length) return make("p", { class: "none" }, `${word()}: 0`);
    const made = make("details", { "data-list": key }, make("summary", {}, `${word()}: ${number(found[key].length)}`));
    // Thousands of rows are made only for whoever looks at them.
    made.addEventListener("toggle", () => made.open && made.childElementCount === 1 && made.append(rowsOf(list)));
    made.open = wereOpen.has(key);
    return made;
  }));
}

function rowsOf([key, word, columns, cells]) {
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": word() }, make("table", {},
    make("thead", {}, make("tr", {}, ...columns().map((column) => make("th", { scope: "col" }, column)))),
    make("tbody", {}, ...found[key].map((one) => make("tr", {},
      ...cells(one).map((cell) => make("td", {}, cell || "–")))))));
}

// --- what people do ------------------------------------------------------------------------

const looking = (work) => async (data, form, about) => {
  await work(data, form, about);
  await look();
};

prepare(byId("explaining"), looking((data, form, about) => {
  const what = about.isAll ? { what: "missing", category: null, district: null } : about;
  return call("POST", ofBatch(slug, "/explanations"), { ...data, ...what });
}), unexplained);

byId("seal").addEventListener("click", () => ask(byId("sealing")));
prepare(byId("sealing"), looking((data) => call("POST", ofBatch(slug, "/seal"), data)),
  () => (isOpen() ? t("%(count)s cards go into the fire", { count: found.totals.burned }) : null));

submit(byId("burning"), looking((data) => call("POST", ofBatch(slug, "/burning"), data)));

submit(byId("declaring"), looking(async () => {
  const total = byId("declared-total").value.trim();
  byId("declaring").querySelector(".done").textContent = "";
  await call("POST", ofBatch(slug, "/declared"), {
    total: total ? whole(total) : null,
    by_category: figures(byId("declared-category").value),
    by_district: figures(byId("declared-district").value),
    reason: byId("declared-reason").value,
  });
  byId("declaring").querySelector(".done").textContent = t("Saved.");
  byId("declared-reason").value = "";
}));

function statements() {
  const parts = (one) => [...Object.entries(one.by_category), ...Object.entries(one.by_district)].map(([name, figure]) => `${name} ${number(figure)}`);
  const total = (one) => (one.total === null ? [] : [`${t("In total")} ${number(one.total)}`]);
  byId("statements").replaceChildren(...(found.statements.length > 1 ? found.statements : []).map((one) => make("li", {},
    make("time", {}, moment(one.at)), [...parts(one), ...total(one)].join(" · ") || "–", one.reason ? ` (${one.reason})` : "", ` ${one.by}`)));
}

function fillDeclared() {
  const lines = (stated) => Object.entries(stated).map(([name, value]) => `${name} = ${value}`).join("\n");
  byId("declared-total").value = found.declared.total ?? "";
  byId("declared-category").value = lines(found.declared.by_category);
  byId("declared-district").value = lines(found.declared.by_district);
}

// -------------------------------------------------------------------------------------------

function show() {
  byId("state").textContent = STATES[found.state]();
  hindrances();
  byId("differences").replaceChildren(...found.differences.map(difference));
  if (!found.differences.length) {
    byId("differences").append(make("li", { "data-state": "none" }, t("Manifest, count and declared figures agree.")));
  }
  sums("category");
  sums("district");
  lists();
  statements();
  witnesses.show(found, isOpen());
  byId("seal").hidden = !isOpen() || found.hindrances.length > 0;
  byId("declaring").hidden = !isOpen();
  byId("after").hidden = found.state !== "sealed";
  byId("burning").hidden = found.burning !== null;
  byId("before-fire").hidden = found.burning !== null;
  byId("to-minutes").hidden = found.burning === null;
  byId("to-log").classList.toggle("main", found.burning === null);
  byId("burned").textContent = found.burning
    ? t("Destroyed: %(at)s, %(method)s; present: %(present)s",
      { at: moment(found.burning.burned_at), method: found.burning.method, present: found.burning.present }) : "";
}

async function look() {
  const next = await call("GET", ofBatch(slug, "/reconciliation"), undefined, 60_000);
  banner("stale", "", "");
  const text = JSON.stringify(next);
  if (text === shown) return;
  shown = text;
  found = next;
  await redraw(show);
}

const witnesses = new Witnesses(slug, look);
keepLooking(look, LOOKS_EVERY_MS, () => {
  fillDeclared();
  byId("declaring").querySelector("fieldset").disabled = false; // what is typed earlier would be overwritten
  refill(byId("declaring"));
  askAgain();
});
