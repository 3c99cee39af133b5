// The officer's page: one huge verdict for each card.

import {
  banner, byId, call, clockTime, kindOf, make, moment, number, ofBatch, REASONS, sentence, showRehearsal, showTally, t,
  titleOf, WORDS,
} from "./common.js";
import { Entries } from "./entries.js";
import { stayAwake } from "./awake.js";
import { ContainerLine } from "./container.js";
import { Live } from "./live.js";
import { Pace } from "./pace.js";
import * as photo from "./photo.js";
import { isSetAside, Pile } from "./pile.js";
import { watchCameras } from "./preview.js";
import { Sender } from "./sender.js";
import * as sound from "./sound.js";
import { Typing } from "./typing.js";
import * as wedge from "./wedge.js";
import { isWitnessKey, WitnessKey } from "./witness_key.js";

let slug = "";
let tally = null;
let fault = { message: "" };
let isAlive = true;
let shownSequence = -1;
let hints = {};
const sounded = new Set(); // sequences of this batch whose sound was played

const pile = new Pile(() => slug);
const pace = new Pace();
const container = new ContainerLine(() => slug);
const entries = new Entries(byId("last"), {
  onTakeBack: askToTakeBack, onFind: (entry) => pile.find(entry.sequence), isSetAside,
});

// --- the verdict ---------------------------------------------------------------------------

/** For whoever hears the page: each verdict once, though its name and number may come later. */
function speak(text) {
  if (byId("spoken").textContent !== text) byId("spoken").textContent = text;
}

function say(kind, word, card, detail, where = "") {
  speak([word, where].filter(Boolean).join(", "));
  const panel = byId("verdict");
  panel.dataset.verdict = kind;
  byId("shape").setAttribute("href", `#shape-${kind}`);
  byId("word").textContent = word;
  byId("card").textContent = card;
  byId("detail").textContent = detail;
  panel.classList.remove("flash");
  void panel.offsetWidth; // so that two equal verdicts in a row are seen as two
  panel.classList.add("flash");
  document.body.dataset.said = kind; // the colour fills the whole screen
  // On a phone the verdict comes to the top; the line above it is worth less than its size.
  if (document.activeElement?.tagName !== "INPUT") byId("verdict").scrollIntoView({ block: "nearest" });
}

function detailOf(entry) {
  const where = `${t("entry %(sequence)s", { sequence: entry.sequence })}`;
  switch (kindOf(entry)) {
    case "counted": {
      const place = [entry.category, entry.district].filter(Boolean).join(" · ");
      const earlier = entry.earlier_batch ? t("seen before in batch %(batch)s", { batch: entry.earlier_batch }) : "";
      return [entry.name, place, earlier, where].filter(Boolean).join(" · ");
    }
    case "already_counted": {
      const first = entry.first ?? {};
      const parts = [t("First counted: entry %(sequence)s", { sequence: first.sequence ?? 0 })];
      if (entry.sealed_container) parts.unshift(t("It lies under seal in container %(number)s.", { number: entry.sealed_container }));
      if (first.at) parts.push(moment(first.at));
      if (first.station) parts.push(first.station);
      if (first.by) parts.push(first.by);
      if (first.batch && first.batch !== slug) parts.push(t("batch %(slug)s", { slug: first.batch }));
      return parts.join(" · ");
    }
    case "not_on_manifest":
      return `${t("Set this card aside.")} ${where}`;
    case "unreadable":
      return `${(REASONS[entry.reason] ?? REASONS.wrong_pattern)()} ${t("Scan it again or type the number.")}`;
    case "void":
      return `${t("entry %(sequence)s", { sequence: entry.target })} · ${entry.reason}`;
    default:
      return "";
  }
}

function show(entry) {
  const kind = kindOf(entry);
  if (!kind) return;
  shownSequence = entry.sequence;
  byId("verdict").dataset.sequence = entry.sequence;
  const shown = entry.sealed_container ? "under_seal" : kind;
  say(shown, WORDS[shown](), entry.identifier || entry.masked || "", detailOf(entry),
    t("entry %(sequence)s", { sequence: entry.sequence }));
  if (!entry.identifier && entry.masked && kind !== "void") fetchWhole(entry.sequence);
}

