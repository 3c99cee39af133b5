// The table's page: containers, cards that no machine reads, strangers, days and lots.

import { banner, byId, call, CallError, make, moment, number, ofBatch, sentence, STATES, t, whole } from "./common.js";
import { containerName } from "./container.js";
import { ownButton } from "./fields.js";
import { ask, askAgain, prepare, submit } from "./forms.js";
import { keepLooking, redraw } from "./looking.js";
import { watchCameras } from "./preview.js";
import { nonce } from "./sender.js";

const LOOKS_EVERY_MS = 3000;
const PREVIEW_EVERY_MS = 500;
const MOST_PHOTO_PX = 1600;
const { slug, camera } = byId("at-table").dataset;
let found = null;
let shown = "";

const path = (rest) => ofBatch(slug, rest);
const isOpen = () => found.batch.state === "open";
const openOne = () => found.containers.find((one) => one.state === "open");
const cards = (count) => t("%(count)s cards", { count });

function say(text) {
  byId("done").textContent = text;
  byId("done").hidden = !text;
  if (text) byId("done").scrollIntoView({ block: "nearest" });
}

// --- what is shown -------------------------------------------------------------------------

function showContainer() {
  const open = openOne();
  byId("open-one").hidden = !open || !isOpen();
  byId("opening").hidden = Boolean(open) || !isOpen();
  byId("no-container").hidden = found.batch.burned === 0 && found.containers.length === 0;
  if (open) {
    byId("open-count").textContent = number(open.count);
    byId("open-name").textContent = containerName(open);
  }
  const closed = found.containers.filter((one) => one !== open);
  byId("containers").replaceChildren(...(closed.length ? [listOf(closed)] : []));
}

const SEALS = { open: () => t("open"), sealed: () => t("sealed"), broken: () => t("seal broken") };

function listOf(containers) {
  const words = [t("Container"), t("Cards"), t("Seal"), t("Sealed"), ""];
  return make("table", { class: "listed" },
    make("thead", {}, make("tr", {}, ...words.map((word) => (word ? make("th", { scope: "col" }, word) : make("td"))))),
    make("tbody", {}, ...containers.reverse().map((one) => make("tr", { "data-number": one.number, "data-state": one.state },
      make("th", { scope: "row" }, containerName(one)), make("td", { "data-word": words[1] }, number(one.count)),
      make("td", { "data-word": words[2] }, one.seals.at(-1) ?? SEALS[one.state](), one.state === "broken" ? ` (${SEALS.broken()})` : ""),
      make("td", { "data-word": words[3] }, one.sealed_at ? `${moment(one.sealed_at)}, ${one.sealed_by}` : "–"),
      make("td", { class: "row" }, ...doings(one))))));
}

function doings(one) {
  const may = isOpen() || found.batch.state === "paused";
  if (one.state === "sealed") {
    return [make("a", { class: "button", href: path(`/containers/${one.number}/label`), target: "_blank" }, t("Label (PDF)")),
      may ? make("button", { type: "button", class: "danger", onclick: () => about(byId("breaking"), one) }, t("Break…")) : null];
  }
  if (one.state === "broken" && may) return [make("button", { type: "button", onclick: () => about(byId("sealing"), one) }, t("Seal it…"))];
  return [];
}

const about = (dialog, one) => ask(dialog, { number: one.number });

/** Return what a container is called and holds, while it is in one of some states; else null. */
const containerIn = (...states) => ({ number: wanted }) => {
  const one = found.containers.find((other) => other.number === wanted && states.includes(other.state));
  return one ? `${containerName(one)} · ${cards(one.count)}` : null;
};

function showWaiting() {
  const { waiting } = found;
  byId("second-look").hidden = waiting.length === 0;
  byId("waiting-said").textContent = t("Typed or unidentified cards that a second person has to look at: %(count)s", { count: waiting.length });
  byId("waiting").replaceChildren(...waiting.map((one) => make("li", { "data-state": "waiting", "data-sequence": one.sequence },
    make("div", {}, make("strong", {}, one.number ? t("Unidentified card number %(number)s", { number: one.number }) : one.identifier),
      ` ${[one.name, one.category, one.district, t("entry %(sequence)s", { sequence: one.sequence }), one.by].filter(Boolean).join(" · ")}`),
    one.has_photograph ? make("a", { class: "button", href: path(`/photographs/${one.sequence}`), target: "_blank" }, t("Photograph")) : null)));
  for (const form of document.querySelectorAll(".agreeing")) {
    form.hidden = form.disabled = waiting.length === 0;
    form.querySelector(".waiting-count").textContent = number(waiting.length);
  }
}

function showStrangers() {
  byId("strange").hidden = !isOpen() || found.strangers.length === 0;
  byId("strangers").replaceChildren(...found.strangers.map((one) => make("li",
    { "data-state": one.is_explained ? "explained" : "open", "data-sequence": one.sequence },
    make("div", {}, make("strong", {}, one.identifier), ` ${[t("entry %(sequence)s", { sequence: one.sequence }), moment(one.at),
      one.earlier_batch && t("seen before in batch %(batch)s", { batch: one.earlier_batch }), one.is_explained && t("explained")].filter(Boolean).join(" · ")}`),
    one.earlier_batch ? null : make("button", { type: "button", onclick: () => ask(byId("adding"), { sequence: one.sequence }) }, t("Add to the count…")))));
}

