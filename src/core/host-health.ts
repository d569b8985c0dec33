/** What was found on a host, as far as one look tells. */
export interface HostHealth {
  /** The host's clock minus ours. */
  readonly clockOffsetMs: number;
  /** Undefined where the host cannot say. */
  readonly clockSynchronised?: boolean | undefined;
  readonly disks: readonly Disk[];
  /** IP addresses that containers resolve names with. */
  readonly resolvers: readonly string[];
  readonly resolvesNames: boolean;
  /** Addresses of its network interfaces, as others may know them: no private ones. */
  readonly interfaceAddresses: readonly string[];
  /** What accepts TCP connections. */
  readonly listening: readonly { readonly address: string; readonly port: number }[];
  /** sshd's effective settings, keys in lower case; undefined where the user may not see them. */
  readonly sshd?: Readonly<Record<string, string>> | undefined;
  readonly rebootRequired: boolean;
  readonly memoryBytes: number;
  readonly swapBytes: number;
  /** Undefined where it is not apt that installs packages. */
  readonly securityUpgrades?: boolean | undefined;
  /** Undefined where Docker does not answer. */
  readonly docker?: { readonly version: string; readonly liveRestore: boolean } | undefined;
  /** What the host's address in fleet.toml resolves to here; an IP address resolves to itself. */
  readonly addresses: readonly string[];
}

/** A file system on a host. */
export interface Disk {
  readonly mount: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Share of inodes that are free, 0 to 1; 1 where the file system does not count them. */
  readonly freeInodes: number;
}

/** Something to mend, or better otherwise. */
export interface Finding {
  /** `problem`: something fails, or will. `advice`: it works, and could be safer. */
  readonly severity: "problem" | "advice";
  readonly topic:
    | "certificate"
    | "clock"
    | "disk"
    | "dns"
    | "docker"
    | "memory"
    | "ports"
    | "sshd"
    | "updates";
  readonly says: string;
  /** What to do, as a sentence. */
  readonly todo: string;
}

/** Judges a host, in a fixed order; empty when all is well. */
export function judgeHealth(health: HostHealth): readonly Finding[] {
  return [
    ...judgeDns(health),
    ...judgePorts(health),
    ...judgeClock(health),
    ...health.disks.flatMap(judgeDisk),
    ...judgeMemory(health),
    ...judgeDocker(health),
    ...judgeSshd(health.sshd ?? {}),
    ...judgeUpdates(health),
  ];
}

/** Findings in the order in which a person wants them: problems first, else as they are. */
export function problemsFirst(findings: readonly Finding[]): readonly Finding[] {
  const of = (severity: Finding["severity"]) => findings.filter((one) => one.severity === severity);
  return [...of("problem"), ...of("advice")];
}

function judgeDns({ addresses, resolvers, resolvesNames }: HostHealth): Finding[] {
  const topic = "dns";
  const found: Finding[] = [];
  const linkLocal = resolvers.filter((address) => /^169\.254\./.test(address));
  if (linkLocal.length > 0) {
    const says = `names are resolved by ${linkLocal.join(", ")}, in 169.254.0.0/16, which agents may not reach`;
    const todo =
      'Give Docker other resolvers: "dns": ["1.1.1.1", "9.9.9.9"] in /etc/docker/daemon.json, then restart Docker.';
    found.push({ severity: "problem", topic, says, todo });
  }
  if (!resolvesNames) {
    const todo = "Look at /etc/resolv.conf on the host, and whether its firewall lets port 53 out.";
    found.push({ severity: "problem", topic, says: "it does not resolve names", todo });
  }
  const v4 = addresses.filter((address) => !address.includes(":"));
  if (v4.length > 1) {
    const says = `its address resolves to several machines: ${v4.join(", ")}`;
    const todo = "Write the machine's own address into fleet.toml.";
    found.push({ severity: "problem", topic, says, todo });
  }
  return found;
}

const DOCKER_PORTS = [2375, 2376];

function judgePorts({ listening }: HostHealth): Finding[] {
  const open = listening.filter(
    ({ address, port }) => DOCKER_PORTS.includes(port) && !isLoopback(address),
  );
  const ports = [...new Set(open.map(({ port }) => port))].sort((a, b) => a - b);
  return ports.map((port) => ({
    severity: port === 2375 ? "problem" : "advice",
    topic: "ports",
    says: `Docker accepts connections from outside on port ${port}${port === 2375 ? ": whoever reaches it is root" : ""}`,
    todo: 'Take "hosts" and -H tcp:// out of its settings: al needs the socket only.',
  }));
}

