import { execFileSync, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Server } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { forgeHostKeys } from "../../../src/agent/forge-host-keys.ts";
import { bareOf, checkout, git } from "../git/git-fixture.ts";
import { bash, EntryHarness, inputFor } from "./entry-harness.ts";

const TOKEN = "ghp_abcdef";

let harness: EntryHarness;

beforeAll(async () => {
  harness = await EntryHarness.create();
}, 60_000);

afterAll(() => harness.dispose());

/** git's own HTTP server, with TLS, that wants the token; every host name leads there. */
async function startForge(repositories: string) {
  const seen: { host: string | undefined; authorization: string | undefined }[] = [];
  const expected = `Basic ${Buffer.from(`x-access-token:${TOKEN}`).toString("base64")}`;
  const tls = createTlsServer(selfSigned(), (request, response) => {
    const { host, authorization } = request.headers;
    seen.push({ host, authorization });
    if (authorization === expected) serveGit(repositories, request, response);
    else response.writeHead(401, { "www-authenticate": 'Basic realm="forge"' }).end();
  });
  const tlsPort = await listen(tls);
  const proxy = createServer().on("connect", (_request, socket, head) => {
    const onward = connect(tlsPort, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket]) end.on("error", () => socket.destroy());
  });
  return { seen, proxy: `http://127.0.0.1:${await listen(proxy)}` };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function selfSigned(): { key: string; cert: string } {
  const args = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const output = ["-days", "2", "-subj", "/CN=forge", "-keyout", "-", "-out", "-"];
  const pem = execFileSync("openssl", ["req", ...args, ...output], {
    encoding: "utf8",
    stdio: "pipe",
  });
  const at = pem.indexOf("-----BEGIN CERTIFICATE");
  return { key: pem.slice(0, at), cert: pem.slice(at) };
}

/** `git http-backend` is a CGI program. */
function serveGit(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "https://forge");
  const backend = spawn("git", ["http-backend"], {
    env: {
      PATH: "/usr/bin:/bin",
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_NOSYSTEM: "1",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      REMOTE_USER: "bot",
    },
  });
  request.pipe(backend.stdin);
  const parts: Buffer[] = [];
  backend.stdout.on("data", (part: Buffer) => parts.push(part));
  backend.on("close", () => {
    const answer = Buffer.concat(parts);
    const end = answer.indexOf("\r\n\r\n");
    const headers = answer.subarray(0, end).toString().split("\r\n");
    const status = headers.find((line) => line.startsWith("Status: "))?.slice(8, 11) ?? "200";
    const pairs = headers
      .filter((line) => !line.startsWith("Status: "))
      .map((line) => line.split(": "));
    response.writeHead(Number(status), Object.fromEntries(pairs)).end(answer.subarray(end + 4));
  });
}

test("git over HTTPS clones from and pushes to GitHub with the token, and shows it to nobody else", async () => {
  const bare = bareOf(checkout({ "file.txt": "one\n" }));
  git(bare, "config", "http.receivepack", "true");
  const forge = await startForge(dirname(bare));
  const work = [
    "git clone -q https://github.com/repo.git app",
    "cd app",
    "echo two > file.txt",
    "git commit -qam second",
    "git push -q",
    "git config --get image.setting",
    "git clone -q https://example.com/repo.git other || echo refused",
  ].join(" && ");
  const server = await harness.serve([{ turns: [bash(work), { text: "ok" }] }]);
  const credentials = {
    "github_token/default/token": TOKEN,
    "git_ssh/default/username": "Botty",
    "git_ssh/default/email": "botty@example.com",
  };
  const config = { credentials: ["github_token", "git_ssh"] };
  const root = await harness.root(inputFor(server, { config, credentials }));
  const outcome = await harness.run(root, {
    env: {
      https_proxy: forge.proxy,
      GIT_SSL_NO_VERIFY: "1",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "image.setting",
      GIT_CONFIG_VALUE_0: "kept",
    },
  });
  expect(outcome.log.filter((line) => line.level === "error")).toEqual([]);
  expect(outcome.code).toBe(0);
  expect(server.requests[1]?.text).toMatch(/^kept\n.*terminal prompts disabled\nrefused$/ms);
  expect(git(bare, "log", "-1", "--format=%an %ae %s", "main")).toBe(
    "Botty botty@example.com second",
  );
  const to = (host: string) => forge.seen.filter((request) => request.host === host);
  expect(to("github.com").filter(({ authorization }) => authorization).length).toBeGreaterThan(3);
  expect(to("example.com").map(({ authorization }) => authorization)).toEqual([undefined]);
  for (const file of ["app/.git/config", "app/.git/logs/HEAD"]) {
    expect(await readFile(join(root, "tmp", file), "utf8")).not.toContain(TOKEN);
  }
});

test("the pinned host keys are those whose fingerprints the forges publish", () => {
  const listed = execFileSync("ssh-keygen", ["-lf", "-"], {
    input: forgeHostKeys,
    encoding: "utf8",
  });
  const found = listed
    .trim()
    .split("\n")
    .map((line) => line.split(" ").slice(1, 3).join(" "));
  expect(found).toEqual([
    "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU github.com",
    "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM github.com",
    "SHA256:uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s github.com",
    "SHA256:eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8 gitlab.com",
    "SHA256:HbW3g8zUjNSksFbqTiUWPWg2Bq1x8xdGUrliXFzSnUw gitlab.com",
    "SHA256:ROQFvPThGrW4RuWLoL9tq9I9zJ42fK4XywyRtbOz/EQ gitlab.com",
    "SHA256:ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM bitbucket.org",
    "SHA256:FC73VB6C4OQLSCrjEayhMp9UMxS97caD/Yyi2bhW/J0 bitbucket.org",
    "SHA256:46OSHA1Rmj8E8ERTC6xkNcmGOw9oFxYr0WF6zWW8l1E bitbucket.org",
  ]);
});
