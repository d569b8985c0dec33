// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of preflight steps
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { PreflightStep } from "../../../src/core/preflight-step.ts";
import { bareOf, commit, git, temporaryDirectory } from "../git/git-fixture.ts";
import { EntryHarness, inputFor, type RunOptions } from "./entry-harness.ts";

let harness: EntryHarness;

beforeAll(async () => {
  harness = await EntryHarness.create();
}, 60_000);

afterAll(() => harness.dispose());

/** Steps as an agent's file may have them: `required` is true unless told. */
type Steps = readonly (PreflightStep extends infer S
  ? S extends PreflightStep
    ? Omit<S, "required"> & { required?: boolean }
    : never
  : never)[];

async function prepare(steps: Steps, credentials: Record<string, string> = {}) {
  const server = await harness.serve([{ turns: [{ text: "ok" }] }]);
  const preflight = steps.map((step) => ({ required: true, ...step })) as PreflightStep[];
  const root = await harness.root(inputFor(server, { config: { preflight }, credentials }));
  return { server, root, tmp: join(root, "tmp") };
}

async function run(steps: Steps, options: RunOptions & { credentials?: Record<string, string> }) {
  const prepared = await prepare(steps, options.credentials);
  return { ...prepared, outcome: await harness.run(prepared.root, options) };
}

