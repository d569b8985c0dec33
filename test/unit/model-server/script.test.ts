import { expect, test } from "vitest";
import {
  faultOf,
  fillTemplates,
  type ModelRequest,
  type ModelScript,
  selectTurn,
} from "../../model-server/script.ts";

const request: ModelRequest = {
  model: "m",
  system: "You are dev. The word is heron.",
  text: "You are dev. The word is heron.\ngo",
  assistantMessages: 1,
  toolNames: [],
};

const script: ModelScript = [
  { when: "You are reviewer", turns: [{ text: "r0" }, { text: "r1" }] },
  { when: "You are dev", turns: [{ text: "d0" }, { text: "d1" }] },
  { turns: [{ text: "anybody" }] },
];

test("the first conversation whose words occur answers, with the turn of the request", () => {
  expect(selectTurn(script, request)).toEqual({ text: "d1" });
  expect(selectTurn(script, { ...request, assistantMessages: 0 })).toEqual({ text: "d0" });
  expect(selectTurn(script, { ...request, text: "else", assistantMessages: 0 })).toEqual({
    text: "anybody",
  });
});

test("a request the script does not foresee is a problem, not an answer", () => {
  expect(selectTurn(script, { ...request, assistantMessages: 2 })).toEqual({
    problem: "the script has no turn 2",
  });
  expect(selectTurn([], request)).toHaveProperty("problem");
});

test("templates take words of the request into texts and tool inputs, at any depth", () => {
  const turn = {
    text: "{{match:word is (\\w+)}}/{{match:nothing}}/{{match:go}}",
    toolCalls: [
      {
        name: "bash",
        input: { command: "echo {{match:word is (\\w+)}}", list: ["{{match:go}}"], n: 1 },
      },
    ],
  };
  expect(fillTemplates(turn, request)).toEqual({
    text: "heron//go",
    toolCalls: [{ name: "bash", input: { command: "echo heron", list: ["go"], n: 1 } }],
  });
});

test("faults meet the first attempts in order, and then the turn is answered", () => {
  const turn = {
    faults: [{ kind: "status", status: 429, times: 2 }, { kind: "cut" }] as const,
  };
  const kinds = [0, 1, 2, 3].map((attempt) => faultOf(turn, attempt)?.kind);
  expect(kinds).toEqual(["status", "status", "cut", undefined]);
  const always = { faults: [{ kind: "status", status: 500, times: 0 }] as const };
  expect(faultOf(always, 99)).toMatchObject({ status: 500 });
});
