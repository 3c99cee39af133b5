// The supervisor's page: batches, their manifests, and their logs as files.

import { banner, byId, calendarDay, call, figures, make, number, ofBatch, STATES, t, today, whole } from "./common.js";
import { sayDay } from "./fields.js";
import { ask, askAgain, prepare, reportTo } from "./forms.js";
import { keepLooking, redraw } from "./looking.js";
import { ManifestDialog } from "./manifest.js";

// --- batches -------------------------------------------------------------------------------

const REFRESH_MS = 2000;
let shown = "";
let batches = [];
const batchOf = ({ slug }) => batches.find((batch) => batch.slug === slug);
const titled = (batch) => `${batch.title} · ${batch.slug}`;
const isRunning = (batch) => batch.state === "open" || batch.state === "paused";
const takesManifest = (batch) => batch.state === "open" && !hasBegun(batch) && !batch.rehearsal;
const hasBegun = (batch) => batch.burned + batch.already_counted + batch.not_on_manifest + batch.unreadable + batch.voided > 0;

async function refresh() {
  const found = await call("GET", "/api/batches");
  banner("stale", "", "");
  const text = JSON.stringify(found);
  if (text === shown) return;
  batches = found.batches;
  const { active } = found;
  await redraw(() => {
    byId("batches").replaceChildren(...batches.map((batch) => card(batch, active)));
    if (batches.length === 0) byId("batches").append(make("p", { class: "nothing panel" }, t("There is no batch yet. Make one with “New batch”; ticked as a rehearsal it is only practice.")));
  });
  shown = text;
}

function card(batch, active) {
  const isActive = batch.slug === active;
  const where = [batch.slug, batch.supplements && t("Supplement to batch %(slug)s", { slug: batch.supplements }), batch.place, batch.held_on && calendarDay(batch.held_on)].filter(Boolean).join(" · ");
  const download = (format, name) => make("a", {
    class: "button", href: ofBatch(batch.slug, `/export?format=${format}`), download: "",
  }, name);
  return make("article", { class: "panel batch", "data-slug": batch.slug, "data-state": batch.state, "data-active": isActive },
    make("header", {},
      make("div", {}, make("h2", {}, batch.title), make("p", { class: "where" }, where)),
      make("p", { class: "state" }, isActive ? t("counting now") : STATES[batch.state]())),
    batch.rehearsal ? make("p", { class: "rehearsal" }, make("strong", {}, t("REHEARSAL"))) : null,
    make("p", { class: "figure" }, make("span", { class: "big" }, number(batch.counted)), " ",
      make("span", { class: "caption" }, batch.has_manifest
        ? t("of %(expected)s counted", { expected: batch.expected }) : t("counted, no manifest"))),
    batch.has_manifest ? make("progress", { max: Math.max(batch.expected, 1), value: batch.counted, "aria-label": t("Progress") }) : null,
    make("div", { class: "row" }, ...steps(batch, isActive)),
    make("div", { class: "row exports" }, make("span", {}, t("The log as a file:")),
      download("csv", "CSV"), download("xlsx", "Excel"), download("jsonl", "JSON Lines")),
    !hasBegun(batch) ? null : make("div", { class: "row exports" }, make("span", {}, t("To be checked:")),
      download("bundle", t("Bundle without numbers")),
      make("button", { type: "button", onclick: () => openOpening(batch) }, t("Openings…"))),
    !isRunning(batch) ? null : make("div", { class: "row exports" },
      make("button", { type: "button", class: "danger", onclick: () => ask(cancelling, { slug: batch.slug }) }, t("Cancel…"))));
}

