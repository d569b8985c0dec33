import { expect, test } from "vitest";
import {
  isInstructionStep,
  lineOfParseError,
  lineOfStep,
} from "../../../src/core/dockerfile-step.ts";

const ONE = `# syntax is not used
FROM al-agent:latest
ENV A=1

RUN apt-get update && \\
    apt-get install -y jq
# a comment
COPY a b /there/
USER node
WORKDIR /there
`;

const MANY = `FROM debian AS tools
RUN one
FROM tools AS more
RUN two
FROM scratch
COPY --from=more /a /a
FROM al-agent:latest
COPY --from=tools /b /b
RUN three
`;

test.each([
  ["[1/4] FROM docker.io/library/al-agent", 2],
  ["[2/4] RUN apt-get update &&     apt-get install -y jq", 5],
  ["[linux/arm64 3/4] COPY a b /there/", undefined],
  ["[3/4] COPY a b /there/", 8],
  ["[4/4] WORKDIR /there", 10],
  ["[3/4] RUN something else", undefined],
  ["[9/9] RUN x", undefined],
  ["exporting to image", undefined],
])("in a Dockerfile of one stage %j is line %s", (step, line) => {
  expect(lineOfStep(ONE, step)).toBe(line);
});

test.each([
  ["[tools 2/2] RUN one", 2],
  ["[more 1/1] RUN two", 4],
  ["[stage-2 1/1] COPY --from=more /a /a", 6],
  ["[linux/amd64 stage-3 3/3] RUN three", 9],
  ["[stage-3 2/3] COPY --from=tools /b /b", 8],
  ["[nobody 1/1] RUN two", undefined],
])("in a Dockerfile of many stages %j is line %s", (step, line) => {
  expect(lineOfStep(MANY, step)).toBe(line);
});

test("what an instruction makes is told from BuildKit's own steps", () => {
  expect(isInstructionStep("[stage-3 2/3] COPY --from=tools /b /b")).toBe(true);
  expect(isInstructionStep("[1/4] FROM docker.io/library/al-agent")).toBe(false);
  expect(isInstructionStep("[internal] load build context")).toBe(false);
});

test("a parser's message may name a line", () => {
  expect(lineOfParseError("dockerfile parse error on line 3: unknown instruction: RUM")).toBe(3);
  expect(lineOfParseError("dockerfile parse error line 4: unknown instruction: RUM")).toBe(4);
  expect(lineOfParseError("exit code: 1")).toBeUndefined();
});
