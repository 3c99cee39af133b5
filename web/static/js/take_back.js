// Taking a card back, the last one or one of the list: with a reason, as a new entry.

import { byId, call, clockTime, ofBatch, t } from "./common.js";
import { ask, prepare } from "./forms.js";

export class TakingBack {
  /** `slug()`: the batch; `entries`: what the page knows of it; `taken(entry)`: a card was taken back. */
  constructor({ slug, entries, taken }) {
    this.slug = slug;
    this.entries = entries;
    prepare(byId("undoing"), async ({ reason }, form, { sequence }) => {
      const button = byId("undo-do");
      button.disabled = true;
      try {
        taken(await call("POST", ofBatch(slug(), "/void"), { sequence, reason }));
        this.findLast();
      } finally {
        button.disabled = false;
      }
    }, (about) => this.named(about));
    byId("undo").addEventListener("click", () => this.askLast());
    addEventListener("keydown", (event) => {
      if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || document.querySelector("dialog[open]")) return;
      if (event.target instanceof HTMLInputElement && event.target.value) return; // its own undo
      event.preventDefault();
      this.askLast();
    });
  }

  ask(entry) {
    ask(byId("undoing"), { slug: this.slug(), sequence: entry.sequence });
  }

  askLast() {
    if (this.entries.lastCounted) this.ask(this.entries.lastCounted);
  }

  named({ slug, sequence }) {
    const entry = this.entries.known.get(sequence);
    if (slug !== this.slug() || !entry || this.entries.isTakenBack(entry)) return null;
    return [t("entry %(sequence)s", { sequence }), entry.identifier || entry.masked, clockTime(entry.at)].join(" · ");
  }

  refresh() {
    byId("undo").disabled = !this.entries.lastCounted;
  }

  /** The last card that counts may be further back than what this page has seen. */
  async findLast() {
    if (this.entries.lastCounted) return;
    try {
      const { last_counted: last } = await call("GET", ofBatch(this.slug(), "/live"));
      if (last) this.entries.add(last);
      this.refresh();
    } catch (error) {
      if (error.status === undefined) throw error; // the next picture of the batch brings it
    }
  }
}
