import { z } from "zod";
import { AlError } from "../base/errors.ts";
import { credentialTypes, parseCredentialRef } from "../core/credential-types.ts";

/** A reference of an agent's list, `type` or `type:instance`, to what an agent may be given. */
export const CredentialName = z.string().superRefine((text, context) => {
  const message = referenceProblem(text);
  if (message) context.addIssue({ code: "custom", message });
});

function referenceProblem(text: string): string | undefined {
  try {
    const { type } = parseCredentialRef(text);
    if (credentialTypes.get(type)?.reach !== "controller") return undefined;
    return `\`${type}\` belongs to the controller and is never given to an agent`;
  } catch (thrown) {
    if (!(thrown instanceof AlError)) throw thrown;
    return `${thrown.message}: write \`type\` or \`type:instance\`, for example \`git_ssh:botty\``;
  }
}
