import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import ssh2 from "ssh2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Secret } from "../../src/base/secret.ts";
import { readHostKey } from "../../src/transport/read-host-key.ts";
import { connectSsh, type SshOptions } from "../../src/transport/ssh.ts";
import { startHost } from "../lab/host.ts";
import { fingerprintOf, generateKeyPair } from "../lab/keys.ts";
import type { LabHost } from "../lab/lab-host.ts";
import { setUpLab } from "../lab/set-up.ts";
import { connectTo, loginOf } from "./lab-transport.ts";

const log = () => undefined;
const PASSPHRASE = "correct horse";
// A second host key, of another type and named first; and authentication attempts in the log.
const PREPARE = `cd /etc/ssh
rm -f ssh_host_rsa_key*
ssh-keygen -q -t rsa -b 2048 -N "" -f ssh_host_rsa_key
{ echo HostKey /etc/ssh/ssh_host_rsa_key; echo HostKey /etc/ssh/ssh_host_ed25519_key
  echo LogLevel VERBOSE; cat sshd_config; } >new && mv new sshd_config
pkill -HUP -o -x sshd`;
let host: LabHost;

beforeAll(async () => {
  const lab = await setUpLab({ log });
  host = await startHost(lab.engine, { log, name: "connect" });
  await host.exec(["sh", "-c", PREPARE]);
  await host.ready();
});
afterAll(() => host?.stop());

describe("the host key", () => {
  test("an unapproved one is refused before anything is sent, and both fingerprints are named", async () => {
    const { publicKey } = generateKeyPair();
    const before = await authenticationsSeen();
    const hostKey = { kind: "pinned", fingerprints: [fingerprintOf(publicKey)] } as const;
    const error = await failure({ hostKey });
    expect(error).toMatchObject({ code: "host-key-mismatch", blame: "user" });
    for (const part of [
      host.name,
      host.address,
      host.hostKeyFingerprint,
      hostKey.fingerprints[0],
    ]) {
      expect(error.message).toContain(part);
    }
    expect(await authenticationsSeen()).toBe(before);
  });

  test("one of several approved ones is enough", async () => {
    const other = fingerprintOf(generateKeyPair().publicKey);
    const fingerprints = [other, host.hostKeyFingerprint];
    const transport = await connectTo(host, { hostKey: { kind: "pinned", fingerprints } });
    await transport.close();
  });

  test("without an approved one nothing is even dialled", async () => {
    for (const fingerprints of [[], ["anything"], ["SHA256:"]]) {
      const error = await failure({ port: 1, hostKey: { kind: "pinned", fingerprints } });
      expect(error).toMatchObject({ code: "host-key-unknown", blame: "user" });
    }
  });

  test("it can be read without authenticating, and is always the ed25519 one", async () => {
    const before = await authenticationsSeen();
    expect(await readHostKey(loginOf(host))).toEqual({
      fingerprint: host.hostKeyFingerprint,
      publicKey: host.hostPublicKey,
    });
    expect(await authenticationsSeen()).toBe(before);
  });
});

describe("authentication", () => {
  test("an unknown key is refused, and the error says whose and which", async () => {
    const stranger = generateKeyPair();
    const before = await authenticationsSeen();
    const error = await failure({ privateKey: new Secret(stranger.privateKey) });
    expect(await authenticationsSeen()).toBeGreaterThan(before);
    expect(error).toMatchObject({ code: "auth-failed", blame: "user" });
    expect(error.message).toContain("user deploy");
    expect(error.message).toContain(fingerprintOf(stranger.publicKey));
  });

  test("an unknown user is refused", async () => {
    const error = await failure({ user: "nobody-here" });
    expect(error).toMatchObject({
      code: "auth-failed",
      message: expect.stringContaining("nobody-here"),
    });
  });

  test("an encrypted key needs its passphrase", async () => {
    const cipher = { cipher: "aes256-ctr", rounds: 4, passphrase: PASSPHRASE } as const;
    const pair = ssh2.utils.generateKeyPairSync("ed25519", cipher);
    const add = `cat >>/home/deploy/.ssh/authorized_keys <<EOF\n${pair.public}\nEOF`;
    await host.exec(["sh", "-c", add]);
    const privateKey = new Secret(pair.private);
    const transport = await connectTo(host, { privateKey, passphrase: new Secret(PASSPHRASE) });
    await transport.close();
    expect(await failure({ privateKey })).toMatchObject({ code: "auth-failed" });
    const wrong = await failure({ privateKey, passphrase: new Secret("wrong horse") });
    expect(wrong).toMatchObject({ code: "auth-failed", blame: "user" });
    expect(wrong.message).not.toContain("wrong horse");
  });

  test("what is no key at all is refused without being quoted", async () => {
    const error = await failure({ privateKey: new Secret("swordfish") });
    expect(error).toMatchObject({ code: "auth-failed", blame: "user" });
    expect(`${error.message} ${error.hint}`).not.toContain("swordfish");
  });
});

describe("reaching the host", () => {
  test("a closed port and an unknown name are unreachable, and named", async () => {
    const closed = await failure({ port: 1 });
    expect(closed).toMatchObject({ code: "unreachable", blame: "transient" });
    expect(closed.message).toContain(`host ${host.name} at ${host.address}:1: ECONNREFUSED`);
    const unknown = await failure({ address: "no-such-host.invalid" });
    expect(unknown).toMatchObject({ code: "unreachable", blame: "transient" });
  });

  test("a server that says nothing is given up in time", async () => {
    await withServer(
      () => {},
      async (port) => {
        const began = performance.now();
        const error = await failure({ address: "127.0.0.1", port, connectTimeoutMs: 400 });
        expect(error).toMatchObject({
          code: "unreachable",
          message: expect.stringContaining("400 ms"),
        });
        expect(performance.now() - began).toBeLessThan(1500);
      },
    );
  });

  test("a server that is no sshd, and one that hangs up, are unreachable", async () => {
    for (const greet of [
      (socket: Socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
      (socket: Socket) => void socket.destroy(),
      (socket: Socket) => void socket.end("SSH-2.0-OpenSSH_9.2\r\n"),
    ]) {
      await withServer(greet, async (port) => {
        const error = await failure({ address: "127.0.0.1", port });
        expect(error).toMatchObject({ code: "unreachable", blame: "transient" });
        const reading = readHostKey({ host: "x", address: "127.0.0.1", port }, { timeoutMs: 5000 });
        await expect(reading).rejects.toMatchObject({ code: "unreachable" });
      });
    }
  });

  test("connecting can be aborted", async () => {
    await withServer(
      () => {},
      async (port) => {
        const controller = new AbortController();
        setTimeout(() => controller.abort(new Error("never mind")), 100);
        const connecting = connectSsh({
          ...loginOf(host),
          address: "127.0.0.1",
          port,
          signal: controller.signal,
        });
        await expect(connecting).rejects.toThrow("never mind");
      },
    );
  });
});

async function failure(options: Partial<SshOptions>): Promise<Error & { hint?: string }> {
  const outcome = await connectTo(host, options).then(
    (transport) => transport.close(),
    (thrown: Error) => thrown,
  );
  if (!outcome) throw new Error("the connection succeeded");
  return outcome;
}

/** How often sshd was asked to authenticate somebody, by its own log. */
async function authenticationsSeen(): Promise<number> {
  const { stdout } = await host.exec([
    "grep",
    "-cE",
    "publickey for|Invalid user",
    "/var/log/sshd.log",
  ]);
  return Number(stdout);
}

async function withServer(greet: (socket: Socket) => void, work: (port: number) => Promise<void>) {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    greet(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await work((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}
