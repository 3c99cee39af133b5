// What every page needs: sentences, numbers, times, calls, and making elements.

const settings = JSON.parse(document.getElementById("settings").textContent);
const locale = settings.language === "id" ? "id-ID" : "en-GB";

/** Return an English template in the page's language, its `%(name)s` filled in. */
export function t(message, values = {}) {
  const known = (text) => (Object.hasOwn(settings.messages, text) ? settings.messages[text] : text);
  return known(message).replace(/%\((\w+)\)[a-z]/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? number(value) : known(String(value));
  });
}

/** Return a sentence with a capital letter in front. */
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

const numbers = new Intl.NumberFormat(locale);
/** Return 2629 as 2.629 (Indonesian) or 2,629. */
export const number = (value) => numbers.format(value);

/** Return the whole number that somebody typed, 2629, 2.629 or 2,629; refused if it is none. */
export function whole(text) {
  if (!/^(\d{1,15}|\d{1,3}([.,]\d{3}){1,4})$/.test(text)) throw new CallError(400, t("This is no whole number: %(text)s", { text }));
  return Number(text.replace(/[.,]/g, ""));
}

/** Return the figures of lines such as “rusak = 2.129”. */
export function figures(text) {
  return Object.fromEntries(text.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
    const parts = /^(.+?)\s*[=:]\s*([\d.,]+)$/.exec(line);
    if (!parts) throw new CallError(400, t("This line is not “category = number”: %(line)s", { line }));
    return [parts[1], whole(parts[2])];
  }));
}

const clockTimes = new Intl.DateTimeFormat(locale, {
  timeZone: settings.time_zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const days = new Intl.DateTimeFormat(locale, {
  timeZone: settings.time_zone, weekday: "long", day: "numeric", month: "long", year: "numeric",
});
const calendarDays = new Intl.DateTimeFormat(locale, {
  timeZone: "UTC", weekday: "long", day: "numeric", month: "long", year: "numeric",
});

/** Return a time of day with its zone: 09.15.30 WITA. */
export const clockTime = (at) => `${clockTimes.format(new Date(at))} ${settings.zone_name}`;
/** Return a time of day without the zone, for lists. */
export const shortTime = (at) => clockTimes.format(new Date(at));
/** Return the day of a time: Rabu, 19 Desember 2018. */
export const day = (at) => days.format(new Date(at));
/** Return a calendar day (YYYY-MM-DD) in words. */
export const calendarDay = (text) => calendarDays.format(new Date(`${text}T00:00:00Z`));

const months = new Intl.DateTimeFormat(locale, { timeZone: "UTC", month: "long", year: "numeric" });
/** Return a month (YYYY-MM) in words. */
export const calendarMonth = (text) => months.format(new Date(`${text}-01T00:00:00Z`));

/** Return today at the station as a date field has it: YYYY-MM-DD. */
export const today = () => new Intl.DateTimeFormat("sv-SE", { timeZone: settings.time_zone }).format(new Date());

/** Return the day and time, without the day if it is today's. */
export function moment(at) {
  const today = day(at) === day(Date.now());
  return today ? clockTime(at) : `${day(at)} ${clockTime(at)}`;
}

/** Return what was typed, without the spaces and dots with which people group sixteen digits. */
export function typedNumber(text) {
  const digits = text.replace(/[\s.-]/g, "");
  return /^\d{16}$/.test(digits) ? digits : text.trim();
}

// What a field lacks is said by the browser in its own language unless the page says it.
const LACKS = [
  ["valueMissing", () => t("Fill this in.")],
  ["tooShort", (field) => t("At least %(least)s characters.", { least: field.minLength })],
  ["patternMismatch", () => t("Only a-z, 0-9 and hyphens, beginning and ending with a letter or figure.")],
  ["badInput", () => t("This cannot be read; write it again.")],
];
addEventListener("invalid", ({ target: field }) => {
  field.setCustomValidity("");
  const found = LACKS.find(([name]) => field.validity[name]);
  if (found) field.setCustomValidity(found[1](field));
}, { capture: true });
for (const kind of ["input", "change"]) {
  addEventListener(kind, ({ target: field }) => field.setCustomValidity?.(""), { capture: true });
}

/** The station refused a call (`status` 4xx or 5xx), or could not be reached (`status` 0). */
export class CallError extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }

  /** Whether the same call may work later: the network, the time limit, or a station in trouble. */
  get mayPass() {
    return this.status === 0 || this.status === 408 || this.status >= 500;
  }
}

const LETTING_IN = ["/api/login", "/api/pair", "/api/first-start"]; // a refusal there is an answer
let isLeaving = false;
let signedOut = () => {
  if (isLeaving) return;
  isLeaving = true;
  location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
};

/** Do something else than go to the page to sign in when nobody is signed in any more. */
export function whenSignedOut(handle) {
  signedOut = handle;
}

/** Somebody has signed in on this page: from now on it speaks for them. */
export function speakFor(signedIn) {
  settings.write_token = signedIn.write_token;
  const who = document.getElementById("who");
  if (who) who.textContent = signedIn.name;
}

const CALL_LIMIT_MS = 8000;

