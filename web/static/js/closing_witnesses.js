// What witnesses say on the page on which a batch is closed: objections, answers, refusals, notes.

import { byId, call, make, moment, number, ofBatch, t } from "./common.js";
import { ask, prepare } from "./forms.js";

const whose = (one) => (one.institution ? `${one.witness} (${one.institution})` : one.witness);

/** Shows what was said and takes in more; `look()` reads the batch anew. */
export class Witnesses {
  constructor(slug, look) {
    this.unanswered = [];
    const send = (rest) => async (data, form, about) => {
      await call("POST", ofBatch(slug, rest(about)), data);
      await look();
    };
    byId("object").addEventListener("click", () => ask(byId("objecting")));
    byId("refuse").addEventListener("click", () => ask(byId("refusing")));
    prepare(byId("objecting"), send(() => "/objections"));
    prepare(byId("refusing"), send(() => "/refusals"));
    prepare(byId("answering"), send((about) => `/objections/${about.sequence}/answer`), (about) => {
      const one = this.unanswered.find(({ sequence }) => sequence === about.sequence);
      return one ? `${whose(one)}: ${one.text}` : null;
    });
  }

  /** Show what witnesses said by a reconciliation; `isOpen`: whether more can be said. */
  show(found, isOpen) {
    this.unanswered = isOpen ? found.objections.filter((one) => !one.answer) : [];
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
      isOpen && !one.answer ? make("button", { type: "button", onclick: () => ask(byId("answering"), { sequence: one.sequence }) }, t("Answer…")) : null);
  }
}

const asksNothing = (one, state, word, text) => make("li", { "data-state": state, "data-sequence": one.sequence },
  make("div", {}, make("strong", {}, `${word}: `), `${whose(one)} · ${moment(one.at)}`, make("p", {}, `“${text}”`)));
const refusal = (one) => asksNothing(one, "waiting", t("Does not sign"), one.objection);
const note = (one) => asksNothing(one, "note", t("Note"), one.text);
