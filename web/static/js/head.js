// The panel with the newest signed head of a log; on a witness's page also the button that cosigns.

import { banner, byId, call, make, moment, number, ofBatch, t } from "./common.js";
import { forgetForm, keepForm, refill } from "./drafts.js";
import { checkAndSign, checkEmpty, checkHead, lastSigned, ownKey, parseHead, Refusal } from "./cosign.js";

const LOOKS_EVERY_MS = 10_000;

/** Shows the head of whichever batch `follow` names; once it has refused one, it signs no more. */
export class HeadPanel {
  constructor({ canSign = false, holder = "" } = {}) {
    this.slug = "";
    this.canSign = canSign;
    this.holder = holder;
    this.isWorking = false;
    this.hasBegun = null; // whether the log has entries; not known yet
    byId("head-sign")?.addEventListener("click", () => this.sign());
    // Alone on the screen: beside it a camera would also see the head's code.
    byId("head-own")?.addEventListener("click", () => byId("own-key").showModal());
    byId("own-key-leave")?.addEventListener("click", () => byId("own-key").close());
    if (byId("head-nonce")) {
      keepForm(byId("head-nonce"));
      refill(byId("head-nonce"));
      byId("head-nonce").addEventListener("submit", (event) => this.keepNonce(event));
    }
    setInterval(() => this.look(), LOOKS_EVERY_MS);
  }

  follow(slug) {
    if (slug === this.slug) return;
    this.slug = slug;
    this.hasBegun = null;
    banner("head", "", "");
    if (byId("head-sign")) byId("head-sign").disabled = false;
    byId("head-panel").hidden = true;
    this.look();
  }

  /** Take in whether the log has entries: only before the first one are words asked for. */
  begun(hasBegun) {
    if (this.hasBegun === hasBegun) return;
    this.hasBegun = hasBegun;
    this.look();
  }

  /** Show the newest head; a witness's tablet also checks it against what it has signed. */
  async look() {
    if (!this.slug || this.isWorking || document.hidden) return;
    const slug = this.slug;
    try {
      const answer = await call("GET", ofBatch(slug, "/head"));
      if (slug !== this.slug) return;
      await this.show(answer);
      if (this.canSign) await (answer.size ? checkHead(slug, answer) : checkEmpty(slug));
    } catch (error) {
      this.say(error);
    }
  }

  async sign() {
    if (!this.slug || this.isWorking) return;
    this.isWorking = true;
    byId("head-sign").disabled = true;
    try {
      await checkAndSign(this.slug, this.holder);
      await this.show(await call("GET", ofBatch(this.slug, "/head")));
      byId("head-trouble").textContent = "";
    } catch (error) {
      this.say(error);
    } finally {
      this.isWorking = false;
      byId("head-sign").disabled = Boolean(byId("banner-head"));
    }
  }

  /** Before the first card: have the log open with what the witness typed. */
  async keepNonce(event) {
    event.preventDefault();
    const trouble = byId("head-nonce-trouble");
    trouble.textContent = "";
    try {
      await this.show(await call("POST", ofBatch(this.slug, "/nonce"), { nonce: byId("head-nonce-text").value }));
      byId("head-nonce-text").value = "";
      forgetForm(byId("head-nonce"));
    } catch (error) {
      if (error.status === undefined) throw error;
      trouble.textContent = error.message;
    }
  }

  showNonce(answer) {
    byId("head-nonce").hidden = this.hasBegun !== false || Boolean(answer.size);
    byId("head-nonce-kept").textContent = answer.nonce && t("The log will open with: %(words)s", { words: answer.nonce });
  }

  async show(answer) {
    byId("head-panel").hidden = !answer.size;
    if (this.canSign) this.showNonce(answer);
    if (!answer.size) return;
    byId("head-size").textContent = t("%(count)s entries", { count: number(answer.size) });
    byId("head-paper").textContent = answer.paper;
    byId("head-code").src = answer.code;
    byId("head-signed").textContent = answer.signed.length
      ? t("Signed by the station and %(names)s", { names: answer.signed.join(", ") })
      : t("Signed by the station");
    for (const [id, value] of [["head-key", answer.key], ["head-note", answer.note]]) {
      if (byId(id)) byId(id).textContent = value;
    }
    if (byId("head-key-code")) byId("head-key-code").src = answer.key_code;
    const slip = byId("head-slip");
    if (slip) {
      slip.href = `/batches/${encodeURIComponent(this.slug)}/head.pdf?size=${answer.size}`;
      slip.hidden = false;
    }
    byId("head-policy")?.setAttribute("href", `/batches/${encodeURIComponent(this.slug)}/policy`);
    byId("head-witnesses")?.replaceChildren(...answer.witnesses.map((key) => make("li", {}, make("code", {}, key))));
    byId("head-link")?.setAttribute("href", `/head?batch=${encodeURIComponent(this.slug)}`);
    if (this.canSign) await this.showMine(answer);
  }

  async showMine(answer) {
    const mine = await lastSigned(parseHead(answer.note).origin);
    byId("head-mine").textContent = mine
      ? t("You signed %(count)s entries: %(time)s", { count: number(parseHead(mine.note).size), time: moment(mine.at) })
      : t("You have not signed yet.");
    await this.showKey(answer.witnesses);
  }

  /** Show this tablet's key as QR code: for the officer, who names it in the log, and for whoever verifies later. */
  async showKey(witnesses) {
    const own = await ownKey(this.holder).catch(() => null); // a browser without such keys says so when it is to sign
    if (!own) return;
    const isNamed = witnesses.includes(own.text);
    if (this.isNamed === isNamed && this.keyOf === this.slug) return;
    const found = await call("GET", ofBatch(this.slug, `/witness-keys?key=${encodeURIComponent(own.text)}`));
    [this.isNamed, this.keyOf] = [isNamed, this.slug];
    byId("head-own-key").textContent = own.text;
    byId("head-own-code").src = found.code;
    byId("head-own-state").textContent = found.named
      ? t("Entry %(sequence)s of the log names it as the key of %(witness)s. Let whoever will check your signature scan it from here.", found.named)
      : t("The log does not name it yet. Hold this code before the camera or scanner at the table, so that the officer sees whose it is; or sign, and the log names it as yours.");
    byId("head-own").hidden = false;
  }

  /** Show the station the head that it has signed itself: put back from an older copy, it cannot know. */
  async tell(note) {
    if (!note || this.told === note) return;
    this.told = note;
    await call("POST", ofBatch(this.slug, "/contradictions"), { note }).catch(() => { this.told = ""; });
  }

  say(error) {
    if (error instanceof Refusal) {
      banner("head", "bad", error.message, ...error.heads.map((note) => make("pre", {}, note)));
      byId("head-sign").disabled = true;
      this.tell(error.heads[0]);
      return;
    }
    if (error.status === undefined && !(error instanceof Error)) throw error;
    if (byId("head-trouble")) byId("head-trouble").textContent = error.message;
  }
}
