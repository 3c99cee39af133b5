// Follows one batch: a stream while there is a place for it, asking once a second otherwise.
// It keeps its own clock: what is older than three seconds is called stale, never shown as live.

import { call, ofBatch } from "./common.js";

const STALE_MS = 3000;
const ASK_MS = 1000;
const STREAM_AGAIN_MS = 10_000;

export class Live {
  /**
   * `on`: picture(picture), entry(entry), tally(tally), readers(readers), fault(fault),
   * active(slug), alive(isAlive, at): `at` is the station's time of the last sign of life.
   */
  constructor(on, { closesWhenHidden = false } = {}) {
    this.on = on;
    this.slug = null;
    this.last = -1;
    this.heardAt = performance.now();
    this.stationTime = null;
    this.isAlive = null;
    this.wasLost = false;
    this.round = 0; // each `follow` begins a new one; what belongs to an old one is ignored
    this.streamAgainAt = 0;
    setInterval(() => this.judge(), 200);
    document.addEventListener("visibilitychange", () => {
      if (!closesWhenHidden) return;
      if (document.hidden) this.stop();
      else this.resume();
    });
    addEventListener("pagehide", () => this.stop());
    addEventListener("pageshow", (event) => event.persisted && this.resume());
  }

  /** Follow a batch from now on; '' for none: then only the station's state is asked for. */
  follow(slug) {
    this.stop();
    this.slug = slug;
    this.last = null;
    this.resume();
  }

  stop() {
    this.round += 1;
    this.source?.close();
    this.source = null;
    clearTimeout(this.timer);
  }

  resume() {
    if (this.slug === null) return;
    this.stop();
    this.streamAgainAt = 0;
    this.ask(this.round);
  }

  /** Ask for everything new, then open the stream, or ask again. */
  async ask(round) {
    try {
      if (this.slug === "") {
        const station = await call("GET", "/api/station", undefined, 2500);
        if (round !== this.round) return;
        this.heard(Date.now());
        this.takeStatus(station);
      } else {
        await this.catchUp(round);
      }
    } catch (error) {
      if (round !== this.round) return;
      if (error.status === undefined) throw error;
      this.lose();
      if (error.status === 404) this.on.gone?.();
    }
    if (round !== this.round) return;
    if (this.isAlive && this.slug !== "" && performance.now() >= this.streamAgainAt) this.open(round);
    else this.timer = setTimeout(() => this.ask(round), ASK_MS);
  }

  async catchUp(round) {
    const ask = (since) => call("GET", ofBatch(this.slug, `/live${since}`), undefined, 2500);
    let isWhole = this.last === null;
    let picture = await ask(isWhole ? "" : `?since=${this.last}`);
    if (picture.reset) {
      isWhole = true;
      picture = await ask("");
    }
    if (round !== this.round) return;
    const isLate = this.wasLost;
    this.last = picture.newest;
    this.heard(picture.at);
    if (isWhole) this.on.picture(picture);
    else for (const entry of picture.entries) this.on.entry({ ...entry, replayed: isLate });
    this.wasLost = false;
    this.on.tally(picture.tally);
    this.takeStatus(picture);
  }

  takeStatus(status) {
    this.on.readers?.(status.readers.readers);
    this.on.fault?.(status.fault);
    this.on.active?.(status.active.slug);
  }

  open(round) {
    const source = new EventSource(ofBatch(this.slug, `/events?since=${this.last}`));
    this.source = source;
    let hasSpoken = false;
    const hear = (name, handle) => source.addEventListener(name, (event) => {
      if (round !== this.round) return;
      hasSpoken = true;
      document.documentElement.dataset.stream = "open"; // a test waits for it
      const data = JSON.parse(event.data);
      this.heard(data.at && name === "beat" ? data.at : null);
      if (event.lastEventId) this.last = Math.max(this.last, Number(event.lastEventId));
      handle(data);
    });
    hear("beat", () => {});
    hear("entry", (entry) => this.on.entry(entry));
    hear("tally", (tally) => this.on.tally(tally));
    hear("readers", (data) => this.on.readers?.(data.readers));
    hear("fault", (fault) => this.on.fault?.(fault));
    hear("active", (data) => this.on.active?.(data.slug));
    hear("reset", () => this.follow(this.slug));
    source.onerror = () => {
      if (round !== this.round) return;
      source.close();
      this.source = null;
      delete document.documentElement.dataset.stream;
      // A stream that never spoke found no free place: ask for a while, then try again.
      if (!hasSpoken) this.streamAgainAt = performance.now() + STREAM_AGAIN_MS;
      this.ask(round);
    };
  }

  heard(at) {
    this.heardAt = performance.now();
    if (at) this.stationTime = new Date(at).getTime();
    this.judge();
  }

  lose() {
    this.wasLost = true;
    this.heardAt = Math.min(this.heardAt, performance.now() - STALE_MS - 1);
    this.judge();
  }

  judge() {
    const isAlive = performance.now() - this.heardAt <= STALE_MS;
    if (!isAlive) this.wasLost = true;
    if (isAlive !== this.isAlive || isAlive) {
      this.isAlive = isAlive;
      this.on.alive(isAlive, this.stationTime);
    }
    // A stream that has gone silent without an error is left for a question.
    if (!isAlive && this.source) {
      this.source.close();
      this.source = null;
      clearTimeout(this.timer);
      this.ask(this.round);
    }
  }
}
