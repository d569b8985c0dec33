/** A value that JSON can carry. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/**
 * JSON with sorted keys and no white space: equal values give equal bytes.
 * Keys whose value is undefined are left out, as JSON.stringify does.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return isArray(value) ? arrayText(value) : objectText(value);
}

function arrayText(values: readonly Json[]): string {
  let text = "";
  for (const value of values) text += `${text === "" ? "" : ","}${canonicalJson(value)}`;
  return `[${text}]`;
}

function objectText(value: { readonly [key: string]: Json | undefined }): string {
  let text = "";
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member === undefined) continue;
    text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
