// Scanners that pretend to be keyboards: keys less than 50 ms apart, ended by Enter or Tab.
// Nothing needs the focus. If a field has it, the field gets back what it held before the scan.
// A part of a code can look like another card's number: a scan is taken whole, or said to be broken.

const FAST_MS = 50;
const HESITATES_MS = 250; // a scanner that has just woken, or one without a cable, pauses for so long
const LEAST_KEYS = 4; // fewer fast keys are fingers that rolled over
const SURELY_KEYS = 8; // so many fast keys are no fingers
const MOST_KEYS = 400; // the station takes 256 bytes
const UNENDED_MS = 600;

const MODIFIERS = ["Shift", "CapsLock", "NumLock", "Control", "Alt", "AltGraph", "Meta"];
const ENDS = { j: true, m: true, i: true }; // Ctrl+J, M and I are LF, CR and TAB
const BROKEN = "\ufffd"; // in place of what is no letter or digit: the station says unreadable

/** Return at which of the keys struck at `times` the scan begins that ended at `endedAt`; -1: none. */
export function beginOf(times, endedAt) {
  const begins = times.flatMap((at, number) => (number === 0 || at - times[number - 1] >= FAST_MS ? [number] : []));
  let begin = begins.pop() ?? 0;
  const patience_ms = times.length - begin >= SURELY_KEYS ? HESITATES_MS : FAST_MS;
  if (times.length === 0 || endedAt - times.at(-1) >= patience_ms) return -1;
  // Before a pause stands more of the same scan, or its first key alone, or somebody's own typing.
  while (begins.length > 0 && (begin - begins.at(-1) >= LEAST_KEYS || begin === 1)) begin = begins.pop();
  return times.length - begin >= LEAST_KEYS ? begin : -1;
}

const editable = (target) =>
  target instanceof HTMLTextAreaElement ||
  (target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit", "file"].includes(target.type));

function remember(target) {
  if (!editable(target)) return null;
  const canSelect = target.type !== "date" && target.type !== "number";
  return { target, value: target.value, selection: canSelect ? [target.selectionStart, target.selectionEnd] : null };
}

function restore(field) {
  if (!field || field.target.value === field.value) return;
  field.target.value = field.value;
  if (field.selection) field.target.setSelectionRange(...field.selection);
  field.target.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Call `scanned(text)` for each scan; `hint.unended()` and `hint.capitals()` when the scanner is set up wrongly. */
export function listen(scanned, hint = {}) {
  let keys = []; // {text, at, field}: what was struck, when, and what the field held before
  let timer = null;

  const forget = () => {
    keys = [];
    clearTimeout(timer);
  };

  /** Take the scan that ended at `at` out of the keys; null if there is none. */
  function take(at) {
    const begin = beginOf(keys.map((key) => key.at), at);
    const found = begin < 0 ? null : { field: keys[begin].field, text: keys.slice(begin).map((key) => key.text).join("") };
    forget();
    return found;
  }

  // A scanner without Enter at the end: nothing is counted, and the officer must know.
  function giveUp() {
    const isInField = Boolean(keys.at(-1).field);
    const found = take(keys.at(-1).at);
    if (found && found.text.length >= SURELY_KEYS && !isInField) hint.unended?.();
  }

  function end(event) {
    const found = take(event.timeStamp);
    if (!found) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    restore(found.field);
    if (event.getModifierState("CapsLock") && /\p{L}/u.test(found.text)) hint.capitals?.();
    scanned(found.text);
  }

  document.addEventListener("keydown", (event) => {
    if (MODIFIERS.includes(event.key)) return;
    const since_ms = event.timeStamp - (keys.at(-1)?.at ?? -Infinity);
    const isFast = since_ms < FAST_MS;
    const isCommand = event.ctrlKey || event.altKey || event.metaKey;
    if (event.isComposing || event.repeat || (isCommand && !isFast)) return forget();
    if (event.key === "Enter" || event.key === "Tab") return end(event);
    if (event.ctrlKey && ENDS[event.key.toLowerCase()]) return end(event);
    if (!isFast && event.key.length !== 1) return forget();
    if (since_ms >= HESITATES_MS) keys = [];
    const text = event.key.length === 1 && !isCommand ? event.key : BROKEN;
    if (keys.length < MOST_KEYS) keys.push({ text, at: event.timeStamp, field: remember(event.target) });
    else keys.at(-1).at = event.timeStamp; // too long to be a card; its end is no other card's number
    clearTimeout(timer);
    timer = setTimeout(giveUp, UNENDED_MS);
    // A key must not choose another batch, click a button or scroll the page.
    const inList = event.target instanceof HTMLSelectElement;
    if (inList || (isFast && (isCommand || !editable(event.target)))) event.preventDefault();
  }, { capture: true });
}
