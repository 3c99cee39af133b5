// Scanners that pretend to be keyboards: keys less than 50 ms apart, ended by Enter or Tab.
// Nothing needs the focus. If a field has it, the field gets back what it held before the scan.

const GAP_MS = 50;
const LEAST_KEYS = 4; // fewer fast keys are fingers that rolled over

/** Call `scanned(text)` for each scan. */
export function listen(scanned) {
  let text = "";
  let lastAt = -Infinity;
  let field = null;

  const forget = () => {
    text = "";
    field = null;
  };

  const editable = (target) =>
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit", "file"].includes(target.type));

  const remember = (target) => {
    if (!editable(target)) return null;
    const canSelect = target.type !== "date" && target.type !== "number";
    return {
      target,
      value: target.value,
      selection: canSelect ? [target.selectionStart, target.selectionEnd] : null,
    };
  };

  const restore = () => {
    if (!field || field.target.value === field.value) return;
    field.target.value = field.value;
    if (field.selection) field.target.setSelectionRange(...field.selection);
    field.target.dispatchEvent(new Event("input", { bubbles: true }));
  };

  document.addEventListener("keydown", (event) => {
    const at = event.timeStamp;
    const isFast = at - lastAt < GAP_MS;
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return forget();
    if (event.key === "Shift" || event.key === "CapsLock") return;
    if (event.key === "Enter" || event.key === "Tab") {
      if (isFast && text.length >= LEAST_KEYS) {
        event.preventDefault();
        event.stopImmediatePropagation();
        restore();
        const whole = text;
        forget();
        lastAt = -Infinity;
        scanned(whole);
        return;
      }
      return forget();
    }
    if (event.key.length !== 1 || event.repeat) return forget();
    if (!isFast) {
      text = "";
      field = remember(event.target);
    }
    text += event.key;
    lastAt = at;
    // A key must not choose another batch, click a button or scroll the page.
    const inList = event.target instanceof HTMLSelectElement;
    if (inList || (text.length > 1 && !editable(event.target))) event.preventDefault();
  }, { capture: true });
}
