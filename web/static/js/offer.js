// A card that was read unsurely, from a camera or a photo: the officer compares it and says whether it counts.

import { byId, call, ofBatch } from "./common.js";

export class Offer {
  /** `slug()`: the batch; `count(payload)`: the officer says yes; `key(text)`: it is a witness's key. */
  constructor({ slug, count, key }) {
    this.slug = slug;
    this.key = key;
    this.offered = null;
    byId("offer-no").addEventListener("click", () => byId("offering").close());
    byId("offer-yes").addEventListener("click", () => {
      byId("offering").close();
      count(this.offered.identifier);
    });
  }

  async look() {
    try {
      this.ask((await call("GET", ofBatch(this.slug(), "/offer"))).offer);
    } catch (error) {
      if (error.status === undefined) throw error; // the hint stays
    }
  }

  ask(offer) {
    if (offer?.witness_key) {
      if (!byId("fault").open) this.key(offer.witness_key);
      return;
    }
    this.offered = offer;
    if (!offer || byId("undoing").open || byId("fault").open) return;
    byId("offer-card").textContent = offer.identifier;
    byId("offer-detail").textContent = [offer.name, offer.category, offer.district].filter(Boolean).join(" · ");
    if (!byId("offering").open) byId("offering").showModal();
  }
}
