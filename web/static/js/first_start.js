// The first start: the supervisor and the office.

import { byId, call, sentence, t } from "./common.js";
import { forgetForm, keepForm, refill } from "./drafts.js";

const form = byId("first");
const refused = form.querySelector(".refused");

keepForm(form);
refill(form);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { again, ...data } = Object.fromEntries(new FormData(form));
  refused.textContent = "";
  if (again !== data.passphrase) {
    refused.textContent = t("The two passphrases are not the same.");
    byId("again").focus();
    return;
  }
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  try {
    await call("POST", "/api/first-start", data, 60_000);
    forgetForm(form);
    location.assign("/people");
  } catch (error) {
    if (error.status === undefined) throw error;
    refused.textContent = sentence(error.message);
    button.disabled = false;
  }
});