/** Answers every request with what came, and remembers it. */
async function echoServer(status = 200) {
  const requests: { request: IncomingMessage; body: string }[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    requests.push({ request, body });
    response.writeHead(status).end(`answer to ${request.method}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

test("steps run in order, with the credentials in their environment, before the session", async () => {
  const { outcome, tmp } = await run(
    [
      { provider: "shell", params: { command: 'mkdir -p "${PLACE}" && echo "$GITHUB_TOKEN" > a' } },
      { provider: "shell", params: { command: "pwd; cat a", output: "${PLACE}/deep/b.txt" } },
      { provider: "shell", params: { command: "echo one; echo two" } },
    ],
    { env: { PLACE: "some where" }, credentials: { "github_token/default/token": "ghp_abcdef" } },
  );
  expect(outcome.log.map((line) => line.msg)).toEqual([
    "container starting",
    "credentials loaded from volume",
    "preflight step done",
    "preflight step done",
    "preflight step done",
    "creating agent session",
    "session created, sending prompt",
    "usage",
    "token-usage",
    "no work to do",
  ]);
  expect(outcome.log[3]).toMatchObject({ step: 2, provider: "shell", ms: expect.any(Number) });
  expect(await readFile(join(tmp, "some where/deep/b.txt"), "utf8")).toBe(`${tmp}\nghp_abcdef\n`);
  expect(outcome.plain).toEqual(["one", "two", "ok"]);
  expect((await readdir(tmp)).filter((name) => name.startsWith(".al-step"))).toEqual([]);
  expect(outcome.code).toBe(0);
});

test("a variable's value is never part of a shell command", async () => {
  const { outcome, tmp } = await run(
    [{ provider: "shell", params: { command: 'printf %s "${VALUE}"', output: "out" } }],
    { env: { VALUE: '"; touch broken; echo "$(touch broken)`touch broken`${HOME}' } },
  );
  expect(outcome.code).toBe(0);
  expect(await readFile(join(tmp, "out"), "utf8")).toBe(
    '"; touch broken; echo "$(touch broken)`touch broken`${HOME}',
  );
  expect(existsSync(join(tmp, "broken"))).toBe(false);
});

test("http sends method, headers and body with variables filled in, and keeps the answer", async () => {
  const server = await echoServer();
  const { outcome, tmp } = await run(
    [
      {
        provider: "http",
        params: {
          url: `${server.url}/items?of=\${NAME}`,
          output: "in/answer.txt",
          method: "PUT",
          headers: { authorization: "Bearer ${GITHUB_TOKEN}" },
          body: '{"name":"${NAME}"}',
        },
      },
      { provider: "http", params: { url: server.url, output: "second", method: "GET" } },
    ],
    {
      env: { NAME: "${GITHUB_TOKEN}" },
      credentials: { "github_token/default/token": "ghp_abcdef" },
    },
  );
  expect(outcome.code).toBe(0);
  const [first, second] = server.requests;
  expect(first?.request.headers.authorization).toBe("Bearer ghp_abcdef");
  // What a value holds is not filled in again.
  expect(first?.body).toBe('{"name":"${GITHUB_TOKEN}"}');
  expect(second?.request.method).toBe("GET");
  expect(await readFile(join(tmp, "in/answer.txt"), "utf8")).toBe("answer to PUT");
});

test("git-clone takes a branch and a depth, and clones into a directory below /tmp", async () => {
  const work = temporaryDirectory();
  git(work, "init", "--quiet", "--initial-branch=main");
  await writeFile(join(work, "file"), "one");
  commit(work);
  git(work, "switch", "--quiet", "-c", "side");
  await writeFile(join(work, "file"), "two");
  commit(work);
  const { outcome, tmp } = await run(
    [
      {
        provider: "git-clone",
        params: { repo: "file://${BARE}", dest: "src/app", branch: "${BRANCH}", depth: 1 },
      },
    ],
    { env: { BARE: bareOf(work), BRANCH: "side" } },
  );
  expect(outcome.code).toBe(0);
  expect(await readFile(join(tmp, "src/app/file"), "utf8")).toBe("two");
  expect(git(join(tmp, "src/app"), "rev-list", "--count", "HEAD").trim()).toBe("1");
});

test("what a variable holds cannot become an option of git", async () => {
  const { outcome, tmp } = await run(
    [{ provider: "git-clone", params: { repo: "${REPO}", dest: "a", branch: "${BRANCH}" } }],
    { env: { REPO: "--upload-pack=touch broken", BRANCH: "--config=core.hooksPath=x" } },
  );
  expect(outcome.code).toBe(1);
  expect(existsSync(join(tmp, "broken"))).toBe(false);
});

const closed = "http://127.0.0.1:9";

test.each([
  [
    "a command that fails",
    { provider: "shell", params: { command: "echo why >&2; exit 3" } },
    "preflight step 1 (shell) failed: sh ended with exit 3: why",
  ],
  [
    "an output outside /tmp",
    { provider: "shell", params: { command: "true", output: "${UP}/x" } },
    /^preflight step 1 \(shell\) failed: "\.\.\/x" is not below .*tmp$/,
  ],
  [
    "an output elsewhere",
    { provider: "http", params: { url: closed, output: "${ETC}/x", method: "GET" } },
    /"\/etc\/x" is not below/,
  ],
  [
    "a variable that is not there",
    { provider: "http", params: { url: "http://${HOST}/${PATH_A}", output: "x", method: "GET" } },
    "preflight step 1 (http) failed: not in the environment: HOST, PATH_A",
  ],
  [
    "a server that is not there",
    { provider: "http", params: { url: `${closed}/secret`, output: "x", method: "GET" } },
    /^preflight step 1 \(http\) failed: http:\/\/127\.0\.0\.1:9 did not answer: /,
  ],
  [
    "an address that is none",
    { provider: "http", params: { url: "file:///etc/passwd", output: "x", method: "GET" } },
    "preflight step 1 (http) failed: `url` is not an http or https address",
  ],
  [
    "a repository that is not there",
    { provider: "git-clone", params: { repo: "/nowhere/at/all", dest: "x" } },
    /^preflight step 1 \(git-clone\) failed: git ended with exit 128: fatal: /,
  ],
] as const satisfies readonly (readonly [string, Steps[number], string | RegExp])[])(
  "%s ends the run with 1 and one line that says so",
  async (_name, step, error) => {
    const env = { UP: "..", ETC: "/etc" };
    const { outcome, server, tmp } = await run([step], { env });
    expect(outcome.code).toBe(1);
    const failure = outcome.log.at(-1);
    expect(failure).toMatchObject({ level: "error", msg: "run failed", code: "preflight-failed" });
    if (typeof error === "string") expect(failure?.error).toBe(error);
    else expect(failure?.error).toMatch(error);
    expect(failure?.hint).toBeTruthy();
    expect(server.requests).toEqual([]);
    expect(existsSync(join(tmp, "x"))).toBe(false);
  },
);

test("a step that is not required is left behind, and the rest goes on", async () => {
  const refusing = await echoServer(404);
  const { outcome, tmp } = await run(
    [
      { provider: "shell", required: false, params: { command: "echo x; exit 1", output: "half" } },
      {
        provider: "http",
        required: false,
        params: { url: refusing.url, output: "h", method: "GET" },
      },
      { provider: "shell", params: { command: "echo done > after" } },
    ],
    {},
  );
  expect(outcome.code).toBe(0);
  expect(outcome.log.filter((line) => line.level === "warn")).toMatchObject([
    {
      msg: "going on without a preflight step",
      error: "preflight step 1 (shell) failed: sh ended with exit 1",
    },
    { error: `preflight step 2 (http) failed: ${refusing.url} answered with HTTP 404` },
  ]);
  expect(existsSync(join(tmp, "after"))).toBe(true);
  expect(existsSync(join(tmp, "half"))).toBe(false);
  expect(existsSync(join(tmp, "h"))).toBe(false);
});

test("a link out of /tmp is followed before an output is judged", async () => {
  const step = { provider: "shell", params: { command: "echo x", output: "link/new/x" } } as const;
  const { root, tmp } = await prepare([step]);
  await mkdir(join(root, "outside"));
  await symlink(join(root, "outside"), join(tmp, "link"));
  const outcome = await harness.run(root);
  expect(outcome.code).toBe(1);
  expect(outcome.log.at(-1)?.error).toMatch(/"link\/new\/x" is not below/);
  expect(await readdir(join(root, "outside"))).toEqual([]);
});

test("a step may leave a process in the background", async () => {
  const started = performance.now();
  const { outcome } = await run(
    [{ provider: "shell", params: { command: "sleep 15 & echo $! > pid" } }],
    {},
  );
  expect(outcome.code).toBe(0);
  expect(performance.now() - started).toBeLessThan(12_000);
});

test("the end of the run's time ends a step, and al-exit in a step ends the run", async () => {
  const steps = [
    { provider: "shell", params: { command: "echo $$ > pid; sleep 33; true" } },
  ] as const;
  const timed = await run(steps, { env: { TIMEOUT_SECONDS: "2" } });
  expect(timed.outcome.code).toBe(124);
  const pid = Number(await readFile(join(timed.tmp, "pid"), "utf8"));
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);
  const left = await run([{ provider: "shell", params: { command: "al-exit 13; sleep 34" } }], {});
  expect(left.outcome.code).toBe(13);
  expect(left.server.requests).toEqual([]);
});

test("SIGTERM ends a step, and nothing comes after it", async () => {
  const steps = [
    { provider: "shell", params: { command: "al-status waiting; sleep 36" } },
  ] as const;
  const { outcome, server } = await run(steps, {
    onLog: ({ msg }, child) => void (msg === "status" && child.kill("SIGTERM")),
  });
  expect(outcome.code).toBe(143);
  expect(outcome.log.at(-1)).toMatchObject({ msg: "container stopped by SIGTERM" });
  expect(server.requests).toEqual([]);
});
