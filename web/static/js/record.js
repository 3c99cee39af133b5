// The words for what the station's record says.

import { t } from "./common.js";

const DONE = {
  "officer added": () => t("officer added"),
  "witness added": () => t("witness added"),
  "supervisor added": () => t("supervisor added"),
  "officer secret set": () => t("new PIN for officer"),
  "witness secret set": () => t("new PIN for witness"),
  "supervisor secret set": () => t("new passphrase for supervisor"),
  "officer secret reset": () => t("PIN of officer reset on the machine itself"),
  "witness secret reset": () => t("PIN of witness reset on the machine itself"),
  "supervisor secret reset": () => t("passphrase of supervisor reset on the machine itself"),
  "officer shut out": () => t("officer shut out"),
  "witness shut out": () => t("witness shut out"),
  "supervisor shut out": () => t("supervisor shut out"),
  "officer let in": () => t("officer let in again"),
  "witness let in": () => t("witness let in again"),
  "supervisor let in": () => t("supervisor let in again"),
  "office changed": () => t("office changed"),
  "minutes changed": () => t("what the minutes say of people changed:"),
  "certificate renewed": () => t("certificate renewed"),
  "log contradicted": () => t("a witness holds a signed head that the log contradicts, of batch"),
  "people forgotten": () => t("the people of a batch were forgotten:"),
  "officer signed in": () => t("signed in as officer"),
  "witness signed in": () => t("signed in as witness"),
  "supervisor signed in": () => t("signed in as supervisor"),
  "locked out": () => t("locked out after wrong tries:"),
  "reader lost": () => t("reader lost:"),
  "reader back": () => t("reader is back:"),
  "counting stopped": () => t("counting stopped:"),
  "counting goes on": () => t("counting goes on"),
};
const ABOUT = { kiosk: () => t("at the station itself"), network: () => t("in the network") };
const SPOT_CHECK = "spot check: ";

/** Return in words what a line of the record says was done. */
export function done(event) {
  if (event.what.startsWith(SPOT_CHECK)) return `${t("asked about a card of")} ${event.about}`;
  const what = (DONE[event.what] ?? (() => event.what))();
  return [what, ABOUT[event.about]?.() ?? event.about].filter(Boolean).join(" ");
}
