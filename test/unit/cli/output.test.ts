import { expect, test } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import { createOutput } from "../../../src/cli/render/output.ts";

const HOSTILE = "rule \u001b[2J\u001b]0;owned\u0007 \u202eevil";
const SHOWN = "rule \\u{1b}[2J\\u{1b}]0;owned\\u{7} \\u{202e}evil";

/** All that is written for a person, or for a machine. */
function written(json: boolean): string {
  let said = "";
  const write = (text: string) => (said += text);
  const output = createOutput(json, { out: { write }, err: { write } });
  output.line(`${HOSTILE}\nsecond`);
  output.progress(HOSTILE);
  output.record({ text: HOSTILE });
  const of = { code: "no-such-plan", blame: "user" } as const;
  output.fail(new AlError(HOSTILE, { ...of, hint: `${HOSTILE}\nsecond` }));
  return said;
}

test("a terminal obeys nothing that somebody else wrote, wherever it is shown", () => {
  const error = `error: ${SHOWN}\n  ${SHOWN}\nsecond`;
  expect(written(false)).toBe(`${SHOWN}\nsecond\n${SHOWN}\n${error}\n`);
});

test("a machine gets the same text, with nothing in it that a terminal obeys", () => {
  const said = written(true);
  const [record, failure] = said.trim().split("\n");
  expect(JSON.parse(record ?? "")).toEqual({ text: HOSTILE });
  expect(JSON.parse(failure ?? "")).toMatchObject({ message: HOSTILE });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminals obey
  expect(said).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
});
