// Tables as CSV files that a spreadsheet opens: semicolons, a BOM, nothing that it would compute.

import { make } from "./common.js";

const quoted = (text) => `"${String(text ?? "").replaceAll('"', '""').replace(/^[=+\-@\t\r\n＝＋－＠']/, "'$&")}"`;

/** Give lines of cells to whoever looks at the page, as a file. */
export function saveCsv(name, lines) {
  const text = `\ufeff${lines.map((line) => line.map(quoted).join(";")).join("\r\n")}\r\n`;
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
