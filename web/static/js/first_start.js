// The first start: the supervisor and the office.

import { byId, call, sentence, t } from "./common.js";

const form = byId("first");
const refused = form.querySelector(".refused");
const DRAFT = "first-start";

// A reload keeps what was typed, but no passphrase.
for (const [name, value] of JSON.parse(sessionStorage.getItem(DRAFT) ?? "[]")) form.elements[name].value = value;
form.addEventListener("input", () => {
  const typed = [...new FormData(form)].filter(([name]) => form.elements[name].type !== "password");
  sessionStorage.setItem(DRAFT, JSON.stringify(typed));
});

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
    sessionStorage.removeItem(DRAFT);
    location.assign("/people");
  } catch (error) {
    if (error.status === undefined) throw error;
    refused.textContent = sentence(error.message);
    button.disabled = false;
  }
});
