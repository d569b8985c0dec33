import { join } from "node:path";
import { Secret } from "../base/secret.ts";
import { formatCredentialRef } from "../core/credential-types.ts";
import type { ReleasedSource } from "../core/released.ts";
import type { WebhookSource } from "../core/webhook-authenticate.ts";
import { webhookFormat, webhookSecretTypes } from "../core/webhook-types.ts";
import type { LiveWebhooks, WebhooksPort } from "../gateway/webhook-ports.ts";
import type { LiveRelease, ReleasePort } from "../schedule/ports.ts";
import { credentialFiles } from "./run-files.ts";

/**
 * Sources with their secrets and who listens to them, as the live release and the live credential set
 * have them; what was read is kept until either is replaced.
 */
export function liveWebhooks(projectDir: string, releases: ReleasePort): WebhooksPort {
  let last: { readonly name: string; readonly live: LiveWebhooks } | undefined;
  return {
    async current() {
      const release = await releases.current();
      if (!release) return undefined;
      const name = `${release.release} ${release.credentials}`;
      if (last?.name !== name) last = { name, live: await readWebhooks(projectDir, release) };
      return last.live;
    },
  };
}

/** @throws AlError `credential-missing` (terminal): no source is ever left without its secret. */
async function readWebhooks(
  projectDir: string,
  { project, agents, credentials }: LiveRelease,
): Promise<LiveWebhooks> {
  const set = join(projectDir, "credentials", credentials);
  const sources = Object.entries(project.webhooks ?? {}).map(([name, source]) =>
    readSource(set, name, source),
  );
  const listeners = [...agents.values()].flatMap(({ name: agent, webhooks = [] }) =>
    webhooks.map(({ source, filter }) => ({ agent, source, filter })),
  );
  return { sources: await Promise.all(sources), listeners };
}

async function readSource(
  set: string,
  name: string,
  source: ReleasedSource,
): Promise<WebhookSource> {
  const { type, credential = [], allowUnsigned, rateLimit } = source;
  const references = credential.map((instance) =>
    formatCredentialRef({ type: webhookSecretTypes[type], instance }),
  );
  const files = await credentialFiles(set, references);
  return {
    ...{ name, format: webhookFormat(source), deliveriesPerMinute: rateLimit },
    secrets: files
      .filter(({ path }) => path.endsWith("/secret"))
      .map(({ content }) => new Secret(content.toString("utf8").trim())),
    // A source that names a secret never does without one.
    allowUnsigned: allowUnsigned && credential.length === 0,
  };
}
