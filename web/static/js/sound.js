// One sound for each verdict, made by the browser; it needs one tap or key first.

const TONES = {
  // [frequency in Hz, start in s, length in s, shape]
  counted: [[1320, 0, 0.11, "sine"]],
  already_counted: [[660, 0, 0.12, "triangle"], [660, 0.18, 0.12, "triangle"]],
  not_on_manifest: [[392, 0, 0.16, "square"], [330, 0.18, 0.16, "square"], [262, 0.36, 0.26, "square"]],
  unreadable: [[140, 0, 0.38, "sawtooth"]],
  under_seal: [[988, 0, 0.16, "square"], [494, 0.18, 0.16, "square"], [988, 0.36, 0.16, "square"], [494, 0.54, 0.3, "square"]],
  waiting: [[220, 0, 0.1, "square"]],
  refused: [[140, 0, 0.2, "sawtooth"], [140, 0.26, 0.3, "sawtooth"]],
  fault: [[880, 0, 0.3, "square"], [440, 0.3, 0.3, "square"], [880, 0.6, 0.3, "square"], [440, 0.9, 0.4, "square"]],
};
const LOUDNESS = { sine: 0.6, triangle: 0.6, square: 0.25, sawtooth: 0.35 };

const SHAKES = { // ms on, off, on …: felt through gloves
  counted: [60], already_counted: [60, 80, 60], not_on_manifest: [300, 100, 300], unreadable: [400],
  under_seal: [500, 100, 500], waiting: [150], refused: [200, 80, 200], fault: [500, 150, 500, 150, 500],
};

let context = null;
/** How often each sound was played; a test listens here. */
export const played = {};

/** Try to turn the sound on, in a tap or key; `changed` is called now and at every change. */
export function wake(changed) {
  context ??= new AudioContext();
  context.onstatechange = changed;
  // Before the first tap this waits for ever, so nobody waits for it.
  if (context.state === "suspended") context.resume().catch(() => {});
  changed();
}

export const isAwake = () => context?.state === "running";

export function play(name) {
  const tones = TONES[name];
  if (!tones) return;
  played[name] = (played[name] ?? 0) + 1;
  document.documentElement.dataset.played = JSON.stringify(played);
  // Before the first tap a page may not, and would say so in its console.
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(SHAKES[name]);
  if (!isAwake()) return;
  for (const [frequency, start, length, type] of tones) {
    const begin = context.currentTime + start;
    const oscillator = new OscillatorNode(context, { type, frequency });
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(LOUDNESS[type], begin + 0.008);
    gain.gain.setValueAtTime(LOUDNESS[type], begin + length - 0.02);
    gain.gain.linearRampToValueAtTime(0, begin + length);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(begin);
    oscillator.stop(begin + length);
  }
}