// Streams carry masked numbers only; the officer's own result is asked for apart.
async function fetchWhole(sequence) {
  try {
    const whole = await call("GET", ofBatch(slug, `/entries/${sequence}`));
    entries.add(whole);
    if (shownSequence !== sequence) return;
    byId("card").textContent = whole.identifier;
    byId("detail").textContent = detailOf({ ...entries.known.get(sequence) });
  } catch (error) {
    if (error.status === undefined) throw error; // the masked number stays
  }
}

function takeIn(entry) {
  const isNew = entries.add(entry);
  const known = entries.known.get(entry.sequence);
  entries.draw();
  refreshUndo();
  if (isNew) {
    pace.heard(entry);
    pile.heard(entry);
  }
  if (isNew && entry.sealed_container) { // late, too: it is an alarm
    sounded.add(entry.sequence);
    sound.play("under_seal");
    container.alarm(entry);
  }
  if (isNew && !entry.replayed && kindOf(entry) && !sounded.has(entry.sequence)) {
    sounded.add(entry.sequence);
    sound.play(kindOf(entry));
  }
  if (entry.sequence > shownSequence || (entry.sequence === shownSequence && entry.identifier)) show(known);
}

// --- cards from this page ------------------------------------------------------------------

const sender = new Sender({
  confirmed(ofSlug, entry) {
    if (ofSlug !== slug) return;
    if (byId("verdict").dataset.verdict === "waiting") shownSequence = Math.min(shownSequence, entry.sequence - 1);
    takeIn(entry);
  },
  refused(error) {
    sound.play("refused");
    say("refused", t("Not counted"), "", sentence(error.message));
  },
  waiting(count) {
    const text = count
      ? t("Not confirmed: %(count)s. Do not go on before this is gone; the station is asked again and again.", { count })
      : "";
    banner("waiting", "bad", text);
    if (count && byId("verdict").dataset.verdict !== "waiting") {
      sound.play("waiting");
      say("waiting", WORDS.waiting(), "", t("The station has not answered. Keep this card in your hand."));
    }
  },
});

const witnessKey = new WitnessKey(() => slug);

function capture(payload, typed) {
  sound.wake(refreshSound);
  if (!slug) {
    sound.play("refused");
    say("refused", t("Not counted"), "", t("No batch is open. The supervisor opens one."));
  } else if (isWitnessKey(payload)) {
    witnessKey.ask(payload);
  } else if (!sender.take(slug, payload, typed)) {
    sound.play("refused");
    say("refused", t("Not counted"), "", t("Too many cards wait for the station. Scan this one again later."));
  }
}

wedge.listen((text) => capture(text, false), {
  unended: () => wedgeHint(t("The scanner sends no Enter after the code, so nothing was counted: set its suffix to Enter (CR).")),
  capitals: () => wedgeHint(t("Caps Lock is on: the scanner's letters come reversed. Switch it off.")),
});

function wedgeHint(text) {
  sound.play("refused");
  banner("wedge", "hint", text);
  clearTimeout(wedgeHint.timer);
  wedgeHint.timer = setTimeout(() => banner("wedge", "", ""), 12_000);
}

new Typing({ slug: () => slug, count: (text) => capture(text, true) });

photo.listen(() => slug, {
  entry: takeIn,
  offer: askAbout,
  unread() {
    sound.play("unreadable");
    say("unreadable", WORDS.unreadable(), "", t("Nothing on the picture could be read for certain. Nothing was counted: take it again from closer, or type the number."));
  },
  refused(error) {
    sound.play("refused");
    say("refused", t("Not counted"), "", sentence(error.message));
  },
});

// --- taking back ---------------------------------------------------------------------------

let undoing = null;

function askToTakeBack(entry) {
  undoing = entry;
  byId("undo-what").textContent = [
    t("entry %(sequence)s", { sequence: entry.sequence }), entry.identifier || entry.masked, clockTime(entry.at),
  ].join(" · ");
  byId("undo-refused").textContent = "";
  byId("reason").value = "";
  byId("undoing").showModal();
}

function refreshUndo() {
  byId("undo").disabled = !entries.lastCounted;
}

byId("undo").addEventListener("click", () => entries.lastCounted && askToTakeBack(entries.lastCounted));
byId("undo-leave").addEventListener("click", () => byId("undoing").close());
byId("undoing").querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = byId("undo-do");
  button.disabled = true;
  try {
    const reason = byId("reason").value;
    takeIn(await call("POST", ofBatch(slug, "/void"), { sequence: undoing.sequence, reason }));
    byId("undoing").close();
    await findLastCounted();
  } catch (error) {
    if (error.status === undefined) throw error;
    byId("undo-refused").textContent = sentence(error.message);
  } finally {
    button.disabled = false;
  }
});