function showDays() {
  const paused = found.days.at(-1);
  byId("resting").hidden = found.batch.state !== "paused";
  if (found.batch.state === "paused") byId("closing-figure").textContent = t("The closing figure stands in the log of %(at)s.", { at: moment(paused.paused_at) });
  const lines = [];
  for (const [place, day] of found.days.entries()) {
    lines.push([day.resumed_at, place ? t("Resumed with %(count)s cards", { count: day.opening_figure })
      : t("Opened with %(count)s cards, %(expected)s expected", { count: day.opening_figure, expected: found.opened.expected })]);
    if (day.paused_at) lines.push([day.paused_at, t("Paused with %(count)s cards", { count: day.closing_figure })]);
  }
  for (const lot of found.lots) lines.push([lot.begun_at, t("Lot: %(name)s", { name: lot.name })]);
  lines.sort(([one], [other]) => (one < other ? 1 : -1));
  byId("days").replaceChildren(...lines.map(([at, text]) => make("li", {}, make("time", {}, moment(at)), text)));
  if (!lines.length) byId("days").append(make("li", {}, t("Nothing yet.")));
}

function show() {
  byId("state").textContent = STATES[found.batch.state]();
  byId("zero").hidden = !isOpen() || found.batch.entries > 0;
  byId("now").hidden = !byId("zero").hidden;
  for (const part of document.querySelectorAll(".hands-on")) part.hidden = !isOpen() || found.batch.entries === 0;
  showContainer();
  showWaiting();
  showStrangers();
  showDays();
  for (const [id, names] of [["categories", found.categories], ["districts", found.districts]]) {
    byId(id).replaceChildren(...names.map((name) => make("option", { value: name })));
  }
}

async function look() {
  const next = await call("GET", path("/table"), undefined, 20_000);
  banner("stale", "", "");
  const text = JSON.stringify(next);
  if (text === shown) return;
  shown = text;
  found = next;
  await redraw(show);
}

// --- what people do ------------------------------------------------------------------------

byId("report-zero").addEventListener("click", async () => {
  const refused = byId("zero").querySelector(".refused");
  refused.textContent = "";
  try {
    const report = await call("POST", path("/zero-report"), {});
    say(t("Opened with %(count)s cards, %(expected)s expected", { count: report.counted, expected: report.expected }));
    await look();
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    refused.textContent = sentence(error.message);
  }
});

submit(byId("opening"), async (data, form) => {
  const made = await call("POST", path("/containers"), data);
  form.reset();
  say(t("%(name)s is open: cards now go into it.", { name: containerName(made) }));
  await look();
});

byId("seal").addEventListener("click", () => about(byId("sealing"), openOne()));
prepare(byId("sealing"), async (data, form, { number: one }) => {
  const made = await call("POST", path(`/containers/${one}/seal`), data);
  say(t("Container %(number)s is sealed with %(count)s cards. Print its label and stick it on.", { number: made.number, count: made.count }));
  await look();
}, containerIn("open", "broken"));

prepare(byId("breaking"), async (data, form, { number: one }) => {
  await call("POST", path(`/containers/${one}/break`), data);
  say(t("The seal of container %(number)s is broken; give it a new one.", { number: one }));
  await look();
}, containerIn("sealed"));

// The nonce: sent again, also after a reload, it is the same card.
byId("take-in").addEventListener("click", () => ask(byId("taking"), { nonce: nonce() }));
if (byId("taking-photo")) ownButton(byId("taking-photo"));
watchCameras(byId("taking-preview"), { every_ms: PREVIEW_EVERY_MS, isWanted: () => byId("taking").open });

/** Return a picture file as base64, made small enough to be kept. */
async function photographOf(file) {
  if (!file) return "";
  const bitmap = await createImageBitmap(file);
  const factor = Math.min(1, MOST_PHOTO_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = make("canvas", { width: Math.round(bitmap.width * factor), height: Math.round(bitmap.height * factor) });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.8).split(",")[1];
}

prepare(byId("taking"), async (data, form, mark) => {
  let photograph = "";
  try {
    photograph = await photographOf(byId("taking-photo")?.files[0]);
  } catch {
    throw new CallError(400, t("This picture cannot be read; take another one, or leave it out."));
  }
  const made = await call("POST", path("/unidentified"), { ...data, photograph, camera: data.camera ?? Boolean(camera), ...mark });
  say(t("Unidentified card number %(number)s: write this number on it.", { number: made.number }));
  await look();
});

byId("agree").addEventListener("click", () => ask(byId("agreeing")));
prepare(byId("agreeing"), async (data) => {
  const made = await call("POST", path("/agreements"), data);
  say(t("Agreed: %(count)s", { count: made.number }));
  await look();
}, () => (found.waiting.length ? cards(found.waiting.length) : null));

byId("pause").addEventListener("click", () => ask(byId("pausing")));
prepare(byId("pausing"), async (data) => {
  const made = await call("POST", path("/pause"), data);
  say(t("Paused. The closing figure is %(figure)s: write it down.", { figure: made.figure }));
  await look();
}, () => (isOpen() ? cards(found.batch.burned) : null));

submit(byId("resuming"), async (data, form) => {
  const made = await call("POST", path("/resume"), { figure: whole(data.figure.trim()) });
  form.reset();
  say(t("Resumed with %(count)s cards", { count: made.figure }));
  await look();
});

submit(byId("lotting"), async (data, form) => {
  await call("POST", path("/lots"), data);
  form.reset();
  say(t("Lot: %(name)s", { name: data.lot }));
  await look();
});

prepare(byId("adding"), async (data, form, about) => {
  const made = await call("POST", path("/additions"), { ...data, ...about });
  say(t("Added to the count as entry %(sequence)s.", { sequence: made.sequence }));
  await look();
}, ({ sequence }) => found.strangers.find((one) => one.sequence === sequence)?.identifier ?? null);

// -------------------------------------------------------------------------------------------

keepLooking(look, LOOKS_EVERY_MS, askAgain);
