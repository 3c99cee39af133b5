// Pages without a stream: they look at the station now and then.

import { banner, byId, CallError, sentence } from "./common.js";

const REST = 20; // times as long as looking took: a station that is slow is asked rarely

const LONGEST_PRESS_MS = 5000;
let isPressed = false;
let heldUp_ms = 0; // how long fingers held drawing up, in all
let waiting = [];
addEventListener("pointerdown", () => { isPressed = true; }, { capture: true });
for (const kind of ["pointerup", "pointercancel"]) {
  addEventListener(kind, () => {
    isPressed = false;
    setTimeout(() => waiting.splice(0).forEach((go) => go())); // the tap itself comes first
  }, { capture: true });
}

const CAN_HOLD = "a, button, input, summary";

/** Draw lists anew, but nothing from under a finger; what had the focus has it afterwards. */
export async function redraw(draw) {
  if (isPressed) {
    const begun = performance.now();
    await new Promise((go) => {
      waiting.push(go);
      setTimeout(go, LONGEST_PRESS_MS); // a finger that left the window is never told of
    });
    heldUp_ms += performance.now() - begun;
  }
  const held = document.activeElement;
  const list = held?.parentElement?.closest("[id]");
  const place = list ? [...list.querySelectorAll(CAN_HOLD)].indexOf(held) : -1;
  const name = list && nameOf(held);
  draw();
  if (!held || held.isConnected || !list) return;
  const all = [...(byId(list.id)?.querySelectorAll(CAN_HOLD) ?? [])];
  ((held.textContent && all.find((one) => nameOf(one) === name)) || all[place])?.focus({ preventScroll: true });
}

/** What a button or link says, and of which batch, entry, container or person: above it lines may come and go. */
function nameOf(held) {
  const { slug, sequence, number, name } = held.closest("[data-slug], [data-sequence], [data-number], [data-name]")?.dataset ?? {};
  return JSON.stringify([slug, sequence, number, name, held.textContent]);
}

/**
 * Look now and then every `every_ms`, but not while nobody sees the page or a dialog is open.
 * `first` is done once, after the first look that worked.
 */
export function keepLooking(look, every_ms, first = () => {}) {
  let hasLooked = false;
  const go = async () => {
    let rest_ms = every_ms;
    try {
      if (!hasLooked || !(document.hidden || document.querySelector("dialog[open]"))) {
        const begun = performance.now() - heldUp_ms;
        await look();
        rest_ms = Math.max(every_ms, REST * (performance.now() - heldUp_ms - begun));
        if (!hasLooked) first();
        hasLooked = true;
      }
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      banner("stale", "bad", sentence(error.message));
    } finally {
      setTimeout(go, rest_ms);
    }
  };
  go();
}