// The last card that counts may be further back than what this page has seen.
async function findLastCounted() {
  if (entries.lastCounted) return;
  const { last_counted: last } = await call("GET", ofBatch(slug, "/live"));
  if (last) entries.add(last);
  refreshUndo();
}

addEventListener("keydown", (event) => {
  if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || document.querySelector("dialog[open]")) return;
  if (event.target instanceof HTMLInputElement && event.target.value) return; // its own undo
  event.preventDefault();
  if (entries.lastCounted) askToTakeBack(entries.lastCounted);
});

// --- the batch -----------------------------------------------------------------------------

async function choose(wanted) {
  const { active, batches } = await call("GET", "/api/batches");
  const open = batches.filter((batch) => batch.state === "open" || batch.state === "paused");
  slug = wanted ?? active;
  byId("batch").replaceChildren(...(slug ? [] : [make("option", { value: "" }, t("No batch is open"))]),
    ...open.map((batch) => make("option", { value: batch.slug, selected: batch.slug === slug }, titleOf(batch))));
  entries.clear();
  sounded.clear();
  pile.clear();
  pace.clear();
  shownSequence = -1;
  refreshUndo();
  sayReady();
  if (!slug) showRehearsal(false);
  live.follow(slug);
}

async function chooseWhenPossible(wanted) {
  try {
    await choose(wanted);
  } catch (error) {
    if (error.status === undefined) throw error;
    banner("stale", "bad", error.message);
    setTimeout(() => chooseWhenPossible(wanted), 1000);
  }
}

byId("batch").addEventListener("change", async (event) => {
  const wanted = event.target.value;
  event.target.blur();
  try {
    await call("POST", ofBatch(wanted, "/activate"), {});
    await choose(wanted);
  } catch (error) {
    if (error.status === undefined) throw error;
    banner("refused", "bad", sentence(error.message));
    await chooseWhenPossible();
  }
});

/** A pause stands where verdicts stand, until it ends. */
function showPause(isPaused, wasPaused) {
  const shown = byId("verdict").dataset.verdict;
  if (isPaused && (!wasPaused || shown === "ready")) say("paused", WORDS.paused(), "", t("No card is taken until counting is resumed."));
  if (!isPaused && shown === "paused") sayReady();
}

function sayReady() {
  say("ready", WORDS.ready(), "", slug
    ? t("Scan a card, hold it in front of the camera, or type its number.")
    : t("No batch is open. The supervisor opens one."));
}

function showBatch(newTally) {
  const wasPaused = tally?.state === "paused";
  tally = newTally;
  showTally(tally);
  if (wasPaused || tally.state === "paused") showPause(tally.state === "paused", wasPaused);
  container.heard(tally);
  pace.tally = tally;
  pace.show(live.stationNow());
  byId("choosing").hidden = tally.has_manifest;
  if (!tally.has_manifest) {
    if (document.activeElement !== byId("category")) byId("category").value = tally.category;
    byId("categories").replaceChildren(
      ...Object.keys(tally.by_category).filter(Boolean).map((name) => make("option", { value: name })));
  }
  banner("category", "hint", !tally.has_manifest && !tally.category
    ? t("This batch has no manifest: choose the category of the next cards.") : "");
}

byId("choosing").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    showBatch(await call("POST", ofBatch(slug, "/category"), { category: byId("category").value }));
    byId("category").blur();
    banner("refused", "", "");
  } catch (error) {
    if (error.status === undefined) throw error;
    banner("refused", "bad", sentence(error.message));
  }
});

// --- readers, station, sound ---------------------------------------------------------------

const STATES = {
  ready: () => t("ready"), lost: () => t("lost"), opening: () => t("opening"), closed: () => t("closed"),
};

function showReaders(readers) {
  byId("readers").replaceChildren(...readers.map((one) => make("li", { "data-state": one.state },
    make("span", { class: "dot", "aria-hidden": "true" }), one.reader,
    make("span", { class: one.state === "ready" ? "unseen" : "" }, `: ${(STATES[one.state] ?? STATES.opening)()}`))));
  const lost = readers.filter((one) => one.state === "lost");
  for (const one of readers) {
    banner(`reader-${one.reader}`, "bad", one.state === "lost" ? named(one.reader, t(one.message, one.values)) : "");
    const hint = one.hint;
    if (hint && hints[one.reader] !== hint.at) {
      const isFirst = !(one.reader in hints);
      hints[one.reader] = hint.at;
      if (!isFirst || Date.now() - new Date(hint.at) < 5000) {
        showHint(one.reader, t(hint.message, hint.values));
        if (hint.offers) showOffer();
      }
    }
    hints[one.reader] ??= "";
  }
  document.body.classList.toggle("has-lost-reader", lost.length > 0);
}

