// The station shows a code for one tablet, and a new one when it was used.

import { byId, call, sentence, t } from "./common.js";

const ASK_MS = 2000;
const EARLY_MS = 30_000;
const refused = document.querySelector("main [role=alert]");
let mark = "";
let endsAt = 0;
let connected = 0;

async function renew() {
  const made = await call("POST", "/api/pairing", {});
  mark = made.mark;
  endsAt = performance.now() + made.lasts_s * 1000 - EARLY_MS;
  byId("code").src = made.code;
  byId("code").hidden = false;
  byId("address").textContent = made.address.split("#")[0];
}

async function watch() {
  try {
    refused.textContent = "";
    if (!mark) {
      await renew();
    } else if (performance.now() > endsAt) {
      await renew();
    } else if (!(await call("GET", `/api/pairing?mark=${encodeURIComponent(mark)}`)).is_open) {
      connected += 1;
      byId("said").textContent = t("Connected: %(count)s. This code is a new one.", { count: connected });
      await renew();
    }
  } catch (error) {
    if (error.status === undefined) throw error;
    refused.textContent = sentence(error.message);
  }
  setTimeout(watch, ASK_MS);
}

watch();
