// Totals over many batches: bundles go to the station one by one, then it checks and adds up.

import { byId, calendarDay, calendarMonth, call, CallError, make, number, sentence, t } from "./common.js";
import { ownButton, takeDropped } from "./fields.js";

const FIGURES = {
  manifest: () => t("On the manifest"), counted: () => t("Counted"), missing: () => t("Missing"),
  added: () => t("Added"), unidentified: () => t("Unidentified"), burned: () => t("Into the fire"),
};
const WHY = {
  cancelled: () => t("the batch was cancelled"),
  rehearsal: () => t("REHEARSAL"),
  given_twice: () => t("given twice, counted once"),
  earlier_state: () => t("an earlier state of a log that is in the totals"),
};
const WEIGHT = {
  alarm: () => t("ALARM: one piece of plastic, counted twice"),
  remark: () => t("a remark: one person, perhaps another card"),
};
const refused = document.querySelector(".refused");
const inputs = [...document.querySelectorAll("input[data-kind]")];
let dropped = [];

function report(error) {
  if (!(error instanceof CallError)) throw error;
  refused.textContent = sentence(error.message);
  byId("collecting").hidden = false;
  byId("working").hidden = true;
}

const chosen = () => inputs.flatMap((input) => [...input.files].map((file) => [input.dataset.kind, file]))
  .concat(dropped.map((file) => ["bundle", file]));

function showChosen() {
  const bundles = chosen().filter(([kind]) => kind === "bundle");
  const bytes = bundles.reduce((sum, [, file]) => sum + file.size, 0);
  byId("chosen").replaceChildren(...(bundles.length
    ? [make("li", {}, t("%(count)s bundles, %(size)s MB", { count: number(bundles.length), size: number(Math.ceil(bytes / 1e6)) }))]
    : []));
  byId("total").disabled = bundles.length === 0;
}

for (const input of inputs) {
  input.addEventListener("change", showChosen);
  if (!input.classList.contains("unseen")) ownButton(input); // the first is the place to drop them
}
takeDropped(document.querySelector(".drop"), (files) => {
  dropped = dropped.concat(files);
  showChosen();
});

// --- sending and waiting -------------------------------------------------------------------

function showWork(text, done, total) {
  byId("collecting").hidden = true;
  byId("working").hidden = false;
  byId("doing").textContent = text;
  byId("progress").max = Math.max(total, 1);
  byId("progress").value = done;
}

async function send() {
  const files = chosen();
  const { tray } = await call("POST", "/api/recap", {});
  for (const [place, [kind, file]] of files.entries()) {
    showWork(t("Sending %(name)s", { name: file.name }), place, files.length);
    const form = new FormData();
    form.append("kind", kind);
    form.append("file", file, file.name);
    await call("POST", `/api/recap/${tray}/files`, form, 0);
  }
  let found = await call("POST", `/api/recap/${tray}/total`, {});
  while (found.state === "working") {
    showWork(t("Checking bundle %(done)s of %(total)s", { done: number(found.done), total: number(found.total) }), found.done, found.total);
    await new Promise((resolve) => setTimeout(resolve, 250));
    found = await call("GET", `/api/recap/${tray}`);
  }
  if (found.state !== "done") throw new CallError(400, found.error ?? t("Stopped: nothing was written."));
  showRecap(tray, found.recap);
}

byId("total").addEventListener("click", async () => {
  refused.textContent = "";
  try {
    await send();
  } catch (error) {
    report(error);
  }
});

// --- the table -----------------------------------------------------------------------------

function showRecap(tray, recap) {
  byId("working").hidden = true;
  const download = (ending, name) => make("a", { class: "button", href: `/recap/${tray}/rekapitulasi.${ending}`, download: "" }, name);
  const reported = reportedOf(recap);
  const byOffice = new Map(Object.entries(recap.by_office));
  byId("result").replaceChildren(
    make("section", { class: "panel" },
      make("p", { class: "figure" }, make("span", { class: "big" }, number(recap.total.burned)), " ",
        make("span", { class: "caption" }, t("cards · %(reported)s", { reported }))),
      ...notes(recap).map((note) => make("p", { class: "warning" }, note)),
      make("div", { class: "row exports" }, download("pdf", "PDF"), download("xlsx", "Excel"), download("csv", "CSV"),
        make("button", { type: "button", onclick: () => location.reload() }, t("Begin again")))),
    table(t("By office"), t("Office"), [...byOffice], recap, reported),
    table(t("By category"), t("Category"), Object.entries(recap.by_category), recap, reported),
    table(t("By month"), t("Month"), Object.entries(recap.by_period).map(([month, row]) => [calendarMonth(month), row]), recap, reported),
    batchTable(recap, reported),
    ...lists(recap));
  byId("result").hidden = false;
}

