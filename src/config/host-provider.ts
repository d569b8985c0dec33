import { MACHINE_OSES, type MachineSpec } from "../core/machine.ts";
import type { FleetHost } from "./fleet-file.ts";
import { machineFields } from "./machine-fields.ts";

type Field = Exclude<keyof FleetHost, "provider" | "labels" | "drift">;

/** Something that a host must not say, or must. */
interface FieldProblem {
  readonly field: Field;
  readonly message: string;
}

interface Rules {
  readonly required: Partial<Record<Field, string>>;
  readonly refused: Partial<Record<Field, string>>;
}

const NO_MACHINE = Object.fromEntries(
  Object.keys(machineFields).map((field) => [field, "is only for a machine of a provider"]),
);

const RULES: Readonly<Record<FleetHost["provider"], Rules>> = {
  ssh: {
    required: { address: "is required for a host reached over SSH" },
    refused: NO_MACHINE,
  },
  local: {
    required: {},
    refused: { ...NO_MACHINE, address: "has no meaning for the local machine" },
  },
  vultr: {
    required: { region: "is required for `vultr`", plan: "is required for `vultr`" },
    refused: {
      address: "is not for `vultr`: `al provision` writes it to fleet.lock.toml",
      port: "has no meaning for `vultr`: sshd of a machine that we make listens on 22",
    },
  },
};

/** What is missing, or has no meaning, for the provider of a host; some of its fields may be invalid. */
export function providerProblems(host: FleetHost): readonly FieldProblem[] {
  const rules = Object.hasOwn(RULES, host.provider) ? RULES[host.provider] : undefined;
  if (!rules) return [];
  const named = (fields: Rules["required"], isWrong: (field: Field) => boolean) =>
    (Object.entries(fields) as [Field, string][])
      .filter(([field]) => isWrong(field))
      .map(([field, message]) => ({ field, message }));
  return [
    ...named(rules.required, (field) => host[field] === undefined),
    ...named(rules.refused, (field) => host[field] !== undefined),
    ...(host.provider === "vultr" ? machineProblems(host) : []),
  ];
}

/** The machine that a host asks of its provider, for this user; undefined for one that has none. */
export function machineSpec(host: FleetHost, user: string): MachineSpec | undefined {
  const { provider, region, plan, os = MACHINE_OSES[0], tags = [], ipv6 = false, sshFrom } = host;
  if (provider !== "vultr" || region === undefined || plan === undefined) return undefined;
  return { region, plan, os, user, tags: [...new Set(tags)], ipv6, ...(sshFrom && { sshFrom }) };
}

function machineProblems({ user, architecture }: FleetHost): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (user === "root") {
    problems.push({ field: "user", message: "root cannot log in to a machine that we make" });
  }
  if (architecture === "arm64") {
    problems.push({ field: "architecture", message: "machines of `vultr` are `amd64`" });
  }
  return problems;
}
