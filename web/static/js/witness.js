// The witness's page: what is counted now, or since when that is not known.

import { banner, byId, calendarDay, call, clockTime, make, number, showTally, t, titleOf, whenPossible } from "./common.js";
import { Entries } from "./entries.js";
import { HeadPanel } from "./head.js";
import { Live } from "./live.js";
import { isSaid, Objections } from "./objections.js";
import { Growth } from "./progress.js";
import { spotChecks } from "./spot_check.js";

let slug = "";
let isFollowingActive = true;
const entries = new Entries(byId("last"));
const head = new HeadPanel({ canSign: true, holder: byId("who")?.textContent ?? "" });
const growth = new Growth();
const objections = new Objections();
const forgetAnswer = spotChecks(() => slug);

function showGroups(table, groups, hasManifest) {
  const names = Object.keys(groups);
  const columns = hasManifest ? ["expected", "counted", "remaining"] : ["counted"];
  const words = { expected: t("expected"), counted: t("counted"), remaining: t("remaining") };
  const head = make("tr", {}, make("td"), ...columns.map((column) => make("th", { scope: "col" }, words[column])));
  const rows = names.map((name) => make("tr", { "data-name": name, "data-done": groups[name].remaining === 0 && hasManifest },
    make("th", { scope: "row" }, name || t("(none)")),
    ...columns.map((column) => make("td", { class: column }, number(groups[name][column])))));
  const total = (column) => names.reduce((sum, name) => sum + groups[name][column], 0);
  const sum = make("tr", {}, make("th", { scope: "row" }, t("Total")),
    ...columns.map((column) => make("td", {}, number(total(column)))));
  table.replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows), make("tfoot", {}, sum));
}

/** What stands beside the count: part of it, added to it, or no part of it at all. */
function showApart(tally) {
  byId("asides").replaceChildren(...[
    ["manual", t("of these typed")],
    ["added", t("Added by two people")],
    ["unidentified", t("Unidentified")],
    ["burned", t("Into the fire in all")],
    ["not_on_manifest", t("Not on the manifest")],
    ["already_counted", t("Already counted")],
    ["unreadable", t("Unreadable")],
    ["voided", t("Taken back")],
  ].map(([key, word]) => make("div", { class: "aside", "data-kind": key },
    make("dt", {}, word), make("dd", {}, number(tally[key])))));
}

function showBatch(tally) {
  showTally(tally);
  showApart(tally);
  head.begun(tally.entries > 0);
  growth.take(tally, live.stationNow());
  byId("title").textContent = tally.title;
  byId("where").textContent = [tally.place, tally.held_on && calendarDay(tally.held_on)].filter(Boolean).join(" · ");
  byId("remaining").textContent = tally.has_manifest ? number(tally.remaining) : "–";
  showGroups(byId("by-category"), tally.by_category, tally.has_manifest);
  showGroups(byId("by-district"), tally.by_district, tally.has_manifest);
  banner("state", "bad", tally.state === "cancelled" ? t("This batch was cancelled; its counts do not stand.") : "");
}

async function choose(wanted) {
  const { active, batches } = await call("GET", "/api/batches");
  slug = wanted ?? (active || batches[0]?.slug || "");
  byId("batch").replaceChildren(...(slug ? [] : [make("option", { value: "" }, t("No batch is open"))]),
    ...batches.map((batch) => make("option", { value: batch.slug, selected: batch.slug === slug }, titleOf(batch))));
  entries.clear();
  forgetAnswer();
  live.follow(slug);
  head.follow(slug);
  growth.follow(slug);
  objections.follow(slug);
}

const chooseWhenPossible = (wanted) => whenPossible(() => choose(wanted));

byId("batch").addEventListener("change", (event) => {
  isFollowingActive = false;
  chooseWhenPossible(event.target.value);
});

const live = new Live({
  picture(picture) {
    entries.clear();
    for (const entry of picture.entries) entries.add(entry);
    entries.draw();
    objections.look();
  },
  entry(entry) {
    entries.add(entry);
    entries.draw();
    if (isSaid(entry)) objections.look();
  },
  tally: showBatch,
  fault(fault) {
    banner("fault", "bad", fault.message ? t("The station has stopped counting.") : "");
  },
  active(active) {
    if (isFollowingActive && active && active !== slug) chooseWhenPossible(active);
  },
  gone: () => chooseWhenPossible(),
  alive(isAlive, at) {
    document.body.classList.toggle("stale", !isAlive);
    byId("pulse").dataset.alive = isAlive ? "yes" : "no";
    const time = at && clockTime(at);
    byId("clock").textContent = !at ? t("not connected")
      : isAlive ? t("live · %(time)s", { time }) : t("stale since %(time)s", { time });
    banner("stale", "bad", isAlive ? "" : at
      ? t("Stale since %(time)s: these numbers may have changed.", { time })
      : t("No answer from the station."));
  },
}, { closesWhenHidden: true });

chooseWhenPossible();
