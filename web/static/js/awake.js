// Keeps the tablet's screen on while cards are counted; only secure pages may, others do without.

let lock = null;

async function hold() {
  if (document.hidden || (lock && !lock.released)) return;
  try {
    lock = await navigator.wakeLock?.request("screen");
  } catch {
    lock = null; // low battery, or not allowed: counting goes on
  }
  document.documentElement.dataset.awake = lock ? "yes" : "no"; // a test looks here
}

/** Hold the screen from now on; a page that comes back into view holds it again. */
export function stayAwake() {
  document.addEventListener("visibilitychange", hold);
  hold();
}
