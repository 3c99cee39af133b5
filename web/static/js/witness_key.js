// A witness's key that was shown at the table as a QR code, scanned, or typed: the officer names it in the log.

import { byId, call, ofBatch, sentence, t } from "./common.js";
import { draftOf, forgetForm, keepForm, refill } from "./drafts.js";

const KEY = /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/;

/** Whether a code or a typed line is the key of a witness, and so no card. */
export const isWitnessKey = (text) => KEY.test(text.trim());

export class WitnessKey {
  /** `slug()`: the batch. */
  constructor(slug) {
    this.slug = slug;
    this.dialog = byId("naming");
    this.form = this.dialog.querySelector("form");
    keepForm(this.form, () => this.key);
    byId("naming-leave").addEventListener("click", () => {
      forgetForm(this.form);
      this.dialog.close();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.enrol();
    });
  }

  /** Show a key beside what the log knows of it. */
  async ask(text) {
    this.key = text.trim();
    try {
      const found = await call("GET", ofBatch(this.slug(), `/witness-keys?key=${encodeURIComponent(this.key)}`));
      byId("naming-key").textContent = found.key;
      this.show(found.named);
    } catch (error) {
      if (error.status === undefined) throw error;
      byId("naming-key").textContent = this.key;
      this.show(null, error);
    }
    if (!this.dialog.open) this.dialog.showModal();
  }

  /** Open again what stood open with a name typed in it when the page was left. */
  askAgain() {
    const draft = draftOf(this.form);
    if (draft) this.ask(draft.about);
  }

  show(named, error) {
    byId("naming-known").textContent = named
      ? t("This is the key of %(witness)s, named in the log by entry %(sequence)s. Nothing more is to be done.", named)
      : t("The log does not name this key yet. Look who holds the tablet, and write down who it is.");
    byId("naming-refused").textContent = error ? sentence(error.message) : "";
    byId("naming-who").hidden = Boolean(named);
    byId("naming-witness").required = !named;
    byId("naming-do").hidden = Boolean(named);
    byId("naming-leave").textContent = named ? t("Close") : t("Leave");
    byId("naming-witness").value = "";
    if (draftOf(this.form)?.about === this.key) refill(this.form);
  }

  async enrol() {
    const button = byId("naming-do");
    button.disabled = true;
    try {
      const witness = byId("naming-witness").value.trim();
      await call("POST", ofBatch(this.slug(), "/witness-keys"), { key: this.key, witness });
      forgetForm(this.form);
      await this.ask(this.key);
    } catch (error) {
      if (error.status === undefined) throw error;
      byId("naming-refused").textContent = sentence(error.message);
    } finally {
      button.disabled = false;
    }
  }
}
