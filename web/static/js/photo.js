// A still picture of a card, from a file or the phone's own camera, read by the station.

import { byId, call, ofBatch, t } from "./common.js";
import { nonce } from "./sender.js";

const READ_LIMIT_MS = 90_000; // every stage, on a large picture and a small computer
const TRIES = 3;

/** `on`: entry(entry), offer(offer), unread(), refused(error). */
export function listen(slug, on) {
  byId("photo").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (!file || !slug()) return;
    const form = new FormData();
    form.append("picture", file);
    form.append("nonce", nonce());
    event.target.disabled = true;
    byId("photo-said").textContent = t("The picture is being read …");
    try {
      const found = await send(ofBatch(slug(), "/pictures"), form);
      if (found.entry) on.entry(found.entry);
      else if (found.offer) on.offer(found.offer);
      else on.unread();
    } catch (error) {
      if (error.status === undefined) throw error;
      on.refused(error);
    } finally {
      event.target.disabled = false;
      event.target.value = "";
      byId("photo-said").textContent = "";
    }
  });
}

// The same nonce again gives the same entry again: a lost answer counts nothing twice.
async function send(path, form) {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await call("POST", path, form, READ_LIMIT_MS);
    } catch (error) {
      if (!error.mayPass || left === 0) throw error;
    }
  }
}
