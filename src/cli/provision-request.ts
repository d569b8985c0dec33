import { AlError } from "../base/errors.ts";
import type { AdoptFlags } from "./commands/adopt.ts";
import type { ProvisionFlags } from "./commands/provision.ts";
import type { GcFlags } from "./commands/provision-gc.ts";

/** `al provision` as it was typed. */
export interface ProvisionWords {
  readonly host?: string | undefined;
  readonly ssh?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly installDocker: boolean;
  readonly harden: boolean;
  /** True without the id of a machine. */
  readonly gc?: string | true | undefined;
  readonly yes: boolean;
}

/** Which of its tasks that is. */
export type ProvisionRequest =
  | { readonly kind: "make"; readonly flags: ProvisionFlags }
  | { readonly kind: "adopt"; readonly host: string; readonly flags: AdoptFlags }
  | { readonly kind: "collect"; readonly flags: GcFlags };

/** What `al provision` is asked for. @throws AlError `flags-together` (user), with all that does not fit. */
export function provisionRequest(words: ProvisionWords): ProvisionRequest {
  const problems = problemsOf(words);
  if (problems.length > 0) throw notTogether(problems);
  const { host, ssh, fingerprint, installDocker, harden, gc, yes } = words;
  if (gc !== undefined) {
    return { kind: "collect", flags: { machine: gc === true ? undefined : gc, yes } };
  }
  if (ssh !== undefined && host !== undefined) {
    return { kind: "adopt", host, flags: { ssh, fingerprint, installDocker, harden, yes } };
  }
  return { kind: "make", flags: { host, yes } };
}

function problemsOf(words: ProvisionWords): string[] {
  const { host, ssh, fingerprint, installDocker, harden, gc, yes } = words;
  const isAdopted = ssh !== undefined;
  const isCollected = gc !== undefined;
  const found = {
    "--ssh is about one host: say which": isAdopted && host === undefined,
    "--ssh confirms nothing but --harden by --yes: a key is confirmed by --fingerprint, Docker by --install-docker":
      isAdopted && yes && !harden,
    "--fingerprint goes with --ssh; the key of a machine that we make is known":
      fingerprint !== undefined && !isAdopted,
    "--install-docker goes with --ssh; a machine that we make has it": installDocker && !isAdopted,
    "--harden goes with --ssh; a machine that we make is hardened": harden && !isAdopted,
    "--gc is about the whole project, not one host": isCollected && host !== undefined,
    "--gc and --ssh are two tasks": isCollected && isAdopted,
  };
  return Object.entries(found).flatMap(([problem, isThere]) => (isThere ? [problem] : []));
}

function notTogether(problems: readonly string[]): AlError {
  return new AlError(problems.join("\n"), {
    code: "flags-together",
    blame: "user",
    hint: "See what goes together: al provision --help",
  });
}
