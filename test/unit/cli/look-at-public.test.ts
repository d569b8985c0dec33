import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { lookAtPublic } from "../../../src/cli/look-at-public.ts";

const NAME = "agents.example.com";
const HERE = "127.0.0.1";
const { signal } = new AbortController();

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
  });
  server.listen(0, HERE);
  await once(server, "listening");
  open.push(() => {
    for (const socket of sockets) socket.destroy();
    return once(server.close(), "close");
  });
  return (server.address() as AddressInfo).port;
}

const serveTls = (options: TlsOptions) =>
  listen(createTlsServer(options, (socket) => socket.end()).on("tlsClientError", () => {}));

/** A port at which nobody listens any more. */
async function closedPort(): Promise<number> {
  const port = await listen(createServer());
  await open.pop()?.();
  return port;
}

/** A certificate for a name that signs itself, and its key. */
function selfSigned(name: string): { readonly cert: string; readonly key: string } {
  const args = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const subject = ["-days", "9", "-subj", "/O=Lab/CN=lab", "-addext", `subjectAltName=DNS:${name}`];
  const pem = execFileSync("openssl", ["req", ...args, ...subject, "-keyout", "-", "-out", "-"], {
    encoding: "utf8",
    stdio: "pipe",
  });
  const at = pem.indexOf("-----BEGIN CERTIFICATE");
  return { key: pem.slice(0, at), cert: pem.slice(at) };
}

const TYPE_A = 1;
const CODES = { answers: 0, failed: 2, unknown: 3 };

/** A DNS server by which every name has one A record, or which has this to say. */
async function serveDns(says: keyof typeof CODES): Promise<string> {
  const server = createSocket("udp4");
  server.on("message", (query, { port, address }) => {
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const isAnswered = says === "answers" && question.at(-3) === TYPE_A;
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    const flags = [0x81, 0x80 + CODES[says], 0, 1, 0, isAnswered ? 1 : 0, 0, 0, 0, 0];
    const parts = [query.subarray(0, 2), Buffer.from(flags), question];
    server.send(Buffer.concat(isAnswered ? [...parts, answer] : parts), port, address);
  });
  server.bind(0, HERE);
  await once(server, "listening");
  open.push(() => new Promise<void>((resolve) => server.close(resolve)));
  return `${HERE}:${server.address().port}`;
}

test("a certificate is told whoever signed it, at the host's address and at the name's", async () => {
  const ports = { https: await serveTls(selfSigned(NAME)), http: await listen(createServer()) };
  const servers = [await serveDns("answers")];
  const look = await lookAtPublic(NAME, HERE, { signal, servers, ports });
  expect(look).toMatchObject({
    https: { kind: "certificate", trusted: false, certificate: { isForName: true, issuer: "Lab" } },
    http: "open",
    leadsTo: [{ address: HERE, shown: look.https }],
  });
  const { https } = look;
  const lifeMs = https.kind === "certificate" ? https.certificate.untilMs - Date.now() : 0;
  expect(lifeMs / 86_400_000).toBeCloseTo(9, 1);
});

test("a certificate for another name is told apart", async () => {
  const ports = { https: await serveTls(selfSigned("other.example.com")), http: 1 };
  const servers = [await serveDns("unknown")];
  const look = await lookAtPublic(NAME, HERE, { signal, servers, ports });
  expect(look).toMatchObject({ https: { certificate: { isForName: false } }, leadsTo: [] });
});

test("who has no certificate says so, and is not taken for nobody", async () => {
  const ports = { https: await serveTls({}), http: await closedPort() };
  const servers = [await serveDns("unknown")];
  const look = await lookAtPublic(NAME, HERE, { signal, servers, ports });
  expect(look).toMatchObject({
    https: { kind: "none", says: expect.stringContaining("handshake failure") },
    http: "refused",
  });
});

test("who answers nothing is not waited for", async () => {
  const ports = { https: await listen(createServer()), http: await closedPort() };
  const servers = [await serveDns("unknown")];
  const look = await lookAtPublic(NAME, HERE, { signal, servers, ports, timeoutMs: 200 });
  expect(look.https).toEqual({ kind: "none", says: "the handshake was not answered" });
});

test("where nobody listens, and DNS fails, both are told", async () => {
  const ports = { https: await closedPort(), http: await closedPort() };
  const servers = [await serveDns("failed")];
  const look = await lookAtPublic(NAME, HERE, { signal, servers, ports });
  expect(look).toEqual({
    https: { kind: "unreached", answer: "refused" },
    http: "refused",
    leadsTo: undefined,
  });
});

test("an interrupted look ends with the interruption", async () => {
  const ports = { https: await listen(createServer()), http: await closedPort() };
  const servers = [await serveDns("unknown")];
  const stop = AbortSignal.timeout(100);
  await expect(lookAtPublic(NAME, HERE, { signal: stop, servers, ports })).rejects.toThrow();
});
