import { quoteArgv } from "../transport/quote.ts";

/** What the OpenSSH client is to connect with. */
export interface SshPlace {
  /** The host's name in the fleet: what its key is looked up by. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** File with the private key. */
  readonly identity: string;
  /** File with the only host key that is accepted. */
  readonly knownHosts: string;
}

/**
 * Arguments for OpenSSH's `ssh`: nothing of the operator's configuration is read, no other key or agent
 * is tried, and no host key but the given one is accepted. A command goes to the host as one argument
 * vector, whatever is in it; without one, it is the login shell.
 */
export function sshArguments(place: SshPlace, command: readonly string[]): readonly string[] {
  const { host, address, port, user, identity, knownHosts } = place;
  const options = {
    IdentityFile: literal(identity),
    IdentitiesOnly: "yes",
    IdentityAgent: "none",
    PasswordAuthentication: "no",
    KbdInteractiveAuthentication: "no",
    StrictHostKeyChecking: "yes",
    UpdateHostKeys: "no",
    HostKeyAlias: host,
    UserKnownHostsFile: literal(knownHosts),
    GlobalKnownHostsFile: "/dev/null",
    ServerAliveInterval: "15",
    ConnectTimeout: "15",
  };
  return [
    ...["-F", "/dev/null", "-p", String(port), "-l", user],
    ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
    ...["--", address],
    ...(command.length === 0 ? [] : [quoteArgv(command)]),
  ];
}

/** A path as the value of an option, in which nothing stands for something else. */
function literal(path: string): string {
  return `"${path.replaceAll("%", "%%")}"`;
}
