import fc from "fast-check";
import { expect, test } from "vitest";
import { contextPaths, unreadableSources } from "../../../src/core/build-context.ts";
import { imagesUsed, isBareFrom, rewriteDockerfile } from "../../../src/core/dockerfile.ts";
import { parseDockerfile } from "../../../src/core/dockerfile-parse.ts";
import { baseExpectations, packageManagerOf } from "../../../src/core/package-managers.ts";

const MAP = { "al-agent:latest": "al-acme/base:123" };

test.each([
  ["FROM al-agent:latest", "FROM al-acme/base:123"],
  ["FROM al-agent", "FROM al-acme/base:123"],
  ["from al-agent:latest as X\r\nRUN x\r\n", "from al-acme/base:123 as X\r\nRUN x\r\n"],
  [
    "FROM --platform=linux/amd64 al-agent:latest AS a",
    "FROM --platform=linux/amd64 al-acme/base:123 AS a",
  ],
  ["FROM \\\n  al-agent:latest", "FROM \\\n  al-acme/base:123"],
  ["FROM \\\n# comment\n\n  al-agent:latest", "FROM \\\n# comment\n\n  al-acme/base:123"],
  ["# escape=`\nFROM `\n al-agent:latest", "# escape=`\nFROM `\n al-acme/base:123"],
  ["ARG BASE=al-agent:latest\nFROM $BASE", "ARG BASE=al-acme/base:123\nFROM $BASE"],
  ['ARG A=1 BASE="al-agent"\nFROM $BASE', 'ARG A=1 BASE="al-acme/base:123"\nFROM $BASE'],
  [
    "FROM node:24\nCOPY --chown=1:1 --from=al-agent:latest /app /app",
    "FROM node:24\nCOPY --chown=1:1 --from=al-acme/base:123 /app /app",
  ],
  [
    "FROM a\nRUN --mount=type=bind,from=al-agent:latest,target=/x ls /x",
    "FROM a\nRUN --mount=type=bind,from=al-acme/base:123,target=/x ls /x",
  ],
  [
    "FROM a\nRUN --network=none \\\n  --mount=from=al-agent,target=/x <<EOF\ncat /x\nEOF",
    "FROM a\nRUN --network=none \\\n  --mount=from=al-acme/base:123,target=/x <<EOF\ncat /x\nEOF",
  ],
  ['FROM "al-agent:latest" AS x', "FROM al-acme/base:123 AS x"],
  ["\uFEFFFROM al-agent:latest", "\uFEFFFROM al-acme/base:123"],
  ["\t FROM\tal-agent:latest\tAS\tx", "\t FROM\tal-acme/base:123\tAS\tx"],
  [
    "FROM a AS one\nFROM al-agent AS two\nCOPY --from=one /a /a\nADD --from=al-agent /b /b",
    "FROM a AS one\nFROM al-acme/base:123 AS two\nCOPY --from=one /a /a\nADD --from=al-acme/base:123 /b /b",
  ],
  [
    "# syntax=docker/dockerfile:1\n# check=skip=JSONArgsRecommended; error=true\n# escape=`\nFROM `\n al-agent",
    "# syntax=docker/dockerfile:1\n# check=skip=JSONArgsRecommended; error=true\n# escape=`\nFROM `\n al-acme/base:123",
  ],
  ["# a\n# escape=`\nFROM \\\n al-agent", "# a\n# escape=`\nFROM \\\n al-acme/base:123"],
  [`ARG TAG=latest\nFROM al-agent:\${TAG}`, "ARG TAG=latest\nFROM al-acme/base:123"],
  [`FROM al-agent:\${TAG:-latest} AS x`, "FROM al-acme/base:123 AS x"],
  [
    `ARG A=al-agent\nARG B=$A:latest\nFROM \${B}`,
    "ARG A=al-acme/base:123\nARG B=$A:latest\nFROM al-acme/base:123",
  ],
  [`FROM \${BASE:-al-agent}`, "FROM al-acme/base:123"],
  ["ARG A=al\nARG B=$A-agent\nFROM $B:latest", "ARG A=al\nARG B=$A-agent\nFROM al-acme/base:123"],
  [
    "FROM a\nRUN echo 'cat <<EOF'\nCOPY --from=al-agent /a /a",
    "FROM a\nRUN echo 'cat <<EOF'\nCOPY --from=al-acme/base:123 /a /a",
  ],
  [
    'FROM a\nRUN echo "x \\" <<E" \\\n  y\nFROM al-agent',
    'FROM a\nRUN echo "x \\" <<E" \\\n  y\nFROM al-acme/base:123',
  ],
  ["FROM a\nRUN cat <<<word\nFROM al-agent", "FROM a\nRUN cat <<<word\nFROM al-acme/base:123"],
  [
    "FROM a\nRUN echo $((1<<2))\nFROM al-agent",
    "FROM a\nRUN echo $((1<<2))\nFROM al-acme/base:123",
  ],
  ["FROM a\nRUN dir C:\\\\\nFROM al-agent", "FROM a\nRUN dir C:\\\\\nFROM al-acme/base:123"],
])("%j becomes %j", (before, after) => {
  expect(rewriteDockerfile(before, MAP)).toBe(after);
});

