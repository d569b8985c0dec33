import { AlError, type Blame } from "../base/errors.ts";

interface Kind {
  readonly pattern: RegExp;
  readonly code: string;
  readonly blame: Blame;
  readonly says: string;
  readonly hint?: string;
}

const KINDS: readonly Kind[] = [
  {
    pattern: /couldn't find remote ref|remote ref .* not found/i,
    code: "branch-not-found",
    blame: "user",
    says: "has no such branch",
    hint: "Push the branch, or change `[source] branch` in fleet.toml.",
  },
  {
    pattern: /host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/i,
    code: "remote-host-key",
    blame: "user",
    says: "has a host key that ssh does not know",
    hint: "Check its fingerprint and add it to ~/.ssh/known_hosts of the controller's user.",
  },
  {
    pattern: /could not read (username|password)|authentication failed|permission denied|403/i,
    code: "remote-auth",
    blame: "user",
    says: "refused access",
    hint: "Give the controller a key or token that may read the repository.",
  },
  {
    pattern: /does not appear to be a git repository|repository .* not found|does not exist|404/i,
    code: "remote-not-found",
    blame: "user",
    says: "is not a git repository",
    hint: "Check `[source] url` in fleet.toml; `al controller init-repo <dir>` makes a local one.",
  },
  {
    pattern:
      /could not resolve|connection (refused|reset|timed out|closed)|unable to access|timed? ?out|early EOF|hung up/i,
    code: "remote-unreachable",
    blame: "transient",
    says: "cannot be reached",
  },
];

/** A failed fetch, classified by what git said; `remote` is already masked. */
export function fetchError(remote: string, branch: string, stderr: string): AlError {
  const said = lastWords(stderr);
  const kind = KINDS.find(({ pattern }) => pattern.test(stderr));
  const what = `repository ${remote}, branch ${branch}`;
  if (!kind) {
    return new AlError(`${what} could not be fetched: ${said}`, {
      code: "fetch-failed",
      blame: "transient",
    });
  }
  const { code, blame, says, hint } = kind;
  return new AlError(`${what} ${says}: ${said}`, { code, blame, ...(hint ? { hint } : {}) });
}

function lastWords(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  const fatal =
    lines.find((line) => line.startsWith("fatal:")) ?? lines.filter(Boolean).at(-1) ?? "";
  const plain = fatal.replace(/^fatal: /, "").replace(/\p{Cc}/gu, " ");
  return plain.replace(/([a-z+]+:\/\/)[^/\s]*@/gi, "$1***@").slice(0, 300);
}
