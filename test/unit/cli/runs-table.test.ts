import { expect, test } from "vitest";
import { runRecordLines, runTable } from "../../../src/cli/render/runs.ts";
import type { RunAnswer } from "../../../src/gateway/control-schema.ts";

const run: RunAnswer = {
  ...{ id: "01KAAAAAAAAAAAAAAAAAAAAAAA", agent: "dev", trigger: "webhook", source: "github" },
  ...{ by: "ann@laptop", state: "finished", outcome: "over-budget", exitCode: 137 },
  ...{ createdAt: 0, startedAt: 1000, endedAt: 3500, detail: "it took 3 turns; maxTurns is 2" },
  ...{ revision: "abc", release: "def", image: "al-p/agent:123", imageId: "sha256:9" },
  credentialVersions: { "git_ssh:bot": "77" },
  limits: { maxTurns: 2 },
  usage: {
    ...{ inputTokens: 10, outputTokens: 5, cacheReadTokens: 1, cacheWriteTokens: 0 },
    ...{ totalTokens: 16, cost: 0.5, turnCount: 3 },
  },
};
const queued: RunAnswer = {
  ...{ id: "01KBBBBBBBBBBBBBBBBBBBBBBB", agent: "a\u001b[2J", trigger: "manual" },
  ...{ state: "queued", createdAt: 0 },
};

test("runs are a table", () => {
  expect(
    runTable([
      { host: "one", run },
      { host: "two", run: queued },
    ]),
  ).toEqual([
    "RUN                         HOST  AGENT       TRIGGER  OUTCOME      CREATED               TOOK   TOKENS  COST",
    "01KAAAAAAAAAAAAAAAAAAAAAAA  one   dev         webhook  over-budget  1970-01-01 00:00:00Z  2.5 s  16      $0.5000",
    "01KBBBBBBBBBBBBBBBBBBBBBBB  two   a\\u{1b}[2J  manual   queued       1970-01-01 00:00:00Z  -      -       -",
  ]);
  expect(runTable([])).toEqual(["no runs yet"]);
});

test("of one run everything is told that is recorded", () => {
  expect(runRecordLines("one", run).join("\n")).toBe(`\
run         01KAAAAAAAAAAAAAAAAAAAAAAA
agent       dev on one
trigger     webhook github, by hand: ann@laptop
created     1970-01-01 00:00:00Z
started     1970-01-01 00:00:01Z
ended       1970-01-01 00:00:03Z (after 2.5 s)
outcome     over-budget, exit 137
reason      it took 3 turns; maxTurns is 2
revision    abc
release     def
image       al-p/agent:123 sha256:9
tokens      16: 10 in, 5 out, 1 from the cache; 3 turns
cost        $0.5000
limits      maxTurns 2
credential  git_ssh:bot version 77`);
  expect(runRecordLines("one", queued)).toHaveLength(5);
});
