// Sends captured cards one after the other until each is confirmed; a nonce makes that harmless.

import { call, ofBatch } from "./common.js";

const AGAIN_MS = [300, 700, 1500, 2000];
const MOST_WAITING = 20;

export function nonce() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Sender {
  /** `on`: confirmed(slug, entry), refused(error), waiting(count): count of cards in doubt. */
  constructor(on) {
    this.on = on;
    this.queue = [];
    this.isSending = false;
    addEventListener("beforeunload", (event) => this.queue.length && event.preventDefault());
  }

  /** Whether there is room for one more card. */
  take(slug, payload, typed) {
    if (this.queue.length >= MOST_WAITING) return false;
    this.queue.push({ slug, payload, typed, nonce: nonce() });
    this.run();
    return true;
  }

  async run() {
    if (this.isSending) return;
    this.isSending = true;
    for (let attempt = 0; this.queue.length > 0;) {
      const { slug, ...reading } = this.queue[0];
      try {
        const entry = await call("POST", ofBatch(slug, "/readings"), reading, 5000);
        this.queue.shift();
        attempt = 0;
        this.on.waiting(0);
        this.on.confirmed(slug, entry);
      } catch (error) {
        if (error.status === undefined) throw error;
        if (!error.mayPass) {
          this.queue.shift();
          attempt = 0;
          this.on.waiting(0);
          this.on.refused(error);
          continue;
        }
        this.on.waiting(this.queue.length);
        const pause_ms = AGAIN_MS[Math.min(attempt, AGAIN_MS.length - 1)];
        attempt += 1;
        await new Promise((resolve) => setTimeout(resolve, pause_ms));
      }
    }
    this.isSending = false;
  }
}
