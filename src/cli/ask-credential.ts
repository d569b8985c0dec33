import { resolve } from "node:path";
import { password, text } from "@clack/prompts";
import { AlError } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import { isCredentialField, isKeyField, openFields } from "../core/credential-types.ts";
import { fieldValue, readField } from "./credential-fields.ts";

/** A field to ask for. */
export interface FieldQuestion {
  readonly type: string;
  readonly name: string;
  /** Why an empty answer is fine: the field is optional, or there is a value to keep. */
  readonly emptyMeans?: "skip it" | "keep it" | undefined;
}

/** Asks for one field on the terminal; undefined for an empty answer that is fine. */
export async function askField(question: FieldQuestion): Promise<Secret | undefined> {
  const { type, name, emptyMeans } = question;
  const note = emptyMeans === undefined ? "" : ` (empty to ${emptyMeans})`;
  const validate = (value: string | undefined) =>
    emptyMeans === undefined && !value ? "There is nothing there." : undefined;
  if (isKeyField(name)) {
    const path = await answered(text({ message: `File with ${name} of ${type}${note}`, validate }));
    if (!path) return undefined;
    return readField({ name, from: resolve(path) }, process.stdin);
  }
  const ask = openFields.has(`${type}/${name}`) ? text : password;
  const value = await answered(ask({ message: `${name} of ${type}${note}`, validate }));
  return value ? fieldValue(name, Buffer.from(value)) : undefined;
}

/** Asks which fields a type that we do not know has. */
export async function askFieldNames(type: string): Promise<readonly string[]> {
  const names = (value: string | undefined) => [...new Set((value ?? "").split(/[\s,]+/))];
  const answer = await answered(
    text({
      message: `${type} is not a built-in type. Names of its fields`,
      placeholder: "token",
      validate: (value) =>
        names(value).every(isCredentialField) ? undefined : "Letters, digits, `.`, `_` and `-`.",
    }),
  );
  return names(answer);
}

async function answered(answer: Promise<string | symbol | undefined>): Promise<string> {
  const value = await answer;
  if (typeof value === "symbol") {
    throw new AlError("cancelled", {
      code: "cancelled",
      blame: "user",
      hint: "Nothing was stored.",
    });
  }
  return value ?? "";
}