// Most sentences name their reader already.
const named = (reader, text) => (text.includes(reader) ? sentence(text) : `${reader}: ${sentence(text)}`);

// Why a card is not read, and what else can be done with it, stand beside each other.
function showHint(reader, text) {
  const name = `hint-${reader}-${text.length}`;
  banner(name, "hint", named(reader, text));
  setTimeout(() => banner(name, "", ""), 8000);
}

// --- a card that a camera read unsurely, or a witness's key ------------------------------------------------------

let offered = null;

async function showOffer() {
  try {
    askAbout((await call("GET", ofBatch(slug, "/offer"))).offer);
  } catch (error) {
    if (error.status === undefined) throw error; // the hint stays
  }
}

function askAbout(offer) {
  if (offer?.witness_key) {
    if (!byId("fault").open) witnessKey.ask(offer.witness_key);
    return;
  }
  offered = offer;
  if (!offered || byId("undoing").open || byId("fault").open) return;
  byId("offer-card").textContent = offered.identifier;
  byId("offer-detail").textContent = [offered.name, offered.category, offered.district].filter(Boolean).join(" · ");
  if (!byId("offering").open) byId("offering").showModal();
}

byId("offer-no").addEventListener("click", () => byId("offering").close());
byId("offer-yes").addEventListener("click", () => {
  byId("offering").close();
  capture(offered.identifier, true);
});

function showFault(newFault) {
  const dialog = byId("fault");
  fault = newFault;
  if (fault.message) {
    byId("fault-why").textContent = sentence(t(fault.message, fault.values));
    if (!dialog.open) {
      byId("undoing").close();
      byId("offering").close();
      byId("naming").close();
      byId("fault-refused").textContent = "";
      dialog.showModal();
      sound.play("fault");
    }
  } else if (dialog.open) {
    dialog.close();
  }
}

byId("fault").addEventListener("cancel", (event) => event.preventDefault());
byId("recover").addEventListener("click", async () => {
  byId("recover").disabled = true;
  try {
    showFault((await call("POST", "/api/station/recover", {}, 60_000)).fault);
    await chooseWhenPossible(slug);
  } catch (error) {
    if (error.status === undefined) throw error;
    byId("fault-refused").textContent = sentence(error.message);
  } finally {
    byId("recover").disabled = false;
  }
});

function refreshSound() {
  const isOn = sound.isAwake();
  banner("sound", "hint", isOn ? "" : t("The sound is off until you tap once anywhere."),
    make("button", { type: "button", id: "sound", onclick: () => sound.wake(refreshSound) }, t("Sound on")));
}

// Not when the finger comes down: the banner would go, and the button move away from under it.
for (const kind of ["click", "keydown"]) {
  addEventListener(kind, () => sound.isAwake() || sound.wake(refreshSound), { capture: true });
}

const live = new Live({
  picture(picture) {
    for (const entry of picture.entries) {
      entries.add(entry);
      pace.heard(entry);
    }
    if (picture.last_counted) entries.add(picture.last_counted);
    entries.draw();
    refreshUndo();
    const newest = entries.newest[0];
    if (newest && newest.sequence > shownSequence) shownSequence = newest.sequence;
  },
  entry: takeIn,
  tally: showBatch,
  readers: showReaders,
  fault: showFault,
  active(active) {
    if (active !== slug) chooseWhenPossible(active);
  },
  gone: () => chooseWhenPossible(),
  alive(alive, at) {
    if (alive === isAlive) return;
    isAlive = alive;
    banner("stale", "bad", alive ? "" : staleText(at));
  },
});

function staleText(at) {
  const since = at ? t("No answer from the station since %(time)s.", { time: clockTime(at) }) : t("No answer from the station.");
  return `${since} ${t("Cards are not confirmed.")}`;
}

watchCameras(byId("preview"));
setInterval(() => pace.show(live.stationNow()), 2000);
stayAwake();
sound.wake(refreshSound);
chooseWhenPossible();
