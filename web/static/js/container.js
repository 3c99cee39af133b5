// What the officer's page says of the table: the open container and its count, a pause, an alarm.

import { banner, byId, call, make, number, ofBatch, t } from "./common.js";

const ASKS_EVERY_MS = 1000;

/** The words for what cards are packed in. */
export const FORMS = { box: () => t("Box"), sack: () => t("Sack"), drum: () => t("Drum") };

/** Return what an open or sealed container is called: Box 3 (Alak). */
export const containerName = (one) => `${FORMS[one.form]()} ${one.number}${one.label ? ` (${one.label})` : ""}`;

/** Keeps the link to the table's page; it asks at most once a second, and only after something changed. */
export class ContainerLine {
  constructor(slug) {
    this.slug = slug;
    this.askedAt = -Infinity;
    this.timer = null;
  }

  /** Take in that the count moved, or that another batch was chosen. */
  heard(tally) {
    byId("table").hidden = !this.slug();
    byId("table").href = `/batches/${encodeURIComponent(this.slug())}/table`;
    banner("paused", "bad", tally.state === "paused" ? t("Counting is paused: no card is taken.") : "",
      make("a", { class: "button", href: byId("table").href }, t("Resume…")));
    this.timer ??= setTimeout(() => this.ask(), Math.max(0, this.askedAt + ASKS_EVERY_MS - performance.now()));
  }

  async ask() {
    this.timer = null;
    this.askedAt = performance.now();
    const slug = this.slug();
    if (!slug) return;
    let found;
    try {
      found = await call("GET", ofBatch(slug, "/custody"), undefined, 3000);
    } catch (error) {
      if (error.status === undefined) throw error; // the next card asks again
      return;
    }
    if (slug !== this.slug()) return;
    const open = found.containers.find((one) => one.state === "open");
    byId("container").textContent = open
      ? `${containerName(open)}: ${t("%(count)s cards", { count: open.count })}`
      : t("No container is open");
    byId("table").dataset.count = open ? number(open.count) : "";
  }

  /** A card that lies under seal came again: this stays until somebody has seen it. */
  alarm(entry) {
    banner("alarm", "bad", t("ALARM: entry %(sequence)s is a card that lies under seal in container %(number)s. Stop, and look into that container.", { sequence: entry.sequence, number: entry.sealed_container }),
      make("button", { type: "button", onclick: () => banner("alarm", "", "") }, t("Seen")));
  }
}
