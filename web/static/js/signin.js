// The form to sign in: touch a name (or type it), then the PIN on the pad or a passphrase.

import { call, make, ROLES, sentence, t } from "./common.js";

let forms = 0;

export class SignIn {
  /** `signedIn(answer)` is told who came in; `only(person)` says whose names are offered. */
  constructor(form, { signedIn, only = () => true }) {
    this.form = form;
    this.signedIn = signedIn;
    this.only = only;
    this.group = `signin-${forms += 1}`;
    this.people = [];
    this.find = (selector) => form.querySelector(selector);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    // Arrow keys go on to the next name: only a touch or the space bar has chosen.
    this.isOnItsWay = false;
    this.find(".tiles").addEventListener("keydown", (event) => { this.isOnItsWay = event.key.startsWith("Arrow"); });
    this.find(".tiles").addEventListener("pointerdown", () => { this.isOnItsWay = false; });
    this.find(".pad").addEventListener("click", (event) => this.press(event.target.closest("button")));
  }

  /** Ask who can sign in, and begin anew. */
  async open() {
    const known = (await call("GET", "/api/login")).people;
    if (known.length || !this.people.length) this.people = known; // a stranger is told no names
    this.begin();
  }

  begin() {
    const people = this.people.filter(this.only);
    this.find(".refused").textContent = "";
    this.find("[name=secret]").value = "";
    this.find(".names").hidden = !people.length;
    this.find(".name-typed").hidden = people.length > 0;
    this.find("[name=typed]").required = !people.length;
    this.find(".secret").hidden = people.length > 0;
    this.find(".tiles").replaceChildren(...people.map((person) => make("label", { class: "tile" },
      make("input", { type: "radio", name: this.group, value: person.name, onchange: () => this.choose(person) }),
      make("span", {}, person.name, make("small", {}, ROLES[person.role]())))));
    if (!people.length) {
      this.expect("either");
      this.find("[name=typed]").focus();
    } else if (people.length === 1) {
      this.find(".tile input").checked = true;
      this.choose(people[0]);
    }
  }

  choose(person) {
    this.find(".refused").textContent = "";
    this.find("[name=secret]").value = "";
    this.find(".secret").hidden = false;
    this.expect(person.role === "supervisor" ? "passphrase" : "pin");
    if (!this.isOnItsWay) this.find("[name=secret]").focus();
  }

  // With the pad on the page, no keyboard has to slide over it.
  expect(kind) {
    const secret = this.find("[name=secret]");
    this.find(".secret").dataset.kind = kind === "either" ? "passphrase" : kind;
    secret.inputMode = kind === "pin" ? "none" : "text";
    this.find(".secret label").textContent = { pin: t("PIN"), passphrase: t("Passphrase"), either: t("PIN or passphrase") }[kind];
  }

  press(button) {
    if (!button || button.type === "submit") return;
    const secret = this.find("[name=secret]");
    secret.value = button.value === "clear" ? "" : secret.value + button.value;
  }

  get name() {
    return this.find(".tile input:checked")?.value ?? this.find("[name=typed]").value.trim();
  }

  async send() {
    if (!this.name || this.isBusy) return;
    const secret = this.find("[name=secret]");
    this.isBusy = true;
    try {
      const answer = await call("POST", "/api/login", { name: this.name, secret: secret.value });
      secret.value = "";
      this.signedIn(answer);
    } catch (error) {
      if (error.status === undefined) throw error;
      secret.value = "";
      this.find(".refused").textContent = sentence(error.message);
      if (!this.find(".secret").hidden) secret.focus();
    } finally {
      this.isBusy = false;
    }
  }
}
