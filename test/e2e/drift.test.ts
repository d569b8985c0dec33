import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jsonLines } from "../world/al.ts";
import { addCredential } from "../world/home.ts";
import { hostState } from "../world/host-state.ts";
import { type SampleOptions, writeSampleProject } from "../world/sample-project.ts";
import { createWorld, orFail, type World } from "../world/world.ts";

const PROJECT = "drift";
const DIRECTORY = `/home/deploy/.action-llama/projects/${PROJECT}`;
const RUNTIME = `$(docker ps -aq --filter label=action-llama.project=${PROJECT} --filter label=action-llama.role=runtime)`;
const NETWORK = `al-${PROJECT}`;

/** For node: makes a container anew as it was, by its id and Docker's socket, but with a variable more. */
const WITH_ANOTHER_VARIABLE = `
  const ask = async (method, path, body) => {
    const headers = { "content-type": "application/json" };
    const sent = require("http").request({ socketPath: "/docker.sock", method, path, headers });
    sent.end(body && JSON.stringify(body));
    const [answer] = await require("events").once(sent, "response");
    const text = await require("stream/consumers").text(answer);
    if (answer.statusCode >= 300) throw new Error(text);
    return text && JSON.parse(text);
  };
  (async () => {
    const path = "/containers/" + process.argv[1];
    const { Name, Config, HostConfig } = await ask("GET", path + "/json");
    await ask("DELETE", path + "?force=1");
    const Env = [...Config.Env, "NODE_OPTIONS=--trace-exit"];
    await ask("POST", "/containers/create?name=" + Name.slice(1), { ...Config, HostConfig, Env });
  })();`;

/** Something done to the host for real; what a plan must say of it, and the steps that mend it. */
interface Drift {
  readonly what: string;
  readonly script: string;
  readonly says: RegExp;
  readonly steps: readonly string[];
}

const DRIFTS: readonly Drift[] = [
  {
    what: "a release file is edited",
    script: `echo edited | tee -a ${DIRECTORY}/releases/*/agents/greeter/ACTIONS.md`,
    says: /release \w+ was altered on the host: its bytes differ/,
    steps: ["write-release"],
  },
  {
    what: "a file of the credential set is removed",
    script: `rm ${DIRECTORY}/credentials/*/anthropic_key/default/token`,
    says: /credential set \w+ was altered on the host/,
    steps: ["write-credentials"],
  },
  {
    what: "the runtime is stopped",
    script: `docker stop ${RUNTIME}`,
    says: /the runtime container is exited/,
    steps: ["switch"],
  },
  {
    what: "the runtime is paused",
    script: `docker pause ${RUNTIME}`,
    says: /the runtime container is paused/,
    steps: ["replace-runtime", "switch"],
  },
  {
    what: "the runtime is removed",
    script: `docker rm -f ${RUNTIME}`,
    says: /the runtime container was removed/,
    steps: ["create-runtime", "switch"],
  },
  {
    what: "the runtime's restart policy is changed",
    script: `docker update --restart no ${RUNTIME}`,
    says: /altered: its restart policy: no instead of unless-stopped/,
    steps: ["replace-runtime", "switch"],
  },
  {
    what: "the runtime is made anew with one more mount",
    script: `name=$(docker inspect -f '{{.Name}}' ${RUNTIME}); image=$(docker inspect -f '{{.Config.Image}}' ${RUNTIME})
      hash=$(docker inspect -f '{{index .Config.Labels "action-llama.spec-hash"}}' ${RUNTIME})
      docker rm -f ${RUNTIME}
      docker create --name "\${name#/}" -v /etc:/host-etc --label action-llama.project=${PROJECT} \
        --label action-llama.role=runtime --label action-llama.spec-hash=$hash "$image"`,
    says: /the runtime container was altered: its user/,
    steps: ["replace-runtime", "switch"],
  },
  {
    what: "the runtime is made anew with one more variable",
    script: `docker run --rm --user 0 -v /var/run/docker.sock:/docker.sock --entrypoint node \
      $(docker images -q 'al-${PROJECT}/base') -e '${WITH_ANOTHER_VARIABLE}' ${RUNTIME}`,
    says: /the runtime container was altered: it was given other variables/,
    steps: ["replace-runtime", "switch"],
  },
  {
    what: "an agent's image is removed",
    script: `docker rmi $(docker images -q 'al-${PROJECT}/agent-greeter')`,
    says: /image al-drift\/agent-greeter:\w+ is not on the host/,
    steps: ["deliver-image"],
  },
  {
    what: "the network is removed",
    script: `docker stop ${RUNTIME}; docker network rm ${NETWORK}`,
    says: /network al-drift is missing/,
    steps: ["create-network", "replace-runtime", "switch"],
  },
  {
    what: "the network is made anew, open between containers",
    script: `docker stop ${RUNTIME}
      subnet=$(docker network inspect -f '{{(index .IPAM.Config 0).Subnet}}' ${NETWORK})
      gateway=$(docker network inspect -f '{{(index .IPAM.Config 0).Gateway}}' ${NETWORK})
      bridge=$(docker network inspect -f '{{index .Options "com.docker.network.bridge.name"}}' ${NETWORK})
      docker network rm ${NETWORK}
      docker network create --label action-llama.project=${PROJECT} --subnet $subnet --gateway $gateway \
        -o com.docker.network.bridge.name=$bridge ${NETWORK}`,
    says: /network al-drift was altered: containers may reach each other/,
    steps: ["replace-network", "replace-runtime", "switch"],
  },
];

