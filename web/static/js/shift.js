// Another officer takes over at the table: touch a name, type a PIN, go on with the same pile.
// The same form comes up when nobody has done anything for long, and the page keeps its place.

import { byId, sentence, speakFor, t, whenSignedOut } from "./common.js";
import { SignIn } from "./signin.js";

const dialog = byId("shift");
let isForced = false;

const signIn = new SignIn(dialog.querySelector("form"), {
  only: (person) => person.role !== "witness",
  signedIn(answer) {
    speakFor(answer);
    isForced = false;
    dialog.close();
    document.documentElement.dataset.who = answer.name; // a test waits for it
  },
});

async function show() {
  byId("shift-why").textContent = isForced ? t("Nobody is signed in any more. The count stands where it was.") : "";
  byId("shift-leave").hidden = isForced;
  try {
    await signIn.open();
  } catch (error) {
    if (error.status === undefined) throw error;
    signIn.begin();
    dialog.querySelector(".refused").textContent = sentence(error.message);
  }
  if (!dialog.open) dialog.showModal();
}

whenSignedOut(() => {
  if (isForced) return;
  isForced = true;
  show();
});

dialog.addEventListener("cancel", (event) => isForced && event.preventDefault());
byId("shift-leave").addEventListener("click", () => dialog.close());
byId("hand-over")?.addEventListener("click", show);
