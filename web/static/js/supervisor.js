// The supervisor's page: batches, their manifests, and their logs as files.

import { banner, byId, calendarDay, call, CallError, figures, make, number, ofBatch, sentence, STATES, t, today, whole } from "./common.js";
import { sayDay, takeDropped } from "./fields.js";
import { keepLooking, redraw } from "./looking.js";

const refusedIn = (dialog) => dialog.querySelector(".refused");

function reportTo(place, work) {
  let isBusy = false; // a second tap on the same button is not a second wish
  return async (event) => {
    event?.preventDefault();
    if (isBusy) return;
    isBusy = true;
    const text = typeof place === "function" ? place() : place;
    if (text) text.textContent = "";
    try {
      await work(event);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (text) text.textContent = sentence(error.message);
      else banner("refused", "bad", sentence(error.message));
    } finally {
      isBusy = false;
    }
  };
}

// --- batches -------------------------------------------------------------------------------

const REFRESH_MS = 2000;
let shown = "";

async function refresh() {
  const { active, batches } = await call("GET", "/api/batches");
  banner("stale", "", "");
  const text = JSON.stringify([active, batches]);
  if (text === shown) return;
  await redraw(() => {
    byId("batches").replaceChildren(...batches.map((batch) => card(batch, active)));
    if (batches.length === 0) byId("batches").append(make("p", { class: "nothing panel" }, t("There is no batch yet.")));
  });
  shown = text;
}

function card(batch, active) {
  const isActive = batch.slug === active;
  const isOpen = batch.state === "open";
  const hasBegun = batch.burned + batch.already_counted + batch.not_on_manifest + batch.unreadable + batch.voided > 0;
  const where = [batch.slug, batch.supplements && t("Supplement to batch %(slug)s", { slug: batch.supplements }), batch.place, batch.held_on && calendarDay(batch.held_on)].filter(Boolean).join(" · ");
  const download = (format, name) => make("a", {
    class: "button", href: ofBatch(batch.slug, `/export?format=${format}`), download: "",
  }, name);
  const cards = `/batches/${encodeURIComponent(batch.slug)}/rehearsal-cards.pdf`;
  return make("article", { class: "panel batch", "data-slug": batch.slug, "data-state": batch.state, "data-active": isActive },
    make("header", {},
      make("div", {}, make("h2", {}, batch.title), make("p", { class: "where" }, where)),
      make("p", { class: "state" }, isActive ? t("counting now") : STATES[batch.state]())),
    batch.rehearsal ? make("p", { class: "rehearsal" }, make("strong", {}, t("REHEARSAL"))) : null,
    make("p", { class: "figure" }, make("span", { class: "big" }, number(batch.counted)), " ",
      make("span", { class: "caption" }, batch.has_manifest
        ? t("of %(expected)s counted", { expected: batch.expected }) : t("counted, no manifest"))),
    batch.has_manifest ? make("progress", { max: Math.max(batch.expected, 1), value: batch.counted, "aria-label": t("Progress") }) : null,
    make("div", { class: "row" },
      batch.rehearsal ? make("a", { class: "button", href: cards, download: "" }, t("Test cards (PDF)")) : null,
      isOpen && !isActive ? make("button", { type: "button", onclick: reportTo(null, () => activate(batch)) }, t("Count into this batch")) : null,
      isOpen && !hasBegun && !batch.rehearsal ? make("button", { type: "button", onclick: () => openManifest(batch) },
        batch.has_manifest ? t("Replace the manifest") : t("Load a manifest")) : null,
      isOpen || batch.state === "paused" ? make("button", { type: "button", class: "danger", onclick: () => openCancel(batch) }, t("Cancel…")) : null),
    make("div", { class: "row exports" }, make("span", {}, t("The log as a file:")),
      download("csv", "CSV"), download("xlsx", "Excel"), download("jsonl", "JSON Lines")),
    !hasBegun ? null : make("div", { class: "row exports" }, make("span", {}, t("To be checked:")),
      download("bundle", t("Bundle without numbers")),
      make("button", { type: "button", onclick: () => openOpening(batch) }, t("Openings…"))),
    make("div", { class: "row exports" }, make("span", {}, t("The official paper:")),
      make("a", { class: "button", href: `/batches/${encodeURIComponent(batch.slug)}/table` }, t("Table")),
      make("a", { class: "button", href: `/batches/${encodeURIComponent(batch.slug)}/closing` }, t("Closing")),
      make("a", { class: "button", href: `/batches/${encodeURIComponent(batch.slug)}/minutes` }, t("Minutes"))));
}

