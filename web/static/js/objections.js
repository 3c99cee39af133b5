// What witnesses say, and what the office answers. What is typed is kept until it stands in the log,
// whatever happens to the page meanwhile.

import { byId, call, CallError, make, moment, ofBatch, sentence, t } from "./common.js";
import { withoutNumbers } from "./drafts.js";

/** Whether an entry is one of a witness's sentences, or the answer to one. */
export const isSaid = (entry) => ["object", "answer", "refuse"].includes(entry.kind) || (entry.kind === "note" && Boolean(entry.witness));

const PLACES = { object: "/objections", refuse: "/refusals", note: "/notes" };
const WORDS = { object: () => t("Objection"), refuse: () => t("Will not sign"), note: () => t("Note") };
const holder = () => byId("who")?.textContent ?? "";

export class Objections {
  constructor() {
    this.slug = "";
    this.round = 0;
    this.said = [];
    this.dialog = byId("objecting");
    this.form = this.dialog.querySelector("form");
    this.refused = this.dialog.querySelector(".refused");
    this.isSending = false;
    this.mayStand = null; // what was sent without an answer: it may stand in the log already
    byId("object").addEventListener("click", () => this.open());
    this.dialog.querySelector(".leave").addEventListener("click", () => this.dialog.close());
    this.form.addEventListener("input", () => this.keep());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
  }

  async follow(slug) {
    this.slug = slug;
    this.mayStand = null;
    this.said = [];
    this.show();
    await this.look();
  }

  async look() {
    const round = (this.round += 1);
    if (!this.slug) return;
    try {
      const said = await this.ask();
      if (round !== this.round) return;
      this.said = said;
      this.show();
    } catch (error) {
      if (error.status === undefined) throw error; // the page says itself that it is stale
    }
  }

  /** Return all that witnesses said, the newest first. */
  async ask() {
    const known = await call("GET", ofBatch(this.slug, "/custody"));
    return [
      ...known.objections.map((one) => ({ ...one, kind: "object" })),
      ...known.refusals.map((one) => ({ ...one, kind: "refuse", text: one.objection })),
      ...known.notes.map((one) => ({ ...one, kind: "note" })),
    ].sort((a, b) => b.sequence - a.sequence);
  }

  show() {
    byId("objections").replaceChildren(...this.said.map((one) => make("li", { "data-kind": one.kind, "data-answered": Boolean(one.answer) },
      make("p", { class: "when" }, [WORDS[one.kind](), t("entry %(sequence)s", { sequence: one.sequence }), moment(one.at)].join(" · ")),
      make("p", {}, make("strong", {}, [one.witness, one.institution].filter(Boolean).join(", ")), `: ${one.text}`),
      one.kind !== "object" ? null : make("p", { class: "answer" }, one.answer
        ? t("Answer of %(name)s: %(answer)s", { name: one.answered_by, answer: one.answer })
        : t("Not answered yet; the batch cannot be sealed before.")))));
    if (!this.said.length) byId("objections").append(make("li", { class: "nothing" }, t("Nobody has said anything.")));
    byId("object").textContent = this.draft ? t("Go on writing…") : t("Object or note…");
  }

  // --- what was begun ----------------------------------------------------------------------

  get draftName() {
    return `objection ${this.slug} ${holder()}`; // another witness on this tablet does not see it
  }

  get draft() {
    try {
      return JSON.parse(localStorage.getItem(this.draftName) ?? "null");
    } catch {
      return null;
    }
  }

  keep() {
    const data = Object.fromEntries(new FormData(this.form));
    try {
      if (data.objection?.trim()) localStorage.setItem(this.draftName, withoutNumbers(data));
      else localStorage.removeItem(this.draftName);
    } catch { /* a full or forbidden store: what is typed stays in the field */ }
  }

  open() {
    this.form.reset();
    this.refused.textContent = "";
    for (const [name, value] of Object.entries(this.draft ?? {})) {
      const field = this.form.elements[name];
      if (field) field.value = value;
    }
    this.dialog.showModal();
  }

  // --- sending -----------------------------------------------------------------------------

  async send() {
    if (this.isSending) return;
    const { kind, ...data } = Object.fromEntries(new FormData(this.form));
    this.isSending = true;
    this.form.querySelector("[type=submit]").disabled = true;
    this.refused.textContent = "";
    try {
      if (!(await this.stands(kind, data))) {
        this.mayStand = { newest: this.said[0]?.sequence ?? -1 };
        await call("POST", ofBatch(this.slug, PLACES[kind]), kind === "note" ? { ...data, note: data.objection } : data);
      }
      this.mayStand = null;
      byId("said").textContent = kind === "note" ? t("Your note stands in the log.") : "";
      localStorage.removeItem(this.draftName);
      this.dialog.close();
      await this.look();
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (!error.mayPass) this.mayStand = null;
      this.refused.textContent = sentence(error.message);
    } finally {
      this.isSending = false;
      this.form.querySelector("[type=submit]").disabled = false;
    }
  }

  /** Whether what is sent again after silence stands in the log already. */
  async stands(kind, data) {
    if (!this.mayStand) return false;
    const plain = (text) => text.split(/\s+/).filter(Boolean).join(" ");
    this.said = await this.ask();
    return this.said.some((one) => one.kind === kind && one.sequence > this.mayStand.newest
      && one.text === plain(data.objection));
  }
}

