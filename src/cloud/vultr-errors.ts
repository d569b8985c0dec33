import { z } from "zod";
import { AlError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import type { Secret } from "../base/secret.ts";

const MASK = "[secret]";
const LONGEST_TEXT = 300;

/** A request, for messages: `POST /instances`. */
export interface RequestName {
  readonly method: string;
  readonly path: string;
}

/** What Vultr said of a failure: its `error`, or the start of whatever came, without the key. */
export function failureText(body: string, key: Secret): string {
  const text = errorOf(body) ?? body;
  const line = printable(text.replaceAll(key.reveal(), MASK).trim().replace(/\s+/g, " "));
  return line.slice(0, LONGEST_TEXT) || "no reason was given";
}

/** The error for an answer that no repetition changes. */
export function refusal({ method, path }: RequestName, status: number, text: string): AlError {
  const what = `Vultr refused ${method} ${path} with ${status}: ${text}`;
  if (status === 401 || status === 403) {
    return new AlError(what, {
      code: "provider-key-refused",
      blame: "user",
      hint: "Look in Vultr's console, under Account, API: is the key valid, may it do this, and may this machine's address use it? Store another with: al creds add vultr_api_key",
    });
  }
  if (status === 404) {
    return new AlError(what, {
      code: "provider-not-found",
      blame: "user",
      hint: "Somebody may have removed it meanwhile: run the same command again.",
    });
  }
  if (method === "POST" && path === "/instances" && /quota|limit|maximum|exceed/i.test(text)) {
    return new AlError(what, {
      code: "provider-quota",
      blame: "user",
      hint: "Remove machines that are not needed, or ask Vultr for a higher limit. A removed machine counts for a short time.",
    });
  }
  return new AlError(what, {
    code: "provider-refused",
    blame: "user",
    hint: "Mend what Vultr names, in fleet.toml or in its console, and run the same command again.",
  });
}

/** The error for a request that may succeed later and did nothing, or nothing that matters. */
export function temporary({ method, path }: RequestName, why: string, cause?: unknown): AlError {
  return new AlError(`Vultr did not answer ${method} ${path} properly: ${why}`, {
    code: "provider-unreachable",
    blame: "transient",
    hint: "Run the same command again; https://status.vultr.com says whether Vultr has trouble.",
    cause,
  });
}

/** The error for a request that may have been carried out, or may yet be. */
export function answerLost({ method, path }: RequestName, why: string, cause?: unknown): AlError {
  return new AlError(`it is not known whether Vultr carried out ${method} ${path}: ${why}`, {
    code: "provider-answer-lost",
    blame: "transient",
    hint: "Run the same command again: it first looks for what this one may have made.",
    cause,
  });
}

/** The error for an answer that is not what Vultr documents; a POST was carried out, or was not. */
export function unreadable(request: RequestName, why: string, cause?: unknown): AlError {
  const { method, path } = request;
  if (method === "POST") return answerLost(request, `its answer cannot be read: ${why}`, cause);
  return new AlError(`Vultr's answer to ${method} ${path} cannot be read: ${why}`, {
    code: "provider-answer-unreadable",
    blame: "bug",
    cause,
  });
}

const ErrorBody = z.object({ error: z.string() });

function errorOf(body: string): string | undefined {
  try {
    return ErrorBody.parse(JSON.parse(body)).error;
  } catch {
    return undefined;
  }
}
