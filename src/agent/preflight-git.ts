import { AlError } from "../base/errors.ts";
import type { PreflightStep } from "../core/preflight-step.ts";
import { placeBelow } from "./place-below.ts";
import type { StepContext } from "./preflight.ts";
import { runProcess } from "./run-process.ts";
import { substitute } from "./substitute.ts";

type Params = Extract<PreflightStep, { provider: "git-clone" }>["params"];

/** What git's words mean for an agent's author. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /host key verification failed/i,
    "Add the server's key to /etc/ssh/ssh_known_hosts in the agent's Dockerfile.",
  ],
  [
    /permission denied \(publickey/i,
    "List the credential git_ssh, or name an https:// address and list github_token.",
  ],
];

/** Clones a repository into a directory below /tmp, with the run's own access. */
export async function cloneRepository(params: Params, { tmp, env, signal }: StepContext) {
  const fill = (text: string) => substitute(text, env);
  const dest = await placeBelow(tmp, fill(params.dest));
  const options = [
    ...(params.branch === undefined ? [] : [`--branch=${fill(params.branch)}`]),
    ...(params.depth === undefined ? [] : [`--depth=${params.depth}`]),
  ];
  const args = ["clone", "--quiet", ...options, "--", address(fill(params.repo)), dest];
  try {
    await runProcess({ argv: ["git", ...args], cwd: tmp, signal });
  } catch (thrown) {
    throw withHint(thrown);
  }
}

function address(repo: string): string {
  const short = /^([A-Za-z0-9][\w.-]*\/[A-Za-z0-9_.-]+?)(\.git)?$/.exec(repo)?.[1];
  return short === undefined ? repo : `git@github.com:${short}.git`;
}

function withHint(thrown: unknown): unknown {
  if (!(thrown instanceof AlError)) return thrown;
  const { message, code, blame } = thrown;
  const hint = HINTS.find(([words]) => words.test(message))?.[1];
  return hint ? new AlError(message, { code, blame, hint, cause: thrown }) : thrown;
}
