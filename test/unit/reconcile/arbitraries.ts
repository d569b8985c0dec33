import fc from "fast-check";
import type { Fault, FaultKind } from "../../memory-host/faults.ts";
import type { AgentWords, SpecWords } from "../../memory-host/specs.ts";
import { TAMPERINGS, type Tampering } from "../../memory-host/tamper.ts";

/** Credential fields that agents may ask for. */
export const FIELDS = [
  "github_token/default/token",
  "custom_key/default/token",
  "git_ssh/botty/id_rsa",
  "git_ssh/botty/username",
] as const;

const version = fc.constantFrom("1", "2");

const agent: fc.Arbitrary<AgentWords> = fc
  .record({
    actions: fc.constantFrom("Fix issues.", "Review pull requests.", ""),
    image: fc.option(version, { nil: undefined }),
    credentials: fc.subarray([...FIELDS]),
  })
  .map(({ image, ...rest }) => (image === undefined ? rest : { ...rest, image }));

/** Desired states that differ in everything a revision can change. */
export function specWords(revision: fc.Arbitrary<string>): fc.Arbitrary<SpecWords> {
  const agents = fc.dictionary(fc.constantFrom("dev", "ops", "docs"), agent, { maxKeys: 3 });
  const port = fc.constantFrom(8080, 9000);
  const always = fc.record({ revision, runtime: version, base: version, agents });
  const site = fc.record({
    public: fc.constantFrom("agents.example.com", "hooks.example.com"),
    ingress: version,
    publicControl: fc.boolean(),
  });
  const published = fc.option(site, { nil: {} });
  const door = fc.tuple(fc.record({ port, door: version }), published);
  const reached = fc.option(door, { nil: [] });
  return fc.tuple(always, reached).map((words) => Object.assign({}, ...words.flat()));
}

/** What happened to a host since it was last looked at. */
export const tamperings: fc.Arbitrary<readonly Tampering[]> = fc.uniqueArray(
  fc.constantFrom(...(Object.keys(TAMPERINGS) as Tampering[])),
  { maxLength: 4 },
);

const kinds: readonly FaultKind[] = ["before", "after", "torn", "lost", "lost-after", "lock-lost"];

/** What goes wrong during one pass: up to two calls, anywhere in it. */
export const faults: fc.Arbitrary<readonly Fault[]> = fc.array(
  fc.record({ at: fc.nat({ max: 45 }), kind: fc.constantFrom(...kinds) }),
  { minLength: 1, maxLength: 2 },
);
