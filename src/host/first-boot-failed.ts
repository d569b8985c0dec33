import { z } from "zod";
import { AlError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";

const MOST_ERRORS = 5;
const MOST_CHARACTERS = 200;

/** cloud-init's result.json, as much of it as is told. */
const BootResult = z.object({ v1: z.object({ errors: z.array(z.string()) }) });

/** That a new machine will never have Docker, with what cloud-init says in its result.json. */
export function firstBootFailed(host: string, result: string): AlError {
  const why = ["Docker is not there", ...errorsOf(result)].join("; ");
  return new AlError(`host ${host}: its first boot failed: ${why}`, {
    code: "first-boot-failed",
    blame: "user",
    hint: `More is in /var/log/cloud-init-output.log there. Another machine: al deprovision ${host}, then al provision ${host}`,
  });
}

/** Some of them may be harmless. */
function errorsOf(result: string): string[] {
  const { data } = BootResult.safeParse(parsed(result));
  return (data?.v1.errors ?? [])
    .slice(-MOST_ERRORS)
    .map((error) => printable(error.slice(0, MOST_CHARACTERS)));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
