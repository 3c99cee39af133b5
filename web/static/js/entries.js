// The list of the last entries, as officer and witness see it.

import { kindOf, make, number, shape, shortTime, t, WORDS } from "./common.js";

/** Keeps the newest entries of one batch and draws the last ten of them. */
export class Entries {
  /** `onTakeBack(entry)`: a button on each counted entry; `onFind(entry)`: on what is set aside. */
  constructor(list, { onTakeBack = null, onFind = null, isSetAside = () => false } = {}) {
    this.list = list;
    this.onTakeBack = onTakeBack;
    this.onFind = onFind;
    this.isSetAside = isSetAside;
    this.known = new Map();
  }

  clear() {
    this.known.clear();
    this.draw();
  }

  /** Add an entry; false if it is known already. */
  add(entry) {
    const isNew = !this.known.has(entry.sequence);
    this.known.set(entry.sequence, { ...this.known.get(entry.sequence), ...entry });
    if (this.known.size > 400) {
      for (const old of [...this.known.keys()].sort((a, b) => a - b).slice(0, 200)) this.known.delete(old);
    }
    return isNew;
  }

  get newest() {
    return [...this.known.values()].filter(kindOf).sort((a, b) => b.sequence - a.sequence);
  }

  isTakenBack(entry) {
    return [...this.known.values()].some((one) => one.kind === "void" && one.target === entry.sequence);
  }

  /** The newest entry that is counted now, or undefined. */
  get lastCounted() {
    return this.newest.find((entry) => entry.verdict === "counted" && !this.isTakenBack(entry));
  }

  draw() {
    const rows = this.newest.slice(0, 10).map((entry) => this.row(entry));
    if (rows.length === 0) rows.push(make("li", { class: "nothing" }, t("Nothing yet.")));
    this.list.replaceChildren(...rows);
  }

  row(entry) {
    const kind = kindOf(entry);
    const isBack = kind === "counted" && this.isTakenBack(entry);
    const card = kind === "void" ? t("entry %(sequence)s", { sequence: entry.target }) : entry.masked || "–";
    let button = null;
    if (this.onTakeBack && kind === "counted" && !isBack) {
      button = make("button", { type: "button", class: "quiet", onclick: () => this.onTakeBack(entry) }, t("Take back"));
    } else if (this.onFind && this.isSetAside(entry)) {
      button = make("button", { type: "button", class: "quiet", onclick: () => this.onFind(entry) }, t("Find"));
    }
    return make("li", { class: "entry", "data-kind": kind, "data-back": isBack, "data-sequence": entry.sequence },
      shape(kind),
      make("span", { class: "what" },
        make("strong", {}, WORDS[kind]()),
        make("span", { class: "masked" }, card)),
      make("span", { class: "when" }, `${number(entry.sequence)} · ${shortTime(entry.at)}`),
      button);
  }
}