const FOREIGN = `echo mine > ${DIRECTORY}/notes.txt; mkdir -p ${DIRECTORY}/releases/mine
  echo mine > ${DIRECTORY}/releases/mine/file; chown -R deploy ${DIRECTORY}/releases/mine
  docker run -d --name stranger --network ${NETWORK} --entrypoint sleep $(docker images -q 'al-${PROJECT}/base') 3600`;

const rows: string[] = [];
let world: World;
let sample: SampleOptions;

beforeAll(async () => {
  world = await createWorld("drift", () => {}, { hasBase: true });
  await addCredential(world.home, "anthropic_key/default/token", "sk-not-used");
  sample = {
    project: PROJECT,
    baseImage: world.lab.baseImage,
    host: { name: "one", address: world.host.address, port: world.host.port },
    model: { provider: "anthropic", model: "claude-scripted", baseUrl: "http://127.0.0.1:9" },
  };
  await writeSampleProject(world.copy, sample);
  await world.copy.commit("first");
  await world.copy.push();
  await world.approveAll();
  orFail(await world.al("apply"));
});

afterAll(async () => {
  process.stdout.write(
    `drifts done for real, named by a plan, mended by an apply:\n${rows.join("\n")}\n`,
  );
  await world?.remove(PROJECT);
});

async function onHost(script: string): Promise<string> {
  const { code, stdout, stderr } = await world.host.exec(["sh", "-c", script]);
  if (code !== 0) throw new Error(`${script}\n${stdout}\n${stderr}`);
  return stdout;
}

function stepsOf(stdout: string): readonly string[] {
  return jsonLines(stdout)
    .filter(({ kind }) => kind === "action-finished")
    .map(({ action }) => (action as { step: { kind: string } }).step.kind);
}

async function expectAsWanted(): Promise<void> {
  const plan = await world.al("plan");
  expect(plan.stdout).toContain("one: nothing to do");
  expect(plan.code).toBe(0);
  const state = await hostState(world.host, PROJECT);
  expect(state.runningRuntimes).toEqual([state.current.runtime]);
}

describe("drift on a host", () => {
  test.each(DRIFTS.map((drift) => [drift.what, drift] as const))(
    "is named by a plan and mended by an apply when %s",
    async (what, { script, says, steps }) => {
      await onHost(script);
      const plan = await world.al("plan");
      expect(plan.stdout).toMatch(says);
      expect(plan.code).toBe(2);
      const begin = performance.now();
      const { stdout } = orFail(await world.al("--json", "apply"));
      expect(stepsOf(stdout)).toEqual(steps);
      const seconds = ((performance.now() - begin) / 1000).toFixed(1);
      await expectAsWanted();
      rows.push(`  ${what.padEnd(52)} ${steps.join(", ")} (${seconds} s)`);
    },
  );
});

test("an apply has the runtime look at the network's rules at once, and put back what is missing", async () => {
  const inputChain = "iptables -S | grep -o '^-N AL-IN-.*' | cut -d' ' -f2";
  const rules = () => onHost(`for chain in $(${inputChain}); do iptables -S $chain; done`);
  const before = await rules();
  await onHost(`for chain in $(${inputChain}); do iptables -F $chain; done`);
  expect(await rules()).not.toBe(before);
  const { stdout } = orFail(await world.al("--json", "apply"));
  expect(stepsOf(stdout)).toEqual(["restore-rules"]);
  expect(await rules()).toBe(before);
  await expectAsWanted();
});

test("foreign files and containers are named, and nothing touches them", async () => {
  await onHost(FOREIGN);
  const foreign = `cat ${DIRECTORY}/notes.txt ${DIRECTORY}/releases/mine/file; docker inspect -f '{{.Id}} {{.State.Status}}' stranger`;
  const before = await onHost(foreign);
  const plan = await world.al("plan");
  expect(plan.code).toBe(0);
  expect(plan.stdout).toContain("foreign: notes.txt lies in");
  expect(plan.stdout).toContain("foreign: releases/mine lies in");
  expect(plan.stdout).toContain("foreign: container stranger runs in network al-drift");
  await onHost(`docker stop ${RUNTIME}`);
  orFail(await world.al("apply"));
  expect(await onHost(foreign)).toBe(before);
  await onHost(`docker rm -f stranger; rm -r ${DIRECTORY}/releases/mine ${DIRECTORY}/notes.txt`);
  await expectAsWanted();
});

