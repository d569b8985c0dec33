import { AlError } from "../base/errors.ts";

/** A remote that git may be given. */
export interface RemoteUrl {
  readonly url: string;
  /** The bare repository's directory, when the remote is on this machine. */
  readonly localPath: string | undefined;
  /** For messages: without user, password and query. */
  readonly masked: string;
}

/**
 * Checks a remote before git sees it: https, ssh, `user@host:path`, file or an absolute path.
 * @throws AlError `invalid-remote` (user).
 */
export function parseRemoteUrl(url: string): RemoteUrl {
  const masked = maskUrl(url);
  const hasControl = /[\p{Cc}\s]/u.test(url);
  const local = /^(?:file:\/\/)?(\/.*)$/.exec(url)?.[1];
  const scp = /^[\w.-]+@[\w.][\w.-]*:[^\s:]/.test(url) && !url.startsWith("-");
  const known = /^(https|ssh):\/\/[^\s/-]/.test(url) || scp || local !== undefined;
  if (hasControl || !known) {
    throw new AlError(`not a remote that can be used: ${JSON.stringify(masked)}`, {
      code: "invalid-remote",
      blame: "user",
      hint: "Write https://..., ssh://..., user@host:path or an absolute path.",
    });
  }
  return { url, masked, localPath: local };
}

/** A URL without anything that may be a credential. */
export function maskUrl(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/]*@/i, "$1***@").replace(/[?#].*$/s, "");
}
