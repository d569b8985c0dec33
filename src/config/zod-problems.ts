import { z } from "zod";
import { nearestName } from "./nearest-name.ts";
import { formatKeyPath, type KeyPath, type Problem } from "./problems.ts";
import type { TomlLines } from "./toml-lines.ts";

/** A value's problems in words, each with its file, line and key path; `placeOf` tells the file. */
export function zodProblems(
  schema: z.ZodType,
  error: z.ZodError,
  placeOf: (path: KeyPath) => { readonly file: string; readonly lines: TomlLines },
): readonly Problem[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path as KeyPath;
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => unknownField(schema, path, key, placeOf([...path, key])));
    }
    return [{ ...at(placeOf(path), path), message: sentence(issue) }];
  });
}

/** The problem of one value at `path`. */
export function at(
  place: { readonly file: string; readonly lines: TomlLines },
  path: KeyPath,
): { file: string; line: number | undefined; keyPath: string } {
  return { file: place.file, line: place.lines.lineOf(path), keyPath: formatKeyPath(path) };
}

function unknownField(
  schema: z.ZodType,
  path: KeyPath,
  key: string,
  place: { readonly file: string; readonly lines: TomlLines },
): Problem {
  const meant = nearestName(key, [...knownKeys(schema, path)]);
  const message = `unknown field \`${key}\``;
  return {
    ...at(place, [...path, key]),
    message: meant ? `${message}; did you mean \`${meant}\`?` : message,
  };
}

/** The fields a strict schema accepts at `path`. */
function knownKeys(schema: z.ZodType, path: KeyPath): ReadonlySet<string> {
  let found: readonly z.core.$ZodType[] = objectsIn(schema);
  for (const step of path)
    found = found.flatMap((each) => childrenAt(each, step).flatMap(objectsIn));
  const shapes = found.filter((each) => each instanceof z.ZodObject);
  return new Set(shapes.flatMap((each) => Object.keys(each.shape)));
}

/** What a schema is once optional, default, transform and union wrappers are taken off. */
function objectsIn(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return objectsIn(schema.unwrap());
  }
  if (schema instanceof z.ZodPipe) return objectsIn(schema.in);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(objectsIn);
  return [schema];
}

function childrenAt(schema: z.core.$ZodType, step: string | number): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodArray) return [schema.element];
  if (schema instanceof z.ZodRecord) return [schema.valueType];
  if (schema instanceof z.ZodObject)
    return Object.hasOwn(schema.shape, step) ? [schema.shape[step]] : [];
  return [];
}

function sentence(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return "is required";
      return `expected ${article(issue.expected)}, found ${describe(issue.input)}`;
    case "invalid_value":
      if (issue.input === undefined) return "is required";
      return notOneOf(issue.input, issue.values.map(String));
    case "invalid_union":
      return unionSentence(issue);
    case "invalid_key":
      return issue.issues[0]?.message ?? issue.message;
    case "too_small":
      if (issue.origin === "string" && issue.minimum === 1) return "must not be empty";
      return `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}${unit(issue.origin)}`;
    case "too_big":
      return `must be ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}${unit(issue.origin)}`;
    case "invalid_format":
      return issue.format === "url" ? "must be a URL with http or https" : issue.message;
    default:
      return issue.message;
  }
}

function unionSentence(issue: z.core.$ZodIssueInvalidUnion): string {
  const field = issue.path.at(-1);
  if ("options" in issue && Array.isArray(issue.options) && typeof field === "string") {
    const given = (issue.input as Readonly<Record<string, unknown>> | undefined)?.[field];
    return given === undefined ? "is required" : notOneOf(given, issue.options.map(String));
  }
  if (issue.input instanceof Date) return "a date is not possible here; write it as a string";
  if (issue.message !== "Invalid input") return issue.message;
  const expected = new Set(
    issue.errors.flatMap((issues) =>
      issues.flatMap((each) => (each.code === "invalid_type" ? [article(each.expected)] : [])),
    ),
  );
  const formats = issue.errors.flat().filter((each) => each.code !== "invalid_type");
  if (formats[0] && expected.size === 0) return sentence(formats[0]);
  if (expected.size === 0 || expected.size > 3)
    return `${describe(issue.input)} is not possible here`;
  return `expected ${[...expected].join(" or ")}, found ${describe(issue.input)}`;
}

function notOneOf(given: unknown, allowed: readonly string[]): string {
  const list = allowed.join(", ");
  const meant = typeof given === "string" ? nearestName(given, allowed) : undefined;
  const found = typeof given === "string" ? `\`${given}\`` : describe(given);
  return `${found} is not one of ${list}${meant ? `; did you mean \`${meant}\`?` : ""}`;
}

function article(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    int: "a whole number",
    number: "a number",
    boolean: "true or false",
    object: "a table",
    record: "a table",
    array: "an array",
  };
  return names[expected] ?? `a ${expected}`;
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "an array";
  if (value instanceof Date) return "a date";
  if (typeof value === "object" && value !== null) return "a table";
  if (typeof value === "number" && !Number.isInteger(value)) return "a fraction";
  return article(typeof value);
}

function unit(origin: string): string {
  if (origin === "string") return " characters long";
  return origin === "array" ? " items long" : "";
}