test('with drift = "report" a change on the host is only reported, and a new commit still applies', async () => {
  await world.copy.edit("fleet.toml", (text) => `${text}\n[rollout]\ndrift = "report"\n`);
  await world.copy.commit("report drift");
  await world.copy.push();
  orFail(await world.al("apply"));
  await onHost(`docker stop ${RUNTIME}`);
  expect(await world.al("plan")).toMatchObject({ code: 2 });
  const applied = await world.al("apply");
  expect(applied.stdout).toContain('one: drifted, and left as it is (drift = "report")');
  expect(applied.code).toBe(1);
  expect((await hostState(world.host, PROJECT)).runningRuntimes).toEqual([]);
  orFail(await world.al("apply", "--heal"));
  await expectAsWanted();
  await onHost(`docker stop ${RUNTIME}`);
  await writeSampleProject(world.copy, sample);
  await world.copy.commit("heal drift");
  await world.copy.push();
  orFail(await world.al("apply"));
  await expectAsWanted();
});

/** Things of another project, its network rules included, as its own runtime would have made them. */
const NEIGHBOUR = `d=/home/deploy/.action-llama/projects/other; mkdir -p $d/releases; echo theirs > $d/applied.json
  docker network create --label action-llama.project=other al-other
  docker tag $(docker images -q 'al-${PROJECT}/base') theirs:1
  docker run -d --name al-other-runtime --network al-other --label action-llama.project=other \
    --label action-llama.role=runtime --entrypoint sleep theirs:1 3600
  iptables -N AL-IN-0123456789; iptables -A AL-IN-0123456789 -j RETURN
  iptables -I INPUT 1 -i al-0123456789 -m comment --comment action-llama:other -j AL-IN-0123456789`;

/** All that another project has on the host, its rules without their counters. */
const NEIGHBOURS_THINGS = `find /home/deploy/.action-llama/projects/other -printf '%p %m %T@\\n' | sort
  docker inspect -f '{{.Id}} {{.State.StartedAt}}' al-other-runtime; docker network inspect -f '{{.Id}}' al-other
  iptables-save | grep -e AL-IN-0123456789 -e action-llama:other | sed 's/\\[.*//'`;

test("removing the host from fleet.toml needs consent for that commit, then leaves nothing there", async () => {
  await onHost(NEIGHBOUR);
  const neighbour = await onHost(NEIGHBOURS_THINGS);
  expect(neighbour).toContain('--comment "action-llama:other"');
  const rules = () =>
    onHost(
      "(iptables-save; ip6tables-save) | grep -e 'AL-' -e action-llama: | grep -v 0123456789 || true",
    );
  expect(await rules()).toContain(`action-llama:${PROJECT}`);
  await world.copy.edit("fleet.toml", (text) => text.replace(/\[hosts[\s\S]*/, ""));
  const commit = await world.copy.commit("no hosts");
  await world.copy.push();
  const held = await world.al("apply");
  expect(held.stdout).toContain("goes: greeter on one");
  expect(held.stdout).toContain(`al approve prune ${commit}`);
  expect(held.code).toBe(1);
  expect((await hostState(world.host, PROJECT)).runningRuntimes).toHaveLength(1);
  const waits = await world.al("approve");
  expect(waits.stdout).toContain("goes: greeter on one");
  expect(waits.stdout).toContain(`al approve prune ${commit}`);
  expect(waits.stdout).not.toContain("nothing waits");
  expect(waits.code).toBe(2);
  orFail(await world.al("approve", "prune", commit));
  const { stdout } = orFail(await world.al("apply"));
  expect(stdout).toContain("one: left the fleet, and was cleaned");
  expect(await rules()).toBe("");
  const label = `label=action-llama.project=${PROJECT}`;
  const left = await onHost(
    `docker ps -aq --filter ${label}; docker network ls -q --filter ${label}; docker volume ls -q --filter ${label}
     docker images -q 'al-${PROJECT}/*'; ls -d ${DIRECTORY} 2>/dev/null || true; ip -o link | grep -e ' al-' | grep -v al-other || true`,
  );
  expect(left.trim()).toBe("");
  expect(await onHost(NEIGHBOURS_THINGS)).toBe(neighbour);
  const after = await world.al("--json", "plan");
  expect(jsonLines(orFail(after).stdout)).toMatchObject([{ kind: "plan", hosts: [] }]);
  expect((await world.al("approve")).stdout).toContain("nothing waits");
  rows.push(`  ${"the host left fleet.toml".padEnd(52)} consent, then nothing of it is left there`);
});
