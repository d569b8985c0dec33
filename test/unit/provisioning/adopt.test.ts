import { beforeEach, expect, test } from "vitest";
import { type AdoptDeps, adoptMachine } from "../../../src/provisioning/adopt.ts";
import { MISSING, REFUSED, SimulatedMachine, USABLE } from "./simulated-machine.ts";

const OTHER = `SHA256:${"B".repeat(43)}`;
const login = { host: "web-1", address: "203.0.113.7", port: 22, user: "deploy" };

let machine: SimulatedMachine;
let approved: string | undefined;

beforeEach(() => {
  machine = new SimulatedMachine();
  approved = undefined;
});

function deps(answers: { key?: boolean; install?: boolean } = {}): AdoptDeps {
  return {
    machines: machine,
    confirmKey: async (fingerprint) => {
      machine.log.push(`asked about ${fingerprint}`);
      return answers.key;
    },
    approveKey: (fingerprint) => {
      machine.log.push("approved");
      approved = fingerprint;
    },
    confirmInstall: async () => answers.install,
    progress: () => {},
  };
}

test("the key is shown, confirmed and pinned before anything is sent to the machine", async () => {
  const adopted = await adoptMachine({ login }, deps({ key: true }));
  expect(adopted).toMatchObject({
    fingerprint: machine.fingerprint,
    installed: false,
    look: { system: "Debian GNU/Linux 13 (trixie)", engine: USABLE },
  });
  expect(machine.log).toEqual([
    "key read",
    `asked about ${machine.fingerprint}`,
    "approved",
    "login deploy",
  ]);
  expect(approved).toBe(machine.fingerprint);
  expect(machine.openSessions).toBe(0);
});

test("a key that is approved, or was given, is not asked about", async () => {
  await adoptMachine({ login, believed: [machine.fingerprint] }, deps());
  expect(machine.log).toEqual(["key read", "login deploy"]);
  await adoptMachine({ login, expected: machine.fingerprint }, deps());
  expect(approved).toBe(machine.fingerprint);
});

test("another key than the given one is refused, also where that one is approved", async () => {
  const adoption = { login, expected: OTHER, believed: [machine.fingerprint] };
  await expect(adoptMachine(adoption, deps({ key: true }))).rejects.toMatchObject({
    code: "host-key-mismatch",
    blame: "user",
    message: expect.stringContaining(machine.fingerprint),
  });
  expect(machine.log).toEqual(["key read"]);
});

test("another key than the approved one is asked about again", async () => {
  const adoption = { login, approved: OTHER };
  await expect(adoptMachine(adoption, deps({ key: false }))).rejects.toMatchObject({
    code: "approval-needed",
  });
  expect(approved).toBeUndefined();
  await adoptMachine(adoption, deps({ key: true }));
  expect(approved).toBe(machine.fingerprint);
});

test("where nobody can be asked, the error has the words that say yes", async () => {
  await expect(adoptMachine({ login }, deps())).rejects.toMatchObject({
    code: "approval-needed",
    hint: expect.stringContaining(`--fingerprint ${machine.fingerprint}`),
  });
  expect(machine.log).not.toContain("login deploy");
});

test("Docker is installed with a yes, and used by a new login, whose groups are new", async () => {
  Object.assign(machine, { engine: MISSING, uid: 1001, sudo: true });
  const adopted = await adoptMachine({ login }, deps({ key: true, install: true }));
  expect(adopted).toMatchObject({ installed: true, look: { engine: USABLE } });
  expect(machine.log.slice(3)).toEqual([
    "login deploy",
    "Docker installed, for deploy",
    "login deploy",
  ]);
  expect(machine.openSessions).toBe(0);
});

test.each([
  ["without a yes", { install: false }, {}, "--install-docker"],
  ["where nobody can be asked", {}, {}, "--install-docker"],
  ["without root", { install: true }, { uid: 1001 }, "not root"],
  ["on another distribution", { install: true }, { osRelease: "ID=alpine\n" }, "Debian and Ubuntu"],
])("nothing is installed %s", async (_what, answer, facts, hint) => {
  Object.assign(machine, { engine: MISSING, ...facts });
  await expect(adoptMachine({ login }, deps({ key: true, ...answer }))).rejects.toMatchObject({
    code: "docker-missing",
    hint: expect.stringContaining(hint),
  });
  expect(machine.engine).toBe(MISSING);
  expect(machine.openSessions).toBe(0);
});

test("an installation that fails says what apt said, and leaves no session", async () => {
  Object.assign(machine, { engine: MISSING, installFails: "E: Unable to locate package" });
  await expect(adoptMachine({ login }, deps({ key: true, install: true }))).rejects.toMatchObject({
    code: "install-failed",
    message: expect.stringContaining("E: Unable to locate package"),
  });
  expect(machine.openSessions).toBe(0);
});

test("a Docker that the user may not use is left as it is, and what to do is said", async () => {
  machine.engine = REFUSED;
  await expect(adoptMachine({ login }, deps({ key: true }))).rejects.toMatchObject({
    code: "docker-permission",
    message: "not for this user",
    hint: "Join. Then repeat the command for web-1.",
  });
});

test("a machine that runs no shell is no host", async () => {
  machine.osRelease = "";
  machine.uid = Number.NaN;
  await expect(adoptMachine({ login }, deps({ key: true }))).rejects.toMatchObject({
    code: "machine-unreadable",
  });
});

test("a machine cannot write on the operator's terminal", async () => {
  machine.osRelease = 'ID=debian\nPRETTY_NAME="\u001b[2Jgood"\n';
  const { look } = await adoptMachine({ login }, deps({ key: true }));
  expect(look.system).toBe("\\u{1b}[2Jgood");
});
