// The supervisor has a new certificate made.

import { byId, call, sentence, t } from "./common.js";

byId("renew")?.addEventListener("click", async () => {
  if (!confirm(t("Make a new certificate? Every tablet has to be told to trust it once more."))) return;
  const refused = byId("renew").closest("section").querySelector(".refused");
  refused.textContent = "";
  try {
    await call("POST", "/api/certificate/renew", {}, 60_000);
    location.reload();
  } catch (error) {
    if (error.status === undefined) throw error;
    refused.textContent = sentence(error.message);
  }
});
