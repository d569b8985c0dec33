import { type HardeningPlan, isHardened } from "../../provisioning/plan-hardening.ts";

/** What hardening a machine would change, for a person. */
export function hardeningLines(host: string, plan: HardeningPlan): string[] {
  if (isHardened(plan)) return [`${host}: nothing to harden`];
  const { packages, files, daemon, sshd, isBegun } = plan;
  const changes: readonly (readonly [string, readonly string[]])[] = [
    ["install", packages],
    ["write", files.map(({ path }) => path)],
    ["Docker", daemon?.adds ?? []],
    ["sshd", sshd],
  ];
  const isKeysOnly = sshd.some((line) => line.startsWith("PasswordAuthentication"));
  return [
    `${host}: hardening it changes`,
    ...changes.flatMap(([what, names]) =>
      names.length === 0 ? [] : [`  ${what.padEnd(8)} ${names.join(", ")}`],
    ),
    ...(isBegun ? ["  services are told to read their settings, which was cut off before"] : []),
    ...(isKeysOnly ? ["  nobody logs in there with a password any more"] : []),
  ];
}
