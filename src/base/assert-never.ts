import { AlError } from "./errors.ts";

/** Makes a switch over a tagged union exhaustive: a new kind is a type error here. */
export function assertNever(value: never): never {
  throw new AlError(`unexpected value: ${JSON.stringify(value)}`, {
    code: "unexpected-value",
    blame: "bug",
  });
}
