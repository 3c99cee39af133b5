// The picture of how a count has grown: steps over time, drawn again as cards come in.

import { byId, call, clockTime, day, make, number, ofBatch, shortTime, t } from "./common.js";

const ASK_MS = 60_000;
const HEIGHT = 190;
const TOP = 26;
const BOTTOM = 26;

function svg(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Draws one batch's growth; what came since the station was asked is added from the live count. */
export class Growth {
  constructor() {
    this.slug = "";
    this.steps = [];
    this.place = byId("growth");
    new ResizeObserver(() => this.draw()).observe(this.place);
    setInterval(() => this.ask(), ASK_MS);
  }

  follow(slug) {
    this.slug = slug;
    this.steps = [];
    this.tally = null;
    this.draw();
    this.ask();
  }

  async ask() {
    if (!this.slug || document.hidden) return;
    const slug = this.slug;
    try {
      const { steps } = await call("GET", ofBatch(slug, "/progress"));
      if (slug !== this.slug) return;
      this.steps = steps.map((step) => ({ at: new Date(step.at).getTime(), counted: step.counted }));
      this.draw();
    } catch (error) {
      if (error.status === undefined) throw error; // the page says itself that it is stale
    }
  }

  /** The count is this now; `at`: the station's time in ms. */
  take(tally, at) {
    this.tally = tally;
    const last = this.steps.at(-1);
    if (last && tally.counted !== last.counted) this.steps.push({ at: Math.max(at, last.at), counted: tally.counted });
    if (!last && tally.counted) this.ask();
    this.draw();
  }

  /** What a time is called under the picture: with its day when the count lasts longer than one. */
  named(at, spansDays) {
    return spansDays ? `${day(at)} ${shortTime(at)}` : clockTime(at);
  }

  draw() {
    const { steps, tally } = this;
    if (steps.length < 2 || !tally) {
      this.place.replaceChildren(make("p", { class: "nothing" }, t("It is drawn from the first card on.")));
      return;
    }
    const width = Math.max(240, Math.floor(this.place.clientWidth));
    const [first, last] = [steps[0], steps.at(-1)];
    const most = Math.max(tally.expected, ...steps.map((step) => step.counted), 1);
    const x = (at) => (width - 8) * (at - first.at) / Math.max(1, last.at - first.at);
    const y = (counted) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * counted / most;
    const line = steps.map((step, place) => (place ? `H${x(step.at).toFixed(1)}V${y(step.counted).toFixed(1)}` : `M0 ${y(step.counted).toFixed(1)}`)).join("");
    const spansDays = day(first.at) !== day(last.at);
    const said = t("%(count)s counted from %(from)s to %(to)s", {
      count: last.counted, from: this.named(first.at, spansDays), to: this.named(last.at, spansDays),
    });
    const picture = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": said });
    picture.append(
      svg("path", { d: `${line}V${y(0)}H0z`, class: "grown-area" }),
      svg("path", { d: `M0 ${y(0)}H${width}`, class: "grown-axis" }),
      svg("path", { d: line, class: "grown-line" }),
      svg("circle", { cx: x(last.at), cy: y(last.counted), r: 6, class: "grown-now" }),
    );
    if (tally.has_manifest) {
      picture.append(svg("path", { d: `M0 ${y(tally.expected)}H${width}`, class: "grown-goal" }),
        svg("text", { x: 0, y: y(tally.expected) - 8, class: "grown-text" }, t("%(count)s expected", { count: tally.expected })));
    }
    picture.append(svg("text", { x: 0, y: HEIGHT - 7, class: "grown-text" }, shortTime(first.at)),
      svg("text", { x: width, y: HEIGHT - 7, "text-anchor": "end", class: "grown-text" }, shortTime(last.at)));
    this.place.replaceChildren(picture, make("p", { class: "hint-line" }, said));
    this.place.dataset.counted = number(last.counted);
  }
}
