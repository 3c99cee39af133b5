// What happened on a day: read from the logs when it is asked for.

import { banner, byId, calendarDay, call, CallError, make, number, sentence, shortTime, t, titleOf } from "./common.js";
import { saveCsv } from "./csv.js";
import { done } from "./record.js";

const COUNTS = {
  counted: () => t("Counted"),
  manual: () => t("of these typed"),
  voided: () => t("Taken back"),
  added: () => t("Added by two people"),
  unidentified: () => t("Unidentified"),
  already_counted: () => t("Already counted"),
  not_on_manifest: () => t("Not on the manifest"),
  unreadable: () => t("Unreadable"),
};
const KINDS = {
  open: () => t("The log begins"),
  container_open: () => t("Container opened"),
  container_seal: () => t("Container sealed"),
  container_break: () => t("Seal broken"),
  pause: () => t("Paused"),
  resume: () => t("Resumed"),
  lot: () => t("New lot"),
  agree: () => t("A second person agreed to typed cards"),
  declare: () => t("Figures declared"),
  explain: () => t("Difference explained"),
  witness: () => t("Witness's key"),
  seal: () => t("Batch sealed"),
  cancel: () => t("Batch cancelled"),
  burn: () => t("Burning written down"),
  object: () => t("Objection"),
  answer: () => t("Answer"),
  refuse: () => t("Will not sign"),
  note: () => t("Note"),
};
const kind = (one) => (KINDS[one.kind] ?? (() => one.kind))();
const entry = (one) => t("entry %(sequence)s", { sequence: one.sequence });
const of = (target) => (target ? t("entry %(sequence)s", { sequence: target }) : "");

/** The lists of a batch: what each is called, its columns, and the cells of one line. */
const LISTS = [
  ["sessions", () => t("Who scanned"), () => [t("From"), t("Until"), t("Name"), t("Cards shown"), t("Counted")],
    (one) => [shortTime(one.since), shortTime(one.until), one.by, number(one.shown), number(one.counted)]],
  ["voids", () => t("Taken back"), () => [t("Time"), t("Entry"), t("Name"), t("Card of"), t("Reason")],
    (one) => [shortTime(one.at), entry(one), one.by, of(one.target), one.reason]],
  ["strangers", () => t("Not on the manifest"), () => [t("Time"), t("Entry"), t("Name"), t("Number")],
    (one) => [shortTime(one.at), entry(one), one.by, one.masked || "–"]],
  ["said", () => t("Objections and notes"), () => [t("Time"), t("Entry"), t("Name"), t("What"), t("Text")],
    (one) => [shortTime(one.at), entry(one), one.witness || one.by, [kind(one), of(one.target)].filter(Boolean).join(" · "), one.text]],
  ["done", () => t("What else was done"), () => [t("Time"), t("Entry"), t("Name"), t("What")],
    (one) => [shortTime(one.at), entry(one), one.by, [kind(one), one.number === null ? "" : number(one.number)].filter(Boolean).join(" ")]],
  ["cosignatures", () => t("Signed by witnesses"), () => [t("Time"), t("Size"), t("Name")],
    (one) => [shortTime(one.at), t("%(count)s entries", { count: number(one.size) }), one.name]],
];
let shown = null;

function table(words, lines) {
  return make("table", { class: "told" },
    make("thead", {}, make("tr", {}, ...words.map((word) => make("th", { scope: "col" }, word)))),
    make("tbody", {}, ...lines.map((line) => make("tr", {},
      ...line.map((cell, place) => make("td", { "data-word": words[place] }, cell || "–"))))));
}

function batch(one) {
  const lists = LISTS.filter(([key]) => one[key].length).flatMap(([key, word, words, cells]) => [
    make("h3", {}, `${word()} (${number(one[key].length)})`), table(words(), one[key].map(cells))]);
  const more = [t("Heads signed by the station: %(count)s", { count: one.heads }),
    t("Cards asked about: %(count)s", { count: one.spot_checks })];
  return make("section", { class: "panel", "data-slug": one.slug },
    make("h2", {}, titleOf(one)), make("p", { class: "where" }, one.slug),
    make("dl", { class: "day-counts" }, ...Object.entries(COUNTS).map(([key, word]) => make("div", { "data-kind": key },
      make("dt", {}, word()), make("dd", {}, number(one.counts[key]))))),
    make("p", { class: "hint-line" }, more.join(" · ")), ...lists);
}

function record(lines) {
  return make("section", { class: "panel", id: "record" }, make("h2", {}, t("At the station")),
    lines.length ? table([t("Time"), t("Name"), t("What")], lines.map((one) => [shortTime(one.at), one.by, done(one)]))
      : make("p", { class: "nothing" }, t("Nothing yet.")));
}

function show(report) {
  shown = report;
  byId("day").textContent = calendarDay(report.day);
  byId("date").value = report.day;
  byId("report").replaceChildren(...report.batches.map(batch),
    ...(report.batches.length ? [] : [make("p", { class: "panel nothing" }, t("No batch was worked on that day."))]),
    record(report.record));
}

async function look(day) {
  try {
    show(await call("GET", day ? `/api/day?date=${encodeURIComponent(day)}` : "/api/day", undefined, 60_000));
    banner("stale", "", "");
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    banner("stale", "bad", sentence(error.message));
  }
}

/** One table after another, each with its own header line, as on the page. */
function lines(report) {
  const all = [[t("Day"), report.day]];
  for (const one of report.batches) {
    all.push([], [t("Batch"), one.slug, titleOf(one)]);
    for (const [key, word] of Object.entries(COUNTS)) all.push([word(), one.counts[key]]);
    for (const [key, word, words, cells] of LISTS) {
      if (one[key].length) all.push([], [word()], words(), ...one[key].map(cells));
    }
  }
  all.push([], [t("At the station")], [t("Time"), t("Name"), t("What")]);
  for (const one of report.record) all.push([shortTime(one.at), one.by, done(one)]);
  return all;
}

byId("date").addEventListener("change", (event) => event.target.value && look(event.target.value));
byId("print").addEventListener("click", () => print());
byId("save").addEventListener("click", () => shown && saveCsv(`${shown.day}.csv`, lines(shown)));
look("");
