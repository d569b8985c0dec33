import { z } from "zod";

/** A git branch by its short name, by the rules of git-check-ref-format. */
export const BranchName = z.string().refine(isBranchName, "is not the name of a git branch");

/** A git remote without a credential in it: https, ssh, `user@host:path`, or a local path. */
export const SourceUrl = z.string().superRefine((url, context) => {
  const message = urlProblem(url);
  if (message) context.addIssue({ code: "custom", message });
});

function isBranchName(name: string): boolean {
  if (name.length === 0 || name.length > 200 || name === "@" || name.startsWith("-")) return false;
  if (/[\0-\x20\x7f~^:?*[\\]|\.\.|@\{|\.$/.test(name)) return false;
  return name.split("/").every((part) => part !== "" && !/^\.|\.lock$/.test(part));
}

function urlProblem(url: string): string | undefined {
  const local = /^(file:\/\/)?\//.test(url);
  const remote = /^(https|ssh):\/\/[^\s-]/.test(url) || /^[\w.-]+@[\w.][\w.-]*:[^\s:]/.test(url);
  if ((!local && !remote) || /\s/.test(url) || url.length > 2000) {
    return "must be https://..., ssh://..., user@host:path or an absolute path";
  }
  const userinfo = /^https:\/\/([^/@]*)@/.exec(url)?.[1];
  if (userinfo !== undefined) {
    return "carries a credential; store it with `al creds add github_token` instead";
  }
  return undefined;
}
