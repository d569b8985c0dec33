import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { WebhookEvent } from "../../../src/core/webhook-event.ts";
import {
  matchesFilter,
  matchListeners,
  type WebhookFilter,
} from "../../../src/core/webhook-filter.ts";
import { readGithubEvent } from "../../../src/core/webhook-github.ts";
import {
  type WebhookFilterField,
  webhookFilterFields,
  webhookTypes,
} from "../../../src/core/webhook-types.ts";
import { issueLabeled, ping } from "./webhook-fixtures.ts";

const issue = readGithubEvent(issueLabeled, "issues");

describe("a filter", () => {
  test.each<[WebhookFilter, boolean]>([
    [{}, true],
    [{ repos: ["acme/app"], events: ["issues"], labels: ["triage"] }, true],
    [{ repos: ["other/app", "acme/app"] }, true],
    [{ repos: ["acme/app"], events: ["push"] }, false],
    [{ repos: ["Acme/App"], author: ["BOB"], labels: ["Bug"] }, true],
    [{ events: ["Issues"] }, false],
    [{ orgs: ["acme"] }, true],
    [{ org: ["acme"] }, true],
    [{ org: ["other"] }, false],
    [{ assignee: ["dan"] }, true],
    [{ branches: ["main"] }, false],
    [{ conclusions: ["failure"] }, false],
    [{ actions: [] }, true],
    [{ resources: ["issues"] }, false],
  ])("%j on an issue that was labeled: %s", (filter, matches) => {
    expect(matchesFilter(filter, issue)).toBe(matches);
  });

  test("is an AND of its fields and an OR of their values", () => {
    fc.assert(
      fc.property(event, filter, (given, wanted) => {
        const expected = Object.entries(wanted).every(([field, values]) => {
          const found = given.facts[field as WebhookFilterField] ?? [];
          return values.length === 0 || values.some((value) => found.includes(value));
        });
        expect(matchesFilter(wanted, given)).toBe(expected);
      }),
    );
  });

  test("lets fewer through with each field that is added, and more with each value", () => {
    fc.assert(
      fc.property(event, filter, field, word, (given, wanted, name, value) => {
        const { [name]: _left, ...without } = wanted;
        const narrow = { ...without, [name]: [value] };
        const wide = { ...without, [name]: [value, `${value}${value}`, "other"] };
        if (matchesFilter(narrow, given)) {
          expect(matchesFilter(without, given)).toBe(true);
          expect(matchesFilter(wide, given)).toBe(true);
        }
      }),
    );
  });

  test("of hostile field names finds nothing inherited", () => {
    for (const name of ["constructor", "__proto__", "toString"]) {
      const hostile = Object.fromEntries([[name, ["x"]]]) as WebhookFilter;
      expect(matchesFilter(hostile, issue)).toBe(false);
    }
  });
});

test("GitHub's ping starts only agents that ask for it by name", () => {
  const event = readGithubEvent(ping, "ping");
  expect(matchesFilter({}, event)).toBe(false);
  expect(matchesFilter({ repos: ["acme/app"] }, event)).toBe(false);
  expect(matchesFilter({ events: ["ping"] }, event)).toBe(true);
});

test("an event is for each agent once, and only for those that listen to where it came from", () => {
  const listeners = [
    { agent: "triage", source: "acme", filter: { events: ["issues"] } },
    { agent: "triage", source: "acme", filter: { labels: ["bug"] } },
    { agent: "reader", source: "acme", filter: { events: ["release"] } },
    { agent: "both", source: "acme", filter: { events: ["release"] } },
    { agent: "both", source: "other", filter: {} },
    { agent: "stranger", source: "third", filter: {} },
  ];
  expect(matchListeners(listeners, ["acme"], issue)).toEqual({
    matched: ["triage"],
    skipped: ["both", "reader"],
  });
  expect(matchListeners(listeners, ["acme", "other"], issue)).toEqual({
    matched: ["both", "triage"],
    skipped: ["reader"],
  });
});

const fields = [...new Set(webhookTypes.flatMap((type) => [...webhookFilterFields[type]]))];
const field = fc.constantFrom(...fields);
const word = fc.constantFrom("a", "b", "c", "aa");
const values = fc.uniqueArray(word, { maxLength: 3 });
const filter = fc.dictionary(field, values, { maxKeys: 4 }) as fc.Arbitrary<
  Record<WebhookFilterField, string[]>
>;
const event: fc.Arbitrary<WebhookEvent> = fc
  .dictionary(field, values, { maxKeys: 8 })
  .map((facts) => ({ context: {}, facts }));