function isLoopback(address: string): boolean {
  return /^127\./.test(address) || address === "::1";
}

const MAX_OFFSET_MS = 5000;

function judgeClock({ clockOffsetMs, clockSynchronised }: HostHealth): Finding[] {
  const todo = "Let it be set: timedatectl set-ntp true (package systemd-timesyncd, or chrony).";
  if (Math.abs(clockOffsetMs) > MAX_OFFSET_MS) {
    const seconds = Math.round(Math.abs(clockOffsetMs) / 1000);
    const says = `its clock is ${seconds} s ${clockOffsetMs > 0 ? "ahead of" : "behind"} this machine's: schedules and certificates go by it`;
    return [{ severity: "problem", topic: "clock", says, todo }];
  }
  if (clockSynchronised !== false) return [];
  return [{ severity: "advice", topic: "clock", says: "nothing sets its clock", todo }];
}

const GIB = 1024 ** 3;

function judgeDisk({ mount, totalBytes, freeBytes, freeInodes }: Disk): Finding[] {
  const share = totalBytes === 0 ? 1 : freeBytes / totalBytes;
  const isShort = freeBytes < GIB || share < 0.05;
  if (!isShort && freeInodes >= 0.05 && share >= 0.15) return [];
  const todo = "See what takes it (docker system df, du), free some, or take a larger disk.";
  const severity = isShort || freeInodes < 0.05 ? "problem" : "advice";
  const says =
    freeInodes < 0.05
      ? `${mount} has ${percent(freeInodes)} of its inodes left`
      : `${mount} has ${gib(freeBytes)} of ${gib(totalBytes)} free (${percent(share)})`;
  return [{ severity, topic: "disk", says, todo }];
}

function judgeMemory({ memoryBytes, swapBytes }: HostHealth): Finding[] {
  if (memoryBytes + swapBytes >= 1.5 * GIB) return [];
  const says = `it has ${gib(memoryBytes)} of memory and ${gib(swapBytes)} of swap`;
  const todo = "Add swap (fallocate -l 2G /swapfile, mkswap, swapon, a line in /etc/fstab).";
  return [{ severity: "advice", topic: "memory", says, todo }];
}

function judgeDocker({ docker }: HostHealth): Finding[] {
  if (!docker || docker.liveRestore) return [];
  const says = "live-restore is off: when Docker restarts, runs die";
  const todo =
    'Put "live-restore": true into /etc/docker/daemon.json, then: systemctl reload docker';
  return [{ severity: "advice", topic: "docker", says, todo }];
}

function judgeSshd(settings: Readonly<Record<string, string>>): Finding[] {
  const drop = "in a file of /etc/ssh/sshd_config.d, then: sshd -t && systemctl reload ssh";
  const found: Finding[] = [];
  const sessions = Number(settings.maxsessions ?? 10);
  if (sessions < 10) {
    const says = `MaxSessions is ${sessions}; al opens up to 10 at a time`;
    found.push({ severity: "problem", topic: "sshd", says, todo: `Set MaxSessions 10 ${drop}` });
  }
  const advise = (says: string, setting: string) =>
    found.push({ severity: "advice", topic: "sshd", says, todo: `Set ${setting} ${drop}` });
  if (settings.passwordauthentication === "yes") {
    advise("passwords are accepted, and can be guessed", "PasswordAuthentication no");
  }
  if (settings.permitrootlogin === "yes") {
    advise("root may log in with a password", "PermitRootLogin prohibit-password");
  }
  if (settings.clientaliveinterval === "0") {
    advise(
      "a session whose other end is dead stays for hours",
      "ClientAliveInterval 5 and ClientAliveCountMax 4",
    );
  }
  return found;
}

function judgeUpdates({ rebootRequired, securityUpgrades }: HostHealth): Finding[] {
  const topic = "updates";
  const found: Finding[] = [];
  if (rebootRequired) {
    const says = "an upgrade waits for a reboot";
    const todo =
      "Drain it, and reboot it: al stop --drain --host NAME, reboot, al start --host NAME";
    found.push({ severity: "advice", topic, says, todo });
  }
  if (securityUpgrades === false) {
    const says = "security upgrades are not installed by themselves";
    const todo =
      "apt-get install unattended-upgrades && dpkg-reconfigure -plow unattended-upgrades";
    found.push({ severity: "advice", topic, says, todo });
  }
  return found;
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