/** What is done with a batch, in the order of a day; what comes next stands out. */
function steps(batch, isActive) {
  const address = `/batches/${encodeURIComponent(batch.slug)}`;
  const page = (name, word) => make("a", { class: "button", href: `${address}/${name}` }, word);
  const button = (work, word) => make("button", { type: "button", onclick: reportTo(null, work) }, word);
  const cards = batch.rehearsal ? make("a", { class: "button", href: `${address}/rehearsal-cards.pdf`, download: "" }, t("Test cards (PDF)")) : null;
  const load = takesManifest(batch) ? button(() => manifest.open(batch), batch.has_manifest ? t("Replace the manifest") : t("Load a manifest")) : null;
  const count = batch.state === "open" && !isActive ? button(() => activate(batch), t("Count into this batch")) : null;
  const [table, closing, minutes] = [page("table", t("Table")), page("closing", t("Closing")), page("minutes", t("Minutes"))];
  const next = isRunning(batch) ? (!batch.has_manifest && load) || count || table : minutes;
  if (batch.state !== "cancelled") next.classList.add("main");
  return [cards, load, count, table, closing, minutes].filter(Boolean);
}

async function activate(batch) {
  await call("POST", ofBatch(batch.slug, "/activate"), {});
  await refresh();
}

// --- a new batch ---------------------------------------------------------------------------

const creating = byId("creating");

const sayNewDay = sayDay(byId("new-day"));

/** Fill in what a new batch begins with. */
function beginCreating({ supplements }) {
  const sealed = batches.filter((batch) => batch.state === "sealed");
  byId("supplementing").hidden = sealed.length === 0;
  byId("new-supplements").replaceChildren(make("option", { value: "" }, t("(none)")),
    ...sealed.map((batch) => make("option", { value: batch.slug }, titled(batch))));
  showScheme();
  byId("new-supplements").value = supplements;
  delete byId("new-slug").dataset.own;
  byId("new-day").value = today();
  sayNewDay();
  return "";
}

byId("new").addEventListener("click", () => ask(creating, { supplements: "" }));

byId("new-title").addEventListener("input", (event) => {
  const slug = byId("new-slug");
  if (slug.dataset.own) return;
  slug.value = event.target.value.toLowerCase().normalize("NFD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 64);
});
byId("new-slug").addEventListener("input", (event) => {
  event.target.dataset.own = event.target.value ? "yes" : "";
});

const showScheme = () => {
  byId("new-schemes").hidden = byId("new-rehearsal").checked;
};
byId("new-rehearsal").addEventListener("change", showScheme);

prepare(creating, async (data, form) => {
  const given = new FormData(form);
  await call("POST", "/api/batches", {
    slug: data.slug,
    title: data.title,
    place: data.place,
    held_on: data.held_on,
    ...(given.has("rehearsal") ? { rehearsal: true } : { schemes: given.getAll("schemes") }),
    declared: figures(data.declared),
    declared_by_district: figures(data.districts),
    declared_total: data.total.trim() ? whole(data.total.trim()) : null,
    supplements: data.supplements ?? "",
  });
  await refresh();
}, beginCreating);

// --- cancelling ----------------------------------------------------------------------------

const cancelling = byId("cancelling");
prepare(cancelling, async (data, form, batch) => {
  await call("POST", ofBatch(batch.slug, "/cancel"), data);
  await refresh();
}, (about) => {
  const batch = batchOf(about);
  return batch && isRunning(batch) ? titled(batch) : null;
});

// --- openings ------------------------------------------------------------------------------

function openOpening(batch) {
  byId("opening-what").textContent = titled(batch);
  byId("opening-get").href = ofBatch(batch.slug, "/export?format=openings");
  byId("opening").showModal();
}

byId("opening-get").addEventListener("click", () => byId("opening").close());

byId("opening").querySelector(".leave").addEventListener("click", () => byId("opening").close());

// -------------------------------------------------------------------------------------------

const manifest = new ManifestDialog(refresh);
keepLooking(refresh, REFRESH_MS, async () => {
  const supplements = new URLSearchParams(location.search).get("supplement");
  if (supplements) {
    history.replaceState(null, "", location.pathname); // a reload asks no second time
    ask(creating, { supplements });
  } else if (!askAgain()) {
    await manifest.openAgain((slug) => batches.find((batch) => batch.slug === slug && takesManifest(batch)));
  }
});
