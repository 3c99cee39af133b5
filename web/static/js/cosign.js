// What a witness's tablet does by itself: it keeps a key of its own that nobody can take out of the
// browser, checks that a log has only grown since it last signed, and signs what it saw.
//
// Formats: c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature; the tree is RFC 6962's.

import { call, ofBatch, t } from "./common.js";

/** The log is not what it was: nothing was signed. `heads` are the two that contradict each other. */
export class Refusal extends Error {
  constructor(message, heads = []) {
    super(message);
    this.heads = heads;
  }
}

const encoder = new TextEncoder();
const bytesOf = (base64) => Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
const base64Of = (bytes) => btoa(String.fromCharCode(...bytes));
const same = (one, other) => one.length === other.length && one.every((byte, place) => byte === other[place]);

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

// --- heads and keys --------------------------------------------------------------------------

/** Return what a signed head says: `{text, origin, size, root, lines: [{name, data}]}`. */
export function parseHead(note) {
  const at = note.lastIndexOf("\n\n");
  const text = note.slice(0, at + 1);
  const [origin, size, root, ...rest] = text.split("\n");
  const lines = note.slice(at + 2).split("\n").slice(0, -1).map((line) => {
    const [dash, name, data] = line.split(" ");
    if (dash !== "—" || !data) throw new Refusal(t("The station showed something that is no signed head."));
    return { name, data: bytesOf(data) };
  });
  if (at < 0 || rest.length !== 1 || !/^(0|[1-9][0-9]{0,15})$/.test(size) || bytesOf(root).length !== 32) {
    throw new Refusal(t("The station showed something that is no signed head."));
  }
  return { note, text, origin, size: Number(size), root: bytesOf(root), lines };
}

async function keyId(name, type, raw) {
  return (await sha256(encoder.encode(`${name}\n`), Uint8Array.of(type), raw)).slice(0, 4);
}

async function checkLogSignature(head, key) {
  const plus = key.indexOf("+"); // name+key id in eight hexadecimal digits+type and key
  const name = key.slice(0, plus);
  const data = bytesOf(key.slice(plus + 10));
  const line = head.lines[0];
  const id = await keyId(name, 1, data.slice(1));
  const isNamed = name === head.origin && line?.name === name && data[0] === 1 && same(line.data.slice(0, 4), id);
  const verifier = await crypto.subtle.importKey("raw", data.slice(1), "Ed25519", false, ["verify"]);
  if (!isNamed || !await crypto.subtle.verify("Ed25519", verifier, line.data.slice(4), encoder.encode(head.text))) {
    throw new Refusal(t("The head is not signed with the station's key."));
  }
}

// --- the tree --------------------------------------------------------------------------------

const contradiction = (heads) => new Refusal(
  t("The log was changed after you signed it. Do not sign; tell the inspector and keep both heads."), heads);

/** Check that the tree of `young` begins with the tree of `old`; RFC 6962, section 2.1.2. */
export async function checkConsistency(old, young, proof) {
  const rewritten = () => contradiction([old.note, young.note]);
  if (young.size < old.size) throw rewritten();
  // From the root down to the first subtree that ends where the old tree ends.
  const aside = [];
  let low = 0;
  let high = young.size;
  while (high - low > 1 && high !== old.size) {
    let half = 1;
    while (half * 2 < high - low) half *= 2;
    const middle = low + half;
    if (old.size <= middle) {
      aside.push(middle);
      high = middle;
    } else {
      aside.push(low);
      low = middle;
    }
  }
  const known = low === 0 ? [old.root, ...proof] : [...proof];
  aside.reverse();
  if (known.length !== aside.length + 1) throw rewritten();
  let [before] = known;
  let after = before;
  for (const [place, start] of aside.entries()) {
    const sibling = known[place + 1];
    if (start < old.size) {
      before = await nodeHash(sibling, before);
      after = await nodeHash(sibling, after);
    } else {
      after = await nodeHash(after, sibling);
    }
  }
  if (!same(before, old.root) || !same(after, young.root)) throw rewritten();
}

// --- what this tablet keeps ------------------------------------------------------------------

function store(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("witness", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("kept");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction("kept", mode, { durability: "strict" });
      const asked = work(transaction.objectStore("kept"));
      transaction.oncomplete = () => {
        database.close();
        resolve(asked.result);
      };
      transaction.onabort = () => {
        database.close();
        reject(transaction.error);
      };
    };
  });
}

const kept = (name) => store("readonly", (shelf) => shelf.get(name));
const keep = (name, value) => store("readwrite", (shelf) => shelf.put(value, name));

