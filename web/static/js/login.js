// The page to sign in.

import { byId, sentence, t } from "./common.js";
import { SignIn } from "./signin.js";
import * as wedge from "./wedge.js";

// Where somebody may go on after signing in; the station itself refuses what is not theirs.
const OPEN_TO = {
  officer: /^\/($|witness$|pairing$|help|head$|batches\/[^/]+\/table$)/,
  witness: /^\/(witness$|help|head$)/,
  supervisor: /^\/(?!\/|login|pair$|first-start)/,
};

const form = document.querySelector("form.signin");
const signIn = new SignIn(form, {
  signedIn(answer) {
    const next = new URLSearchParams(location.search).get("next");
    location.assign(next && OPEN_TO[answer.role].test(next) ? next : answer.home);
  },
});

// A card held under the scanner is no wrong PIN.
wedge.listen(() => {
  form.querySelector(".refused").textContent = t("That was a card. Sign in before you scan.");
});

async function begin() {
  try {
    await signIn.open();
  } catch (error) {
    if (error.status === undefined) throw error;
    form.querySelector(".refused").textContent = sentence(error.message);
    setTimeout(begin, 1000);
  }
}

begin();
