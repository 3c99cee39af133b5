// The officer's page: one huge verdict for each card.

import {
  banner, byId, call, clockTime, kindOf, make, moment, number, ofBatch, REASONS, sentence, showRehearsal, showTally, t,
  titleOf, whenPossible, WORDS,
} from "./common.js";
import { stayAwake } from "./awake.js";
import { ContainerLine } from "./container.js";
import { Entries } from "./entries.js";
import { askAgain } from "./forms.js";
import { Live } from "./live.js";
import { Offer } from "./offer.js";
import { Pace } from "./pace.js";
import * as photo from "./photo.js";
import { isSetAside, Pile } from "./pile.js";
import { watchCameras } from "./preview.js";
import { Readers } from "./readers.js";
import { Sender } from "./sender.js";
import * as sound from "./sound.js";
import { TakingBack } from "./take_back.js";
import { Typing } from "./typing.js";
import * as wedge from "./wedge.js";
import { isWitnessKey, WitnessKey } from "./witness_key.js";

let slug = "";
let tally = null;
let fault = { message: "" };
let isAlive = true;
let shownSequence = -1;
const sounded = new Set(); // sequences of this batch whose sound was played

const pile = new Pile({
  slug: () => slug,
  // Its red light is done with, too, unless another card's is shown by now.
  takenOut: (sequence) => shownSequence === sequence && byId("verdict").dataset.verdict === "not_on_manifest" && sayReady(),
});
const pace = new Pace();
const container = new ContainerLine(() => slug);
const entries = new Entries(byId("last"), {
  onTakeBack: (entry) => takeBack.ask(entry), onFind: (entry) => pile.find(entry.sequence), isSetAside,
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
      return `${t("Set this card aside.")} ${sentence(where)}`;
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
  takeBack.refresh();
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
  offer: (found) => offer.ask(found),
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

const takeBack = new TakingBack({ slug: () => slug, entries, taken: takeIn });

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
  takeBack.refresh();
  sayReady();
  if (!slug) showRehearsal(false);
  live.follow(slug);
}

const chooseWhenPossible = (wanted) => whenPossible(() => choose(wanted));

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

const offer = new Offer({ slug: () => slug, count: (payload) => capture(payload, true), key: (text) => witnessKey.ask(text) });
const readers = new Readers({ offered: () => offer.look() });

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
    takeBack.refresh();
    const newest = entries.newest[0];
    if (newest && newest.sequence > shownSequence) shownSequence = newest.sequence;
    askWhatWasBegun();
  },
  entry: takeIn,
  tally: showBatch,
  readers: (all) => readers.show(all),
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

let hasAsked = false;

/** Open the dialog again in which something was typed when this page was left. */
function askWhatWasBegun() {
  if (hasAsked) return;
  hasAsked = true;
  if (!askAgain()) witnessKey.askAgain();
}

function staleText(at) {
  const since = at ? t("No answer from the station since %(time)s.", { time: clockTime(at) }) : t("No answer from the station.");
  return `${since} ${t("Cards are not confirmed.")}`;
}

watchCameras(byId("preview"));
setInterval(() => pace.show(live.stationNow()), 2000);
stayAwake();
sound.wake(refreshSound);
chooseWhenPossible();
