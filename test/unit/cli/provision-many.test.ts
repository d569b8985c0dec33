import { expect, test } from "vitest";
import { provisionWorld } from "./provision-world.ts";

const names = (letter: string) => [1, 2, 3, 4].map((number) => `${letter}-${number}`);

const FLEET = [...names("a"), ...names("b")].reduce(
  (text, host) =>
    `${text}[hosts.${host}]\nprovider = "vultr"\nregion = "ams"\nplan = "vc2-1c-1gb"\nsshFrom = ["203.0.113.7", "203.0.113.8", "203.0.113.9"]\n`,
  '[project]\nname = "acme"\n',
);

/** The most requests that came within a second, and how many were refused for it. */
function pressure({ requests }: ReturnType<typeof provisionWorld>["standIn"]) {
  const within = requests.map(
    ({ atMs }) => requests.filter((one) => one.atMs >= atMs && one.atMs < atMs + 1_000).length,
  );
  return {
    most: Math.max(...within),
    refused: requests.filter(({ status }) => status === 429).length,
  };
}

test("hosts that are made at the same time stay together below what Vultr allows", async () => {
  const { operator, ids, standIn } = provisionWorld(FLEET);
  expect(await operator().provision(undefined, true)).toMatchObject({ code: 0 });
  expect(ids()).toHaveLength(8);
  const { most, refused } = pressure(standIn);
  expect(refused).toBe(0);
  expect(most).toBeGreaterThan(15);
  expect(most).toBeLessThanOrEqual(30);
});

test("operators who are too many together are held up, and nothing is lost or doubled", async () => {
  const { operator, left, standIn } = provisionWorld(FLEET);
  const ends = await Promise.all(
    [...names("a"), ...names("b")].map((host) => operator().provision(host, true)),
  );
  expect(ends.map(({ code }) => code)).toEqual(Array(8).fill(0));
  expect(pressure(standIn).refused).toBeGreaterThan(0);
  expect(left()).toEqual({ machines: 8, firewalls: 8, keys: 0 });
  expect(standIn.account.everMade).toHaveLength(8);
});

test("IPv6 and tags are ordered, and said of the machine that came of it", async () => {
  const { operator, standIn } = provisionWorld();
  const { said } = await operator().provision("web-2", true, true);
  const [instance] = standIn.account.instances.values();
  expect(instance?.body).toMatchObject({ enable_ipv6: true, hostname: "web-2", label: "web-2" });
  expect(instance?.body.tags).toEqual([
    ...["al-project-acme", "al-host-web-2", expect.stringMatching(/^al-nonce-/), "team-a"],
  ]);
  const last = JSON.parse(said.trim().split("\n").at(-1) ?? "");
  expect(last).toMatchObject({ kind: "provisioned", host: "web-2", ipv6: "2001:db8::1" });
  expect((await operator().provision("web-1", true)).said).not.toContain("2001:");
});
