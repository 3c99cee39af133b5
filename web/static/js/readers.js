// The readers on top of the officer's page: which of them are ready, what a lost one needs, why a card is not read.

import { banner, byId, make, sentence, t } from "./common.js";

const STATES = {
  ready: () => t("ready"), lost: () => t("lost"), opening: () => t("opening"), closed: () => t("closed"),
};
const HINT_MS = 8000;
const NEW_MS = 5000; // a hint that is older when the page opens is of another card

// Most sentences name their reader already.
const named = (reader, text) => (text.includes(reader) ? sentence(text) : `${reader}: ${sentence(text)}`);

export class Readers {
  /** `offered()`: with a hint there is a card to ask about. */
  constructor({ offered }) {
    this.offered = offered;
    this.hints = {}; // reader: when its newest hint was given
  }

  show(readers) {
    byId("readers").replaceChildren(...readers.map((one) => make("li", { "data-state": one.state },
      make("span", { class: "dot", "aria-hidden": "true" }), one.reader,
      make("span", { class: one.state === "ready" ? "unseen" : "" }, `: ${(STATES[one.state] ?? STATES.opening)()}`))));
    for (const one of readers) {
      banner(`reader-${one.reader}`, "bad", one.state === "lost" ? named(one.reader, t(one.message, one.values)) : "");
      this.hear(one);
    }
    document.body.classList.toggle("has-lost-reader", readers.some((one) => one.state === "lost"));
  }

  hear({ reader, hint }) {
    if (hint && this.hints[reader] !== hint.at) {
      const isFirst = !(reader in this.hints);
      this.hints[reader] = hint.at;
      if (!isFirst || Date.now() - new Date(hint.at) < NEW_MS) {
        showHint(reader, t(hint.message, hint.values));
        if (hint.offers) this.offered();
      }
    }
    this.hints[reader] ??= "";
  }
}

// Why a card is not read, and what else can be done with it, stand beside each other.
function showHint(reader, text) {
  const name = `hint-${reader}-${text.length}`;
  banner(name, "hint", named(reader, text));
  setTimeout(() => banner(name, "", ""), HINT_MS);
}