function reportedOf(recap) {
  const { offices, offices_listed: listed } = recap.total;
  if (listed === null) return t("%(count)s offices, no list of offices given", { count: number(offices) });
  const text = t("%(count)s of %(listed)s offices", { count: number(offices), listed: number(listed) });
  return recap.unlisted_offices.length ? `${text} + ${number(recap.unlisted_offices.length)}` : text;
}

function notes(recap) {
  const { whole_in_itself: alone, open, batches } = recap.total;
  const all = number(batches);
  return [
    alone ? t("%(count)s of %(all)s batches are only whole in themselves: no keys from elsewhere vouch for them.", { count: number(alone), all }) : "",
    open ? t("%(count)s of %(all)s batches are still open: more may be counted.", { count: number(open), all }) : "",
    recap.refused.length ? t("%(count)s files were refused and are not in the totals.", { count: number(recap.refused.length) }) : "",
    recap.alarms ? t("%(count)s cards were counted in two batches although each is one piece of plastic.", { count: number(recap.alarms) }) : "",
  ].filter(Boolean);
}

const scrolled = (title, inside) => make("section", { class: "panel" }, make("h2", {}, title),
  make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, inside));

// `counts`: how many columns at the end hold figures.
function rowsOf(head, rows, foot, counts = 0) {
  const kind = (place) => (place >= head.length - counts ? { class: "count" } : {});
  const line = ([name, ...cells]) => make("tr", {}, make("th", { scope: "row" }, name),
    ...cells.map((cell, place) => make("td", kind(place + 1), cell)));
  return make("table", { class: "groups" },
    make("thead", {}, make("tr", {}, ...head.map((word, place) => make("th", { scope: "col", ...kind(place) }, word)))),
    make("tbody", {}, ...rows.map(line)), foot ? make("tfoot", {}, line(foot)) : null);
}

function table(title, word, rows, recap, reported) {
  const cells = (row) => Object.keys(FIGURES).map((name) => number(row[name]));
  return scrolled(title, rowsOf([word, ...Object.values(FIGURES).map((name) => name())],
    rows.map(([name, row]) => [name || t("(none)"), ...cells(row)]),
    [`${t("Total")} (${reported})`, ...cells(recap.total)], Object.keys(FIGURES).length));
}

function batchTable(recap, reported) {
  const rows = recap.batches.map((one) => [one.office, one.log, calendarDay(one.day),
    one.state === "open" ? t("STILL OPEN") : t("sealed"),
    one.keys === "keys" ? t("keys from elsewhere") : t("keys of its own"), number(one.burned)]);
  return scrolled(t("Batches in the totals"), rowsOf(
    [t("Office"), t("Log"), t("Date"), t("State"), t("Keys"), t("Into the fire")], rows,
    [`${t("Total")} (${reported})`, "", "", "", "", number(recap.total.burned)], 1));
}

function lists(recap) {
  const made = [
    [t("Refused"), [t("File"), t("What is wrong")], recap.refused.map((one) => [one.name, one.why])],
    [t("Remarks"), [t("Remark")], recap.further_remarks.map((one) => [one])],
    [t("Not in the totals"), [t("File"), t("Log"), t("Why")], recap.not_totalled.map((one) => [one.name, one.log, WHY[one.why]()])],
    [t("Offices that are missing"), [t("Office")], recap.missing_offices.map((name) => [name])],
    [t("Offices that are not on the list"), [t("Office")], recap.unlisted_offices.map((name) => [name])],
    [t("Counted in two batches"), [t("Card"), t("Batches"), t("What it means")],
      recap.counted_twice.slice(0, 500).map((one) => [one.identifier, one.logs.join(", "), WEIGHT[one.weight]()])],
  ];
  return made.filter(([, , rows]) => rows.length).map(([title, head, rows]) =>
    scrolled(`${title}: ${number(title === t("Counted in two batches") ? recap.counted_twice_total : rows.length)}`, rowsOf(head, rows)));
}
