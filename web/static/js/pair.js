// A witness's tablet arrives with the code that it has scanned after the '#'.

import { byId, call, sentence, t } from "./common.js";

const form = byId("arriving");
const refused = form.querySelector(".refused");
const mark = location.hash.slice(1);

if (!mark) refused.textContent = t("Scan the code on the station with this tablet; its address alone is not enough.");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, institution } = Object.fromEntries(new FormData(form));
  refused.textContent = "";
  try {
    const answer = await call("POST", "/api/pair", { mark, name, institution });
    location.replace(answer.home);
  } catch (error) {
    if (error.status === undefined) throw error;
    refused.textContent = sentence(error.message);
  }
});
