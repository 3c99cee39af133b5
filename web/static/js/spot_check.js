// "Show me this card": where a card that a witness holds stands in the count. It counts nothing.

import { byId, call, CallError, clockTime, make, ofBatch, REASONS, sentence, shape, t, typedNumber } from "./common.js";
import { listen } from "./wedge.js";

const ANSWERS = {
  counted: [() => t("Counted"), "counted"],
  not_counted: [() => t("Not counted yet"), "waiting"],
  not_on_manifest: [() => t("Not on the manifest"), "not_on_manifest"],
  unreadable: [() => t("No card number"), "unreadable"],
};

const said = (entry) => [
  t("entry %(sequence)s", { sequence: entry.sequence }), clockTime(entry.at), entry.by,
  entry.container === null ? "" : t("container %(number)s", { number: entry.container }),
].filter(Boolean).join(" · ");

/** Asks for typed and scanned numbers in whichever batch `slug()` names. */
export function spotChecks(slug) {
  const form = byId("spot-check");
  const field = byId("spot-number");
  const button = form.querySelector("button");
  const answer = byId("spot-answer");
  const refused = form.querySelector(".refused");
  let isAsking = false;

  async function ask(payload) {
    if (isAsking || !payload.trim() || !slug()) return;
    isAsking = true;
    button.disabled = true;
    refused.textContent = "";
    try {
      const found = await call("POST", ofBatch(slug(), "/spot-checks"), { payload });
      const [word, picture] = ANSWERS[found.answer];
      const more = found.answer === "unreadable" ? [REASONS[found.reason]()] : found.entries.map(said);
      answer.replaceChildren(shape(picture), make("div", {},
        make("p", { class: "spot-word" }, [word(), found.masked].filter(Boolean).join(": ")),
        ...more.map((line) => make("p", {}, line))));
      answer.dataset.answer = found.answer;
      answer.scrollIntoView({ block: "nearest" }); // a phone's keyboard leaves little room
      field.value = ""; // a number does not stay on a screen that others see
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      answer.replaceChildren();
      delete answer.dataset.answer;
      refused.textContent = sentence(error.message);
    } finally {
      isAsking = false;
      button.disabled = false;
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(typedNumber(field.value));
  });
  listen((text) => {
    if (!document.querySelector("dialog[open]")) ask(text);
  });
  /** Nothing of another batch stays. */
  return () => {
    answer.replaceChildren();
    delete answer.dataset.answer;
    refused.textContent = "";
  };
}

