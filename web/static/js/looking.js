// Pages without a stream: they look at the station now and then.

import { banner, CallError, sentence } from "./common.js";

const REST = 20; // times as long as looking took: a station that is slow is asked rarely

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
        const begun = performance.now();
        await look();
        rest_ms = Math.max(every_ms, REST * (performance.now() - begun));
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
