// A card that does not belong to the count lies between two good scans: this finds it in the pile.

import { byId, call, make, ofBatch, t, WORDS } from "./common.js";

const SET_ASIDE = ["not_on_manifest", "unreadable"];

/** Whether the card of an entry has to come out of the pile. */
export const isSetAside = (entry) => SET_ASIDE.includes(entry.verdict);

export class Pile {
  /** `slug()`: the batch; `takenOut(sequence)`: the officer has the card of this entry in the hand. */
  constructor({ slug, takenOut }) {
    this.slug = slug;
    this.takenOut = takenOut;
    this.shown = null; // the entry whose place is shown
    this.waitsForNext = false;
  }

  /** Forget the batch before. */
  clear() {
    this.shown = null;
    this.waitsForNext = false;
    byId("pile").hidden = true;
    byId("pile").replaceChildren();
  }

  done(button) {
    const isByKey = button.matches(":focus-visible"); // under a finger no keyboard has to come up
    const sequence = this.shown;
    this.clear();
    if (isByKey) byId("number").focus();
    this.takenOut(sequence);
  }

  /** Take in a new entry: a stranger is searched for at once, and again after the next good scan. */
  heard(entry) {
    // An unreadable card is still in the hand: it is scanned again or typed.
    if (entry.verdict === "not_on_manifest") this.find(entry.sequence);
    else if (entry.verdict === "counted" && this.waitsForNext) this.find(this.shown);
  }

  /** Say between which two good scans the card of an entry lies. */
  async find(sequence) {
    this.shown = sequence;
    let found;
    try {
      found = await call("GET", ofBatch(this.slug(), `/entries/${sequence}`));
    } catch (error) {
      if (error.status === undefined) throw error; // the list still says which entry it is
      return;
    }
    if (this.shown !== sequence) return;
    this.waitsForNext = !found.after;
    const text = [
      t("Take out: %(what)s", { what: [WORDS[found.verdict](), found.identifier].filter(Boolean).join(" ") }),
      found.before ? t("after %(card)s", { card: cardOf(found.before) }) : t("at the very beginning"),
      found.after ? t("before %(card)s", { card: cardOf(found.after) }) : t("it is on top"),
    ].join(" · ");
    byId("pile").hidden = false;
    byId("pile").replaceChildren(make("p", {}, text),
      make("button", { type: "button", onclick: (event) => this.done(event.target) }, t("Taken out")));
  }
}

const cardOf = (entry) => [entry.identifier, entry.name].filter(Boolean).join(" ");
