import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import type { SetupOptions } from "./cache.ts";
import { mustRun } from "./command.ts";
import { ensurePrograms } from "./debian.ts";
import { environment } from "./environment.ts";
import { freePort } from "./free-port.ts";

/** A server that issues certificates by ACME, as Let's Encrypt does, for names that all are one machine. */
export interface AcmeServer {
  /** URL of its directory. */
  readonly directory: string;
  /** Address and port of the DNS server that it asks. */
  readonly dns: string;
  /** PEM of what signs for the server's own HTTPS. */
  readonly ownRoot: string;
  /** PEM of what signs the certificates that it issues. */
  root(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts pebble of Debian at one of this machine's addresses. To it every name in DNS has `resolveTo`, where
 * it asks for challenges at the usual ports.
 */
export async function startAcmeServer(
  { address, resolveTo }: { readonly address: string; readonly resolveTo: string },
  options: SetupOptions,
): Promise<AcmeServer> {
  await ensurePrograms({ pebble: "pebble", openssl: "openssl" }, options);
  const home = await mkdtemp(join(tmpdir(), "al-lab-acme-"));
  const [port, management, dns] = [await freePort(), await freePort(), await freePort()];
  const own = await selfSigned(home, `IP:${address}`);
  const config = join(home, "pebble.json");
  const pebble = {
    ...{ listenAddress: `${address}:${port}`, managementListenAddress: `${address}:${management}` },
    ...{ certificate: own.certificate, privateKey: own.key, httpPort: 80, tlsPort: 443 },
  };
  await writeFile(config, JSON.stringify({ pebble }));
  const nameServer = `127.0.0.1:${dns}`;
  const names = start([
    "pebble-challtestsrv",
    ...["-defaultIPv4", resolveTo, "-defaultIPv6", "", "-dns01", nameServer],
    ...["-http01", "", "-https01", "", "-tlsalpn01", "", "-management", ""],
  ]);
  const server = start(["pebble", "-config", config, "-dnsserver", nameServer]);
  const ownRoot = await readFile(own.certificate, "utf8");
  const root = () => get(`https://${address}:${management}/roots/0`, ownRoot);
  const stop = async () => {
    await Promise.all([names, server].map(end));
    await rm(home, { recursive: true, force: true });
  };
  await untilThere(root).catch(async (thrown) => {
    await stop();
    throw thrown;
  });
  return { directory: `https://${address}:${port}/dir`, dns: nameServer, ownRoot, root, stop };
}

/** A certificate that signs itself, for one name as openssl writes it: `IP:10.0.0.1`, `DNS:agents.test`. */
export async function selfSigned(
  directory: string,
  name: string,
): Promise<{ readonly certificate: string; readonly key: string }> {
  const [certificate, key] = [join(directory, "certificate.pem"), join(directory, "key.pem")];
  await mustRun([
    ...(["openssl", "req", "-x509", "-nodes", "-days", "90", "-subj", "/CN=lab"] as const),
    ...["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
    ...["-addext", `subjectAltName=${name}`, "-keyout", key, "-out", certificate],
  ]);
  return { certificate, key };
}

async function untilThere(ask: () => Promise<string>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await ask();
      return;
    } catch (thrown) {
      if (attempt >= 100) throw thrown;
      await delay(100);
    }
  }
}

async function get(url: string, ca: string): Promise<string> {
  const sent = request(url, { ca, agent: false }).end();
  const [response] = await once(sent, "response");
  return text(response);
}

/** It ends with its standard input, so also when this process is killed. */
function start(argv: readonly string[]): ChildProcess {
  const script = '"$@" & pid=$!; cat >/dev/null; kill "$pid"; wait';
  return spawn("sh", ["-c", script, "acme", ...argv], {
    stdio: ["pipe", "ignore", "ignore"],
    env: { ...environment, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0" },
  });
}

async function end(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const closed = once(program, "close");
  program.stdin?.end();
  await closed;
}