test.each([
  "FROM node:24\nRUN echo FROM al-agent:latest",
  "# FROM al-agent:latest\nFROM node:24",
  "FROM al-agent:1.0",
  "FROM acme/al-agent:latest",
  "FROM al-agent@sha256:abc",
  "FROM node:24 AS al-agent:latest\nFROM al-agent:latest",
  "FROM node:24 AS al-agent\nFROM AL-AGENT\nCOPY --from=al-agent /a /a",
  "FROM node:24\nRUN cat <<EOF > x\nFROM al-agent:latest\nEOF\nRUN true",
  "FROM node:24\nRUN <<-'A' cat && <<B cat\n\tFROM al-agent:latest\n\tA\nCOPY --from=al-agent:latest x y\nB",
  "FROM node:24\nCOPY <<EOF /x\nFROM al-agent:latest\nEOF",
  "FROM node:24\nARG X=al-agent:latest",
  "FROM node:24\nRUN printf 'a \\\nFROM al-agent:latest'",
  "FROM node:24\nRUN echo --from=al-agent:latest",
  "FROM node:24\nRUN cat \\\n# not the end\n  3<<EOF\nFROM al-agent:latest\nEOF",
  "FROM node:24\nRUN <<1\nFROM al-agent:latest\n1",
  'FROM node:24\nRUN <<"E O"\nFROM al-agent:latest\nE O',
  "FROM node:24\nRUN x <<A <<'B'\nA\nFROM al-agent\nB",
  "FROM node:24\nRUN <<EOF\nFROM al-agent:latest",
  "ARG TAG\nFROM al-agent:$TAG",
  "ARG BASE=node\nFROM $BASE\nARG BASE=al-agent\nFROM x-$BASE",
  "FROM node AS al-agent\nARG X=al-agent\nRUN --mount=from=al-agent,target=/x true",
  "FROM node\nCOPY al-agent:latest /x",
  "FROM",
  "FROM --platform=linux/amd64",
  "ARG al-agent\nARG\nFROM $",
])("%j is left alone", (text) => {
  expect(rewriteDockerfile(text, MAP)).toBe(text);
});

test("after a here-document the next instruction is seen again", () => {
  const text = "FROM node\nRUN <<EOF\nx\nEOF\nCOPY --from=al-agent:latest /a /a\n";
  expect(rewriteDockerfile(text, MAP)).toContain("COPY --from=al-acme/base:123");
  expect(imagesUsed(text, ["al-agent:latest", "other:latest"])).toEqual(["al-agent:latest"]);
});

test("rewriting with nothing to replace gives the same bytes for any text", () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "FROM a",
      "FROM al-agent \\",
      "RUN <<EOF",
      "EOF",
      "# x",
      "",
      "\\",
      "ARG X=al-agent",
    ),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      const text = lines.join("\n");
      expect(rewriteDockerfile(text, {})).toBe(text);
      const back = { "al-acme/base:123": "al-agent:latest" };
      const there = rewriteDockerfile(text, MAP);
      expect(rewriteDockerfile(there, back).replaceAll(":latest", "")).toBe(
        text.replaceAll(":latest", ""),
      );
    }),
    { numRuns: 500 },
  );
});

test("ARGs that double each other cost nothing", () => {
  const doubled = Array.from({ length: 500 }, (_, n) => `ARG A${n + 1}=$A${n}$A${n}`);
  const text = ["ARG A0=al-agent", ...doubled, "FROM x$A500"].join("\n");
  const before = performance.now();
  expect(rewriteDockerfile(text, MAP)).toBe(text.replace("A0=al-agent", "A0=al-acme/base:123"));
  expect(performance.now() - before).toBeLessThan(500);
});

test("a bare FROM has nothing but comments and space around it", () => {
  for (const text of ["FROM al-agent:latest", "# x\n\nfrom al-agent\n", "FROM al-agent AS base"]) {
    expect(isBareFrom(text)).toBe(true);
  }
  for (const text of ["", "FROM node:24", "FROM al-agent\nUSER root", "ARG X=1\nFROM al-agent"]) {
    expect(isBareFrom(text)).toBe(false);
  }
  expect(isBareFrom("FROM acme/base", ["acme/base:latest"])).toBe(true);
});

test("instructions know the line they start on", () => {
  const text = "# c\nFROM a\n\nRUN x \\\n  y\nRUN <<E\nz\nE\nUSER u";
  const found = parseDockerfile(text).map(({ keyword, line }) => [keyword, line]);
  expect(found).toEqual([
    ["FROM", 2],
    ["RUN", 4],
    ["RUN", 6],
    ["USER", 9],
  ]);
});

const FILES = ["ACTIONS.md", "Dockerfile", "bin/a.sh", "bin/deep/b.sh", "lib/c.js", "top.sh"];
const RESERVED = new Set(["ACTIONS.md", "Dockerfile"]);

