// Follows one batch: a stream while there is a place for it, asking once a second otherwise.
// It keeps its own clock: what is older than three seconds is called stale, never shown as live.

import { call, ofBatch } from "./common.js";

const STALE_MS = 2700; // a strike of the clock and the drawing later, three seconds are not over
const ASK_MS = 1000;
const STREAM_AGAIN_MS = 10_000;

// A browser opens six connections to a station in all, streams included: a seventh page would wait
// for ever. So the pages of one browser share four streams, and the others ask once a second.
const STREAMS_A_BROWSER = 4;

/** Take a stream's place in this browser; resolves to what gives it back, or null if none is free. */
async function takePlace() {
  if (!navigator.locks) return () => {}; // an insecure page cannot know of the others
  for (let number = 0; number < STREAMS_A_BROWSER; number += 1) {
    const giveBack = await new Promise((resolve) => {
      navigator.locks.request(`stream-${number}`, { ifAvailable: true },
        (lock) => lock ? new Promise((release) => resolve(release)) : resolve(null)).catch(() => resolve(null));
    });
    if (giveBack) return giveBack;
  }
  return null;
}

/**
 * How long ago something was, in ms, by whichever clock says more: the steady one stands still
 * while a tablet sleeps, the wall clock may be set. A clock set forward only makes a page ask.
 */
const since = (steady, wall) => Math.max(performance.now() - steady, Date.now() - wall);

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
    this.heardOnWall = Date.now();
    this.stationTime = null;
    this.isAlive = null;
    this.wasLost = false;
    this.round = 0; // each `follow` begins a new one; what belongs to an old one is ignored
    this.streamAgainAt = 0;
    this.struckAt = this.heardAt; // when this page's own clock last struck
    this.struckOnWall = this.heardOnWall;
    setInterval(() => {
      if (this.hasSlept) this.wake();
      else this.judge();
      this.struckAt = performance.now();
      this.struckOnWall = Date.now();
    }, 100);
    document.addEventListener("visibilitychange", () => {
      this.judge(); // before the page is seen again
      if (!closesWhenHidden) return;
      if (document.hidden) this.stop();
      else this.resume();
    });
    // A tab that was put to sleep has missed what came meanwhile: it is shown, but makes no sound.
    document.addEventListener("freeze", () => this.stop());
    document.addEventListener("resume", () => {
      this.wasLost = true;
      this.resume();
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
    this.closeStream();
    clearTimeout(this.timer);
  }

  closeStream() {
    this.source?.close();
    this.source = null;
    this.giveBack?.();
    this.giveBack = null;
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
        this.heard(station.at);
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

  async open(round) {
    const giveBack = await takePlace();
    if (round !== this.round) return giveBack?.();
    if (!giveBack) {
      this.streamAgainAt = performance.now() + STREAM_AGAIN_MS;
      this.timer = setTimeout(() => this.ask(round), ASK_MS);
      return;
    }
    this.giveBack = giveBack;
    const source = new EventSource(ofBatch(this.slug, `/events?since=${this.last}`));
    this.source = source;
    let hasSpoken = false;
    const hear = (name, handle) => source.addEventListener(name, (event) => {
      if (round !== this.round) return;
      if (this.hasSlept) return this.wake(); // what waited for this page may be hours old
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
      this.closeStream();
      delete document.documentElement.dataset.stream;
      // A stream that never spoke found no free place: ask for a while, then try again.
      if (!hasSpoken) this.streamAgainAt = performance.now() + STREAM_AGAIN_MS;
      this.ask(round);
    };
  }

  /** Return what the station's clock says now, in ms; the page's own until it has spoken. */
  stationNow() {
    return this.stationTime === null ? Date.now() : this.stationTime + performance.now() - this.toldAt;
  }

  heard(at) {
    this.heardAt = performance.now();
    this.heardOnWall = Date.now();
    if (at) {
      this.stationTime = new Date(at).getTime();
      this.toldAt = this.heardAt;
    }
    this.judge();
  }

  lose() {
    this.wasLost = true;
    this.heardAt = Math.min(this.heardAt, performance.now() - STALE_MS - 1);
    this.judge();
  }

  /** Whether the whole tablet slept: this page's own clock has not struck for long. */
  get hasSlept() {
    return !document.hidden && since(this.struckAt, this.struckOnWall) > STALE_MS;
  }

  /** After a sleep all is old until the station has been asked; what came meanwhile makes no sound. */
  wake() {
    this.struckAt = performance.now();
    this.struckOnWall = Date.now();
    this.stop();
    this.lose();
    this.resume();
  }

  judge() {
    const isAlive = since(this.heardAt, this.heardOnWall) <= STALE_MS;
    if (this.stationTime === null && isAlive) return; // nothing was heard yet: neither live nor stale
    if (!isAlive) this.wasLost = true;
    if (isAlive !== this.isAlive || isAlive) {
      this.isAlive = isAlive;
      this.on.alive(isAlive, this.stationTime);
    }
    // A stream that has gone silent without an error is left for a question.
    if (!isAlive && this.source) {
      this.closeStream();
      clearTimeout(this.timer);
      this.ask(this.round);
    }
  }
}
