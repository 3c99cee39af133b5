// The head of one log on a page of its own: to be printed, photographed or written down.

import { byId, call } from "./common.js";
import { HeadPanel } from "./head.js";

const { active, batches } = await call("GET", "/api/batches");
const slug = new URLSearchParams(location.search).get("batch") ?? (active || batches[0]?.slug || "");
byId("title").textContent = batches.find((batch) => batch.slug === slug)?.title ?? slug;
new HeadPanel().follow(slug);
byId("print").addEventListener("click", () => print());
