// The head of one log on a page of its own: to be printed, photographed or written down.

import { byId, call, showRehearsal } from "./common.js";
import { HeadPanel } from "./head.js";

const { active, batches } = await call("GET", "/api/batches");
const slug = new URLSearchParams(location.search).get("batch") ?? (active || batches[0]?.slug || "");
const batch = batches.find((one) => one.slug === slug);
byId("title").textContent = batch?.title ?? slug;
showRehearsal(batch?.rehearsal ?? false);
new HeadPanel().follow(slug);
byId("print").addEventListener("click", () => print());
