// How camfleet logs in to a camera: a secret is written once and never shown; cameras.yaml only names where it is.

import { change, pathOf } from "../base/api.js";
import { choice, field, textInput } from "../base/controls.js";
import { make } from "../base/dom.js";
import { clearFault } from "./form-faults.js";

const WAYS = [
  ["none", "no login"],
  ["secret", "user and password, kept in a file of the fleet"],
  ["env", "from an environment variable (user:password)"],
  ["file", "from a file on the box (user:password)"],
];
const HINT = "Kept in a file that only the fleet's services read, never shown again. Name a variable or a file there where capture runs on another box.";

export class LoginFields {
  constructor() {
    this.way = choice(WAYS, "none", () => this.show());
    this.way.name = "credentials";
    this.user = textInput();
    this.password = make("input", { type: "password", autocomplete: "new-password" });
    this.place = textInput();
    this.secret = make("div", { class: "fields" }, field("User", this.user), field("Password", this.password, HINT));
    this.named = field("Name of the variable, or path of the file", this.place);
    this.element = make("div", { class: "login-fields" }, field("Login at the camera", this.way), this.secret, this.named);
    this.element.addEventListener("input", () => clearFault(this.way)); // it bears what is wrong of the others
    this.show();
  }

  // A camera that is there keeps its login unless another one is given.
  forExisting() {
    this.way.prepend(make("option", { value: "keep", text: "as it is" }));
    this.way.value = "keep";
    this.show();
  }

  show() {
    this.secret.hidden = this.way.value !== "secret";
    this.named.hidden = !["env", "file"].includes(this.way.value);
  }

  faults() {
    if (this.way.value === "secret" && !(this.user.value && this.password.value)) return { credentials: "Enter user and password." };
    if (!this.named.hidden && !this.place.value.trim()) return { credentials: "Name the variable or the file." };
    return {};
  }

  // What cameras.yaml shall say; undefined: what it says already.
  reference() {
    if (this.way.value === "keep" || this.way.value === "secret") return undefined;
    return this.way.value === "none" ? null : `\${${this.way.value}:${this.place.value.trim()}}`;
  }

  // The login of another camera is never written over.
  async write(camera, isNew) {
    if (this.way.value !== "secret") return this.reference();
    const { body } = await change("PUT", `/v1/secrets/${pathOf(camera)}`, this.typed, isNew && "*", "if-none-match");
    this.password.value = "";
    return body.credentials;
  }

  get typed() {
    return { user: this.user.value, password: this.password.value };
  }

  // What a trial logs in with; null: as the camera does.
  get tried() {
    if (this.way.value === "keep") return null;
    return this.way.value === "secret" ? this.typed : { credentials: this.reference() };
  }
}