async function activate(batch) {
  await call("POST", ofBatch(batch.slug, "/activate"), {});
  await refresh();
}

// --- a new batch ---------------------------------------------------------------------------

const creating = byId("creating");

const sayNewDay = sayDay(byId("new-day"));

async function openCreating(supplements = "") {
  const sealed = (await call("GET", "/api/batches")).batches.filter((batch) => batch.state === "sealed");
  byId("supplementing").hidden = sealed.length === 0;
  byId("new-supplements").replaceChildren(make("option", { value: "" }, t("(none)")),
    ...sealed.map((batch) => make("option", { value: batch.slug }, `${batch.title} · ${batch.slug}`)));
  creating.querySelector("form").reset();
  showScheme();
  byId("new-supplements").value = supplements;
  refusedIn(creating).textContent = "";
  delete byId("new-slug").dataset.own;
  byId("new-day").value = today();
  sayNewDay();
  creating.showModal();
}

byId("new").addEventListener("click", reportTo(null, () => openCreating()));

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

creating.querySelector("form").addEventListener("submit", reportTo(refusedIn(creating), async (event) => {
  const form = new FormData(event.target);
  await call("POST", "/api/batches", {
    slug: form.get("slug"),
    title: form.get("title"),
    place: form.get("place"),
    held_on: form.get("held_on"),
    ...(form.has("rehearsal") ? { rehearsal: true } : { schemes: form.getAll("schemes") }),
    declared: figures(form.get("declared")),
    declared_by_district: figures(form.get("districts")),
    declared_total: form.get("total").trim() ? whole(form.get("total").trim()) : null,
    supplements: form.get("supplements") ?? "",
  });
  creating.close();
  await refresh();
}));

// --- cancelling ----------------------------------------------------------------------------

const cancelling = byId("cancelling");
let cancelled = null;

function openCancel(batch) {
  cancelled = batch;
  cancelling.querySelector("form").reset();
  refusedIn(cancelling).textContent = "";
  byId("cancelling-what").textContent = `${batch.title} · ${batch.slug}`;
  cancelling.showModal();
}

cancelling.querySelector("form").addEventListener("submit", reportTo(refusedIn(cancelling), async (event) => {
  const form = new FormData(event.target);
  await call("POST", ofBatch(cancelled.slug, "/cancel"), Object.fromEntries(form));
  cancelling.close();
  await refresh();
}));

// --- openings ------------------------------------------------------------------------------

function openOpening(batch) {
  byId("opening-what").textContent = `${batch.title} · ${batch.slug}`;
  byId("opening-get").href = ofBatch(batch.slug, "/export?format=openings");
  byId("opening").showModal();
}

byId("opening-get").addEventListener("click", () => byId("opening").close());

// --- a manifest ----------------------------------------------------------------------------

const manifest = byId("manifest");
let loading = null; // the batch
let job = null;
let asking = 0;

const DOING = {
  checking: () => t("Checking…"),
  writing: () => t("Loading…"),
  refused: () => t("Refused: nothing was written."),
  checked: () => t("Checked: no problem found."),
  written: () => t("Loaded."),
  cancelled: () => t("Stopped: nothing was written."),
  failed: () => t("Refused: nothing was written."),
};
const isAtWork = () => job !== null && (job.state === "checking" || job.state === "writing");

function openManifest(batch) {
  loading = batch;
  job = null;
  byId("manifest-batch").textContent = `${batch.title} · ${batch.slug}`;
  byId("manifest-file").value = "";
  refusedIn(manifest).textContent = "";
  showJob();
  manifest.showModal();
}

function showJob() {
  const state = job?.state;
  byId("manifest-send").hidden = job !== null;
  byId("manifest-work").hidden = job === null;
  byId("manifest-report").hidden = !job?.report || state === "checking";
  byId("manifest-again").hidden = job === null || isAtWork() || state === "written";
  const save = byId("manifest-save");
  save.hidden = state !== "refused";
  if (!save.hidden) {
    save.href = `/batches/${encodeURIComponent(loading.slug)}/manifest-problems.csv`;
    save.textContent = t("Save all problems (%(count)s)", { count: job.report.problem_count });
  }
  byId("manifest-import").hidden = state !== "checked";
  byId("manifest-stop").textContent = isAtWork() ? t("Stop") : t("Close");
  manifest.dataset.state = state ?? "none";
  if (job === null) return;
  const share = job.total ? job.done / job.total : 0;
  byId("manifest-doing").textContent = `${job.file_name}: ${DOING[state]()}`;
  const progress = byId("manifest-progress");
  progress.hidden = !isAtWork();
  if (isAtWork() && !job.total) progress.removeAttribute("value");
  else progress.value = share;
  if (state === "failed" && job.error) refusedIn(manifest).textContent = job.error;
  if (job.report) byId("manifest-report").replaceChildren(...reportOf(job.report));
}

