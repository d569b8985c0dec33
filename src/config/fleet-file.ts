import { z } from "zod";
import { providerProblems } from "./host-provider.ts";
import { machineFields } from "./machine-fields.ts";
import { Name } from "./names.ts";
import { BranchName, SourceUrl } from "./source-names.ts";

const port = z.int().min(1).max(65535);
const user = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, "is not the name of a Unix user");
const address = z
  .string()
  .regex(
    /^[A-Za-z0-9:]([A-Za-z0-9.:_-]{0,251}[A-Za-z0-9:])?$/,
    "must be a host name or an IP address",
  );
const architecture = z.enum(["amd64", "arm64"]);

const drift = z.enum(["heal", "report"]);

const hostFields = z.strictObject({
  provider: z.enum(["ssh", "vultr", "local"]).default("ssh"),
  address: address.optional(),
  port: port.optional(),
  user: user.optional(),
  architecture: architecture.optional(),
  labels: z.record(z.string(), z.string()).default({}),
  drift: drift.optional(),
  ...machineFields,
});

/** One `[hosts.<name>]` of fleet.toml. */
export const FleetHost = hostFields.superRefine(
  (host, context) => {
    const wrong = new Set(context.issues.map(({ path }) => path?.[0]));
    for (const { field, message } of providerProblems(host)) {
      if (!wrong.has(field)) context.addIssue({ code: "custom", message, path: [field] });
    }
  },
  // Also where a field is invalid: every problem is reported at once.
  { when: ({ value }) => typeof value === "object" && value !== null },
);
export type FleetHost = z.infer<typeof hostFields>;

/** `fleet.toml`: the project's name, its hosts, and how changes reach them. */
export const FleetFile = z.strictObject({
  project: z.strictObject({ name: Name }),
  defaults: z
    .strictObject({
      user: user.default("root"),
      port: port.default(22),
      architecture: architecture.default("amd64"),
    })
    .prefault({}),
  hosts: z.record(Name, FleetHost).default({}),
  source: z
    .strictObject({
      url: SourceUrl.optional(),
      branch: BranchName.default("main"),
      /** Seconds between two looks at the remote. */
      interval: z.int().min(1).default(60),
    })
    .prefault({}),
  rollout: z
    .strictObject({
      parallelHosts: z.int().positive().default(10),
      /** Seconds a host may take from its switch to its confirmation. */
      confirmTimeout: z.int().positive().default(90),
      /** What is done about changes on a host itself. */
      drift: drift.default("heal"),
    })
    .prefault({}),
});
export type FleetFile = z.infer<typeof FleetFile>;

/** What `fleet.lock.toml` says of one host. */
export const LockedHost = z.strictObject({
  instanceId: z.string().min(1).optional(),
  address,
  port: port.optional(),
  user: user.optional(),
  /** A public key as sshd has it: `ssh-ed25519 AAAA...`. */
  hostKey: z
    .string()
    .regex(
      /^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}( \S.*)?$/,
      "must be `<type> <base64>`, a public key",
    ),
});
export type LockedHost = z.infer<typeof LockedHost>;

/** `fleet.lock.toml`: public facts about hosts, for people; it never overrides an approved key. */
export const FleetLockFile = z.strictObject({
  hosts: z.record(z.string(), LockedHost).default({}),
});
export type FleetLockFile = z.infer<typeof FleetLockFile>;
