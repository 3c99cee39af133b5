// What witnesses say on the page on which a batch is closed: objections, answers, refusals, notes.

import { byId, call, make, moment, number, ofBatch, t } from "./common.js";
import { ask, prepare } from "./forms.js";

const whose = (one) => (one.institution ? `${one.witness} (${one.institution})` : one.witness);

/** Shows what was said and takes in more; `look()` reads the batch anew. */
export class Witnesses {
  constructor(slug, look) {
    this.answered = null;
    const path = (rest) => ofBatch(slug, rest);
    const send = (rest) => async (data) => {
      await call("POST", path(rest()), data);
      await look();
    };
    byId("object").addEventListener("click", () => ask(byId("objecting")));
    byId("refuse").addEventListener("click", () => ask(byId("refusing")));
    prepare(byId("objecting"), send(() => "/objections"));
    prepare(byId("refusing"), send(() => "/refusals"));
    prepare(byId("answering"), send(() => `/objections/${this.answered}/answer`));
  }

  /** Show what witnesses said by a reconciliation; `isOpen`: whether more can be said. */
  show(found, isOpen) {
    byId("object").hidden = !isOpen;
    byId("refuse").hidden = found.state === "cancelled";
    const lines = [...found.objections.map((one) => this.objection(one, isOpen)), ...found.refusals.map(refusal), ...found.notes.map(note)];
    byId("said").replaceChildren(...(lines.length ? lines
      : [make("li", { "data-state": "none" }, t("No objection, and nobody has refused to sign."))]));
  }

  objection(one, isOpen) {
    return make("li", { "data-state": one.answer ? "explained" : "open", "data-sequence": one.sequence },
      make("div", {}, make("strong", {}, `${t("Objection")}: `), `${whose(one)} · ${moment(one.at)} · ${t("entry %(sequence)s", { sequence: number(one.sequence) })}`,
        make("p", {}, `“${one.text}”`),
        one.answer ? make("p", {}, t("Answer of %(name)s: “%(answer)s”", { name: one.answered_by, answer: one.answer })) : null),
      isOpen && !one.answer ? make("button", { type: "button", onclick: () => {
        this.answered = one.sequence;
        ask(byId("answering"), `${whose(one)}: ${one.text}`);
      } }, t("Answer…")) : null);
  }
}

const asksNothing = (one, state, word, text) => make("li", { "data-state": state, "data-sequence": one.sequence },
  make("div", {}, make("strong", {}, `${word}: `), `${whose(one)} · ${moment(one.at)}`, make("p", {}, `“${text}”`)));
const refusal = (one) => asksNothing(one, "waiting", t("Does not sign"), one.objection);
const note = (one) => asksNothing(one, "note", t("Note"), one.text);