/** Return the head of this log that the tablet has signed last: `{note, key, at}`, or undefined. */
export const lastSigned = (origin) => kept(`head ${origin}`);

const cannotKeep = () => new Error(t("This browser cannot keep a key to sign with; write the paper code down instead."));

/** Return this tablet's key, made at the first time: `{name, text, pair}`; two pages at once come to the same. */
export async function ownKey(holder) {
  const known = await kept("key");
  if (known) return known;
  // Whichever comes first is kept: a key that was shown must not be replaced by another.
  const made = await newKey(holder);
  await store("readwrite", (shelf) => shelf.add(made, "key")).catch(() => null);
  const first = await kept("key");
  if (!first) throw cannotKeep();
  return first;
}

async function newKey(holder) {
  let pair;
  try {
    pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  } catch {
    throw cannotKeep();
  }
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const mark = [...raw.slice(0, 2)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const plain = holder.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  const name = `${plain.slice(0, 80) || "witness"}-${mark}`;
  const id = [...await keyId(name, 4, raw)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { name, raw, text: `${name}+${id}+${base64Of(joined(Uint8Array.of(4), raw))}`, pair };
}

// --- signing ---------------------------------------------------------------------------------

/** Check a head against what this tablet has signed before; refuse loudly, and for ever, what contradicts it. */
export async function checkHead(slug, answer) {
  const head = parseHead(answer.note);
  const refused = await kept(`refused ${head.origin}`);
  if (refused) throw contradiction(refused);
  const before = await lastSigned(head.origin);
  await checkLogSignature(head, before?.key ?? answer.key);
  if (!before) {
    await checkOtherNames(slug, head, answer.key);
    return head;
  }
  const old = parseHead(before.note);
  const proof = old.size > 0 && old.size <= head.size
    ? (await call("GET", ofBatch(slug, `/consistency?from=${old.size}&to=${head.size}`))).proof.map(bytesOf)
    : [];
  try {
    await checkConsistency(old, head, proof);
  } catch (error) {
    // Kept: a station that shows the old log again has shown another one all the same.
    if (error instanceof Refusal) await keep(`refused ${head.origin}`, error.heads);
    throw error;
  }
  return head;
}

/** Refuse a log that began anew: the tablet has signed this batch with the same key of the station, called otherwise. */
async function checkOtherNames(slug, head, key) {
  const bytes = (text) => text.split("+").slice(2).join("+"); // behind its name and its number
  for (const name of await signedNames(slug)) {
    const other = await kept(name);
    if (bytes(other.key) !== bytes(key)) continue;
    await keep(`refused ${head.origin}`, [other.note, head.note]);
    throw contradiction([other.note, head.note]);
  }
}

async function signedNames(slug) {
  const names = await store("readonly", (shelf) => shelf.getAllKeys());
  return names.filter((name) => name.startsWith("head ") && name.endsWith(`/${slug}`));
}

/** Refuse a log that has not begun, if this tablet has signed a head of it. */
export async function checkEmpty(slug) {
  const [signed] = await signedNames(slug);
  if (signed) throw contradiction([(await kept(signed)).note]);
}

/** Ask for the head as it is now, check it, cosign it; return it and when. */
export async function checkAndSign(slug, holder) {
  const key = await ownKey(holder);
  const shown = await call("GET", ofBatch(slug, "/head"));
  if (shown.size) await checkHead(slug, shown); // before anything is written to this log
  if (!shown.witnesses.includes(key.text)) {
    await call("POST", ofBatch(slug, "/witness-keys"), { key: key.text });
  }
  const answer = await call("POST", ofBatch(slug, "/head"), {});
  const head = await checkHead(slug, answer);
  const time = Math.floor(Date.now() / 1000);
  const message = encoder.encode(`cosignature/v1\ntime ${time}\n${head.text}`);
  const stamp = new Uint8Array(8);
  new DataView(stamp.buffer).setBigUint64(0, BigInt(time));
  const made = new Uint8Array(await crypto.subtle.sign("Ed25519", key.pair.privateKey, message));
  const id = await keyId(key.name, 4, key.raw);
  // Kept before it is sent: a tablet never forgets what it has signed.
  const first = await lastSigned(head.origin);
  await keep(`head ${head.origin}`, { note: head.note, key: first?.key ?? answer.key, at: time * 1000 });
  await call("POST", ofBatch(slug, "/cosignatures"),
    { size: head.size, line: `— ${key.name} ${base64Of(joined(id, stamp, made))}\n` });
  return { head, at: time * 1000 };
}
