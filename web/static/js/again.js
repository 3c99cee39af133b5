// The session has ended: one signs in on top of the page, and nothing typed is lost.

import { byId, sentence, speakFor, whenSignedOut } from "./common.js";
import { SignIn } from "./signin.js";

const dialog = byId("again");
const mayUse = (person) => dialog.dataset.roles.split(" ").includes(person.role);

const signIn = new SignIn(dialog.querySelector("form"), {
  only: mayUse,
  signedIn(answer) {
    if (!mayUse(answer)) return location.assign(answer.home);
    speakFor(answer);
    dialog.close();
  },
});

whenSignedOut(async () => {
  if (dialog.open) return;
  dialog.showModal();
  try {
    await signIn.open();
  } catch (error) {
    if (error.status === undefined) throw error;
    signIn.begin();
    dialog.querySelector(".refused").textContent = sentence(error.message);
  }
});

dialog.addEventListener("cancel", (event) => event.preventDefault());
