// How fast the count goes, how long it will take, and what the district at hand still lacks.

import { byId, number, t } from "./common.js";

const WINDOW_MS = 180_000;
const LEAST_MS = 5000; // a shorter stretch says nothing about the pace
const FEW_CARDS = 30; // then every district that lacks some is named
const KEC = /^kec(amatan|\.)?\s+/i;

export class Pace {
  constructor() {
    this.counted = new Map(); // sequence: ms since the epoch, by the station's clock
    this.district = "";
    this.tally = null;
  }

  clear() {
    this.counted.clear();
    this.district = "";
    this.tally = null;
    byId("pace").textContent = "";
  }

  heard(entry) {
    if (entry.verdict !== "counted") return;
    this.counted.set(entry.sequence, new Date(entry.at).getTime());
    this.district = entry.district ?? "";
  }

  /** Return cards a minute over the last three minutes, 0 when nobody can say. */
  perMinute(now_ms) {
    for (const [sequence, at] of this.counted) if (now_ms - at > WINDOW_MS) this.counted.delete(sequence);
    const first = Math.min(...this.counted.values());
    const took_ms = now_ms - first;
    if (this.counted.size < 3 || took_ms < LEAST_MS) return 0;
    return ((this.counted.size - 1) * 60_000) / took_ms;
  }

  /** Return the districts that still lack cards: all near the end, else the one at hand. */
  lacking() {
    const left = Object.entries(this.tally.by_district ?? {}).filter(([name, one]) => name && one.remaining > 0);
    const few = this.tally.remaining <= FEW_CARDS ? left : left.filter(([name]) => name === this.district);
    return few.map(([name, one]) =>
      t("%(count)s short of district %(district)s", { count: one.remaining, district: name.replace(KEC, "") }));
  }

  show(now_ms) {
    if (!this.tally) return;
    const pace = this.perMinute(now_ms);
    const parts = [];
    if (pace >= 1) parts.push(t("%(count)s a minute", { count: Math.round(pace) }));
    if (this.tally.has_manifest) {
      if (pace >= 1 && this.tally.remaining > 0) parts.push(timeLeft(this.tally.remaining / pace));
      parts.push(...this.lacking());
    }
    const text = parts.join(", ");
    if (byId("pace").textContent !== text) byId("pace").textContent = text;
  }
}

function timeLeft(minutes) {
  const whole = Math.max(1, Math.ceil(minutes));
  if (whole < 120) return t("%(count)s minutes left", { count: whole });
  return t("%(hours)s h %(minutes)s min left", { hours: number(Math.floor(whole / 60)), minutes: whole % 60 });
}
