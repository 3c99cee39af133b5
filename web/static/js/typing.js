// Typing a number: what the manifest says of it is shown before Enter counts it.

import { byId, call, make, ofBatch, REASONS, t, typedNumber } from "./common.js";
import { isWitnessKey } from "./witness_key.js";

const LEAST_DIGITS = 4; // fewer are only the beginning
const PAUSE_MS = 120; // between keys, before the station is asked

export class Typing {
  /** `slug()`: the batch; `count(text)`: count it, typed. */
  constructor({ slug, count }) {
    this.slug = slug;
    this.count = count;
    this.field = byId("number");
    this.said = byId("said-of-number");
    this.text = ""; // what `said` is about
    this.asking = null;
    this.field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.text = "";
      this.said.replaceChildren();
      this.timer = setTimeout(() => this.look(), PAUSE_MS);
    });
    byId("typing").addEventListener("submit", (event) => {
      event.preventDefault();
      this.enter();
    });
  }

  get typed() {
    return typedNumber(this.field.value);
  }

  /** Show what is known of the number in the field, unless it is only begun. */
  async look(least = LEAST_DIGITS) {
    clearTimeout(this.timer);
    const text = this.typed;
    if (!this.slug() || text.length < least) return null;
    let found;
    try {
      found = await call("POST", ofBatch(this.slug(), "/lookups"), { payload: text }, 3000);
    } catch (error) {
      if (error.status === undefined) throw error;
      return null; // the count itself will say what is wrong
    }
    if (text !== this.typed) return null;
    this.text = text;
    this.show(found);
    return found;
  }

  /** Count what would count; say anything else first, and take it down only at the next Enter. */
  async enter() {
    const text = this.typed;
    if (!text || this.asking === text) return;
    if (isWitnessKey(text)) {
      this.field.value = "";
      this.said.replaceChildren();
      this.count(text);
      return;
    }
    if (this.text !== text) {
      this.asking = text;
      const found = await this.look(1);
      this.asking = null;
      if (text !== this.typed) return;
      if (found && !["counted", "already_counted"].includes(found.verdict)) return;
    }
    this.field.value = "";
    this.text = "";
    this.said.replaceChildren();
    this.count(text);
  }

  show(found) {
    this.said.dataset.verdict = found.verdict;
    const name = [found.name, found.category, found.district].filter(Boolean).join(" · ");
    const again = t("Press Enter again to write it down all the same.");
    switch (found.verdict) {
      case "counted":
        return this.said.replaceChildren(make("strong", {}, name || t("It will be counted")), " ",
          t("Enter counts it, as typed."));
      case "already_counted":
        return this.said.replaceChildren(make("strong", {}, t("Already counted")), ` ${name}`);
      case "not_on_manifest":
        return this.said.replaceChildren(make("strong", {}, t("Not on the manifest")), " ", again,
          ...(found.near ? [this.nearby(found.near)] : []));
      default:
        return this.said.replaceChildren(make("strong", {}, (REASONS[found.reason] ?? REASONS.wrong_pattern)()), " ", again);
    }
  }

  /** Offer the one card of the manifest that is a digit away; it is put in the field, not counted. */
  nearby(near) {
    const name = [near.identifier, near.name, near.district].filter(Boolean).join(" · ");
    return make("button", { type: "button", class: "wide near", onclick: () => {
      this.field.value = near.identifier;
      this.field.focus();
      this.look();
    } }, `${t("One digit away:")} ${name}`);
  }
}