/** Call the station: `data` is sent as JSON, or as it is when it is a form. */
export async function call(method, path, data, limit_ms = CALL_LIMIT_MS) {
  const headers = { "Accept-Language": settings.language };
  if (method !== "GET" && settings.write_token) headers["X-Write-Token"] = settings.write_token;
  let body;
  if (data instanceof FormData) {
    body = data;
  } else if (data !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(data);
  }
  let response, answer;
  try {
    const signal = limit_ms ? AbortSignal.timeout(limit_ms) : undefined;
    response = await fetch(path, { method, headers, body, signal });
    answer = await response.json();
  } catch {
    throw new CallError(response && response.status >= 400 ? response.status : 0,
      t("The station does not answer; is it switched on?"));
  }
  if (response.status === 401 && !LETTING_IN.includes(path)) signedOut();
  if (!response.ok) throw new CallError(response.status, answer.error ?? response.statusText);
  return answer;
}

const ASKS_AGAIN_MS = 1000;

/** Do what needs the station, again until it answers; meanwhile the page says that it does not. */
export async function whenPossible(work) {
  try {
    await work();
  } catch (error) {
    if (error.status === undefined) throw error;
    banner("stale", "bad", error.message);
    setTimeout(() => whenPossible(work), ASKS_AGAIN_MS);
  }
}

/** Return the address of a batch, or of something in it. */
export const ofBatch = (slug, rest = "") => `/api/batches/${encodeURIComponent(slug)}${rest}`;

/** Make an element: `make("p", {class: "x"}, "text", other)`. */
export function make(name, attributes = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...inside.filter((one) => one !== null && one !== undefined));
  return element;
}

/** Make a picture of one of the shapes of `shapes.svg`. */
export function shape(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "shape");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#shape-${name}`);
  svg.append(use);
  return svg;
}

export const byId = (id) => document.getElementById(id);

/** Show, change or (with an empty text) take away one of the page's banners. */
export function banner(name, kind, text, ...more) {
  const known = byId(`banner-${name}`);
  if (!text) {
    known?.remove();
    return;
  }
  if (known?.dataset.text === text) return;
  const made = make("div", { id: `banner-${name}`, class: `banner ${kind}`, "data-text": text },
    make("p", {}, text), ...more);
  if (known) known.replaceWith(made);
  else byId("banners").append(made);
}

/** The words for verdicts, and for what else the big panel can say. */
export const WORDS = {
  ready: () => t("Ready"),
  counted: () => t("Counted"),
  already_counted: () => t("Already counted"),
  not_on_manifest: () => t("Not on the manifest"),
  unreadable: () => t("Unreadable"),
  void: () => t("Taken back"),
  under_seal: () => t("Under seal"),
  waiting: () => t("Not confirmed"),
  refused: () => t("Not counted"),
  paused: () => t("Paused"),
};

/** The words for who somebody is at a station. */
export const ROLES = { officer: () => t("Officer"), witness: () => t("Witness"), supervisor: () => t("Supervisor") };

/** The words for the states of a batch. */
export const STATES = {
  open: () => t("open"), paused: () => t("paused"), sealed: () => t("sealed"), cancelled: () => t("cancelled"),
};

export const REASONS = {
  too_long: () => t("The code is too long to be a card number."),
  empty: () => t("The code is empty."),
  not_text: () => t("The code holds something that is no text."),
  not_sixteen_digits: () => t("It is not a number of 16 digits."),
  impossible_birth_date: () => t("No NIK has such a birth date."),
  serial_zero: () => t("No NIK ends in 0000."),
  wrong_pattern: () => t("It does not look like a card number of this batch."),
};

/** Return what an entry is on screens: its verdict, or `void`; '' for entries that show nothing. */
export const kindOf = (entry) => (entry.kind === "void" ? "void" : entry.verdict ?? "");

/** Show on top of the page whether what it shows is a rehearsal. */
export function showRehearsal(isRehearsal) {
  byId("rehearsal").hidden = !isRehearsal;
}

/** Return a batch's title for a list, in which a rehearsal says that it is one. */
export const titleOf = (batch) => (batch.rehearsal ? `${t("REHEARSAL")}: ${batch.title}` : batch.title);

/** Fill the counted, expected, progress and other figures that officer and witness share. */
export function showTally(tally) {
  showRehearsal(tally.rehearsal);
  byId("counted").textContent = number(tally.counted);
  byId("expected").textContent = tally.has_manifest ? number(tally.expected) : "–";
  byId("expected-caption").textContent = tally.has_manifest ? t("expected") : t("no manifest");
  const progress = byId("progress");
  progress.hidden = !tally.has_manifest;
  progress.max = Math.max(tally.expected, 1);
  progress.value = tally.counted;
  byId("asides").replaceChildren(...[
    ["already_counted", t("Already counted")],
    ["not_on_manifest", t("Not on the manifest")],
    ["unreadable", t("Unreadable")],
    ["voided", t("Taken back")],
    ["manual", t("Typed")],
  ].map(([key, word]) => make("div", { class: "aside", "data-kind": key },
    make("dt", {}, word), make("dd", {}, number(tally[key])))));
}