function reportOf(report) {
  const totals = report.totals.map((one) => make("tr", {},
    make("th", { scope: "row" }, one.category || t("(none)")), make("td", {}, one.district || "–"),
    make("td", { class: "count" }, number(one.pieces))));
  const shown = [make("p", { class: "figure" }, make("span", { class: "big" }, number(report.pieces)), " ",
    make("span", { class: "caption" }, t("cards on %(lines)s lines", { lines: report.lines })))];
  if (report.problem_count) {
    shown.push(make("h3", {}, t("Problems: %(count)s", { count: report.problem_count })), problemTable(report));
    if (report.problem_count > report.problems.length) {
      shown.push(make("p", {}, t("The first %(count)s are shown.", { count: report.problems.length })));
    }
  }
  for (const warning of report.warnings) shown.push(make("p", { class: "warning" }, sentence(warning)));
  if (!report.problem_count && totals.length) {
    shown.push(make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("Totals") }, make("table", { class: "groups" },
      make("thead", {}, make("tr", {}, ...[t("Category"), t("District"), t("Cards")].map((word, place) => make("th", { scope: "col", class: place === 2 ? "count" : null }, word)))),
      make("tbody", {}, ...totals))));
  }
  return shown;
}

const placeOf = (problem) => problem.cell || (problem.line ? number(problem.line) : t("whole file"));

function problemTable(report) {
  const words = [t("Line or cell"), t("Column"), t("Value"), t("What is wrong"), t("What to do")];
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("Problems") },
    make("table", { class: "problems" },
      make("thead", {}, make("tr", {}, ...words.map((word) => make("th", { scope: "col" }, word)))),
      make("tbody", {}, ...report.problems.map((problem) => make("tr", {},
        make("td", { "data-word": words[0] }, placeOf(problem)),
        make("td", { "data-word": words[1] }, problem.column || "–"),
        make("td", { "data-word": words[2], class: "masked" }, problem.value || "–"),
        make("td", { "data-word": words[3] }, sentence(problem.reason)),
        make("td", { "data-word": words[4] }, sentence(problem.remedy)))))));
}

async function watch() {
  const round = (asking += 1);
  for (;;) {
    const found = await call("GET", ofBatch(loading.slug, "/manifest"));
    if (round !== asking) return;
    job = found;
    showJob();
    if (!isAtWork()) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

const send = (file) => reportTo(refusedIn(manifest), async () => {
  const form = new FormData();
  form.append("file", file, file.name);
  job = { state: "checking", file_name: file.name, done: 0, total: 0, report: null };
  showJob();
  try {
    await call("POST", ofBatch(loading.slug, "/manifest"), form, 0);
  } catch (error) {
    job = null;
    showJob();
    throw error;
  }
  await watch();
})();

byId("manifest-file").addEventListener("change", (event) => event.target.files.length && send(event.target.files[0]));
takeDropped(manifest.querySelector(".drop"), ([first]) => first && send(first));

byId("manifest-import").addEventListener("click", reportTo(refusedIn(manifest), async () => {
  await call("POST", ofBatch(loading.slug, "/manifest/import"), {});
  await watch();
  await refresh();
}));

byId("manifest-again").addEventListener("click", () => {
  refusedIn(manifest).textContent = "";
  byId("manifest-file").value = "";
  job = null;
  showJob();
});

async function closeManifest() {
  if (isAtWork()) {
    await call("POST", ofBatch(loading.slug, "/manifest/cancel"), {});
    await watch();
    return;
  }
  asking += 1;
  if (job?.state === "checked" || job?.state === "refused") await call("POST", ofBatch(loading.slug, "/manifest/cancel"), {});
  manifest.close();
}

byId("manifest-stop").addEventListener("click", reportTo(refusedIn(manifest), closeManifest));
manifest.addEventListener("cancel", (event) => {
  event.preventDefault();
  reportTo(refusedIn(manifest), closeManifest)();
});

// -------------------------------------------------------------------------------------------

for (const dialog of [creating, cancelling, byId("opening")]) {
  dialog.querySelector(".leave").addEventListener("click", () => dialog.close());
}

keepLooking(refresh, REFRESH_MS);
const supplemented = new URLSearchParams(location.search).get("supplement");
if (supplemented) {
  history.replaceState(null, "", location.pathname); // a reload asks no second time
  reportTo(null, () => openCreating(supplemented))();
}
