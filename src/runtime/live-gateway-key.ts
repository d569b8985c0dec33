import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import { GATEWAY_KEY } from "../core/credential-needs.ts";
import type { GatewayKeyPort } from "../gateway/key-guard.ts";
import type { ReleasePort } from "../schedule/ports.ts";

/** The gateway's key as the live credential set has it; what was read is kept until that is replaced. */
export function liveGatewayKey(projectDir: string, releases: ReleasePort): GatewayKeyPort {
  let last: { readonly set: string; readonly key: Secret | undefined } | undefined;
  return {
    async current() {
      const set = (await releases.current())?.credentials;
      if (set === undefined) return undefined;
      if (last?.set !== set)
        last = { set, key: await readKey(join(projectDir, "credentials", set)) };
      return last.key;
    },
  };
}

async function readKey(set: string): Promise<Secret | undefined> {
  try {
    const text = await readFile(join(set, GATEWAY_KEY, "default", "key"), "utf8");
    return new Secret(text.trim());
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}
