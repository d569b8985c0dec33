import { once } from "node:events";
import type { Transport } from "../../src/transport/transport.ts";

/** A server on a unix socket of the machine that sends back what it hears. */
export interface EchoServer {
  readonly path: string;
  /** Connections that are open now. */
  connections(): Promise<number>;
  stop(): Promise<void>;
}

const SERVER = `
use strict; use Socket;
my $path = $ARGV[0];
socket(my $server, PF_UNIX, SOCK_STREAM, 0) or die $!;
bind($server, sockaddr_un($path)) or die $!;
listen($server, 128) or die $!;
$SIG{CHLD} = 'IGNORE';
$| = 1; print "ready\\n";
while (1) {
  accept(my $client, $server) or next;
  next if fork;
  while (sysread($client, my $bytes, 65536)) {
    my $at = 0;
    while ($at < length $bytes) { $at += syswrite($client, $bytes, length($bytes) - $at, $at) // exit }
  }
  exit;
}`;

/** Starts the server through the transport itself; perl is part of every Debian. */
export async function startEchoServer(transport: Transport): Promise<EchoServer> {
  const { stdout } = await transport.exec(["mktemp", "-d"]);
  const directory = stdout.toString().trim();
  const path = `${directory}/echo.sock`;
  const running = await transport.spawn(["perl", "-e", SERVER, path]);
  await once(running.stdout, "data");
  return {
    path,
    async connections() {
      // The bracket keeps the search from finding itself.
      const search = 'grep -lsa -e "$1" /proc/[0-9]*/cmdline';
      const found = await transport.exec(["sh", "-c", search, "sh", `[/]${path.slice(1)}`]);
      return found.stdout.toString().trim().split("\n").length - 1;
    },
    async stop() {
      running.kill();
      await running.exited.catch(() => {});
      await transport.exec(["rm", "-rf", directory]);
    },
  };
}
