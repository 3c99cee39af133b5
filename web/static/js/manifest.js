// The dialog in which a list of cards is checked as a whole, then loaded. It outlasts a reload.

import { byId, call, CallError, make, number, ofBatch, sentence, t } from "./common.js";
import { forget, keep, kept } from "./drafts.js";
import { takeDropped } from "./fields.js";
import { reportTo } from "./forms.js";

const ASKS_EVERY_MS = 250;
const OPEN_FOR = "manifest"; // the slug of the batch whose dialog is open

const DOING = {
  checking: () => t("Checking…"),
  writing: () => t("Loading…"),
  refused: () => t("Refused: nothing was written."),
  checked: () => t("Checked: no problem found."),
  written: () => t("Loaded."),
  cancelled: () => t("Stopped: nothing was written."),
  failed: () => t("Refused: nothing was written."),
};

export class ManifestDialog {
  /** `loaded()`: a list was loaded. */
  constructor(loaded) {
    this.dialog = byId("manifest");
    this.refused = this.dialog.querySelector(".refused");
    this.batch = null;
    this.job = null;
    this.round = 0;
    const tried = (work) => reportTo(this.refused, work);
    byId("manifest-file").addEventListener("change", (event) => event.target.files.length && tried(() => this.send(event.target.files[0]))());
    takeDropped(this.dialog.querySelector(".drop"), ([first]) => first && tried(() => this.send(first))());
    byId("manifest-import").addEventListener("click", tried(async () => {
      await call("POST", this.address("/import"), {});
      await this.watch();
      await loaded();
    }));
    byId("manifest-again").addEventListener("click", () => this.begin(null));
    const close = tried(() => this.close());
    byId("manifest-stop").addEventListener("click", close);
    this.dialog.addEventListener("cancel", close);
  }

  address(rest = "") {
    return ofBatch(this.batch.slug, `/manifest${rest}`);
  }

  get isAtWork() {
    return this.job !== null && (this.job.state === "checking" || this.job.state === "writing");
  }

  open(batch) {
    this.batch = batch;
    byId("manifest-batch").textContent = `${batch.title} · ${batch.slug}`;
    this.begin(null);
    keep(OPEN_FOR, batch.slug);
    this.dialog.showModal();
  }

  /** Go on where a reload interrupted; `find(slug)`: the batch, if it still takes a list. */
  async openAgain(find) {
    const batch = find(kept(OPEN_FOR));
    forget(OPEN_FOR);
    if (!batch) return;
    this.open(batch);
    try {
      await this.watch();
    } catch (error) {
      if (!(error instanceof CallError)) throw error; // no file has come in: the dialog asks for one
    }
    if (["written", "cancelled"].includes(this.job?.state)) this.begin(null); // of an earlier file
  }

  begin(job) {
    this.job = job;
    this.refused.textContent = "";
    byId("manifest-file").value = "";
    this.show();
  }

  async send(file) {
    const form = new FormData();
    form.append("file", file, file.name);
    this.job = { state: "checking", file_name: file.name, done: 0, total: 0, report: null };
    this.show();
    try {
      await call("POST", this.address(), form, 0);
    } catch (error) {
      this.job = null;
      this.show();
      throw error;
    }
    await this.watch();
  }

  async watch() {
    const round = (this.round += 1);
    for (;;) {
      const found = await call("GET", this.address());
      if (round !== this.round) return;
      this.job = found;
      this.show();
      if (!this.isAtWork) return;
      await new Promise((resolve) => setTimeout(resolve, ASKS_EVERY_MS));
    }
  }

  async close() {
    const state = this.job?.state;
    if (this.isAtWork) {
      await call("POST", this.address("/cancel"), {});
      await this.watch();
      return;
    }
    this.round += 1;
    if (state === "checked" || state === "refused") await call("POST", this.address("/cancel"), {});
    forget(OPEN_FOR);
    this.dialog.close();
  }

  show() {
    const { job } = this;
    const state = job?.state;
    byId("manifest-send").hidden = job !== null;
    byId("manifest-work").hidden = job === null;
    byId("manifest-report").hidden = !job?.report || state === "checking";
    byId("manifest-again").hidden = job === null || this.isAtWork || state === "written";
    byId("manifest-again").classList.toggle("main", state === "refused" || state === "failed");
    const save = byId("manifest-save");
    save.hidden = state !== "refused";
    if (!save.hidden) {
      save.href = `/batches/${encodeURIComponent(this.batch.slug)}/manifest-problems.csv`;
      save.textContent = t("Save all problems (%(count)s)", { count: job.report.problem_count });
    }
    byId("manifest-import").hidden = state !== "checked";
    byId("manifest-stop").textContent = this.isAtWork ? t("Stop") : t("Close");
    byId("manifest-stop").classList.toggle("main", state === "written");
    this.dialog.dataset.state = state ?? "none";
    if (job === null) return;
    byId("manifest-doing").textContent = `${job.file_name}: ${DOING[state]()}`;
    const progress = byId("manifest-progress");
    progress.hidden = !this.isAtWork;
    if (this.isAtWork && !job.total) progress.removeAttribute("value");
    else progress.value = job.total ? job.done / job.total : 0;
    if (state === "failed" && job.error) this.refused.textContent = job.error;
    if (job.report) byId("manifest-report").replaceChildren(...reportOf(job.report));
  }
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
