// The way out, on every page of somebody who is signed in.

import { byId, call } from "./common.js";

byId("sign-out").addEventListener("click", async () => {
  try {
    await call("POST", "/api/logout", {});
  } catch (error) {
    if (error.status === undefined) throw error;
    if (error.mayPass) return; // not signed out: the page stays
  }
  location.assign("/login");
});