test.each<[string, readonly string[]]>([
  ["COPY bin /opt/bin", ["bin/a.sh", "bin/deep/b.sh"]],
  ["COPY ./bin/ lib/c.js /opt/", ["bin/a.sh", "bin/deep/b.sh", "lib/c.js"]],
  ["COPY --chmod=755 top.sh /opt/", ["top.sh"]],
  ["COPY *.sh /opt/", ["top.sh"]],
  ["COPY */?.sh /opt/", ["bin/a.sh"]],
  ["COPY b[a-j]n/a.sh /opt/", ["bin/a.sh"]],
  ["COPY . /opt/", ["bin/a.sh", "bin/deep/b.sh", "lib/c.js", "top.sh"]],
  ["COPY ACTIONS.md . /opt/", ["ACTIONS.md", "bin/a.sh", "bin/deep/b.sh", "lib/c.js", "top.sh"]],
  ['COPY ["lib", "/opt/lib"]', ["lib/c.js"]],
  ["ADD https://example.com/top.sh /opt/", []],
  ["COPY --from=al-agent:latest bin /opt/", []],
  ["ARG WHAT\nCOPY $WHAT /opt/", ["bin/a.sh", "bin/deep/b.sh", "lib/c.js", "top.sh"]],
  ["COPY <<EOF /opt/x\nCOPY bin /opt\nEOF", []],
  ["RUN --mount=type=bind,source=lib,target=/lib ls /lib", ["lib/c.js"]],
  ["RUN --mount=type=cache,target=/c --mount=type=bind,from=x,source=bin,target=/b ls", []],
  ["COPY ../secret /opt/", []],
  ["COPY ../lib /opt/", ["lib/c.js"]],
  ["COPY bin/../lib /opt/", ["lib/c.js"]],
  ["COPY /bin/deep/./ /opt/", ["bin/deep/b.sh"]],
  ["COPY b* /opt/", ["bin/a.sh", "bin/deep/b.sh"]],
  ["copy --link \\\n # why\n lib \\\n /opt/", ["lib/c.js"]],
  ["RUN --mount=target=/x,source=./lib/ ls", ["lib/c.js"]],
  ["RUN echo 'x <<EOF'\nCOPY lib /opt/", ["lib/c.js"]],
  ["RUN true", []],
])("the context of %j is %j", (instruction, expected) => {
  expect(contextPaths(`FROM al-agent:latest\n${instruction}\n`, FILES, RESERVED)).toEqual(expected);
});

test.each<[string, string | undefined]>([
  ["COPY ../secret /opt/", "outside ../secret"],
  ["COPY bin/../../secret /opt/", "outside bin/../../secret"],
  ["COPY /../secret /opt/", "outside /../secret"],
  ["COPY nowhere.txt /opt/", "missing nowhere.txt"],
  ['ADD ["bin", "top.shh", "/opt/"]', "missing top.shh"],
  ["RUN --mount=type=bind,source=../x,target=/x ls", "outside ../x"],
  ["COPY bin/../lib /opt/", undefined],
  ["COPY ../lib /opt/", undefined],
  ["COPY /bin ./lib/ . /opt/", undefined],
  ["COPY *.nothing $WHAT no\\ where /opt/", undefined],
  ["COPY --from=al-agent:latest nowhere /opt/", undefined],
  ["ADD https://example.com/top.sh /opt/", undefined],
  ["COPY <<EOF /opt/x\nCOPY ../bin /opt\nEOF", undefined],
])("what a build cannot read of %j is %j", (instruction, expected) => {
  const found = unreadableSources(`FROM al-agent:latest\n${instruction}\n`, FILES);
  expect(found.map(({ kind, source }) => `${kind} ${source}`)[0]).toBe(expected);
  expect(found.every(({ line }) => line === 2)).toBe(true);
});

test("a pattern made to be slow is matched in no time", () => {
  const path = "a".repeat(250);
  const pattern = `${"*a".repeat(60)}*b`;
  const before = performance.now();
  expect(contextPaths(`COPY ${pattern} /x`, [path])).toEqual([]);
  expect(contextPaths("COPY *a*a /x", [path])).toEqual([path]);
  expect(performance.now() - before).toBeLessThan(500);
});

test("package manager calls are found in stages built on our base", () => {
  const text =
    "FROM al-agent AS a\nRUN apk add x\nFROM alpine\nRUN apk add y\nFROM a\nRUN apt-get update";
  expect(baseExpectations(text, ["al-agent:latest"])).toEqual({
    uses: [
      { manager: "apk", line: 2 },
      { manager: "apt", line: 6 },
    ],
    endsOnBase: true,
  });
  expect(baseExpectations("FROM node\nRUN apk add x", ["al-agent:latest"])).toEqual({
    uses: [],
    endsOnBase: false,
  });
});

test("an image's name tells its package manager, or nothing", () => {
  expect(packageManagerOf("node:24-alpine")).toBe("apk");
  for (const image of ["node:24-slim", "node:24", "debian:13", "ghcr.io/x/y:bookworm"]) {
    expect(packageManagerOf(image)).toBe("apt");
  }
  expect(packageManagerOf("registry.acme.dev/base:7")).toBeUndefined();
});
