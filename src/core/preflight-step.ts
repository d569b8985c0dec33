import * as z from "zod";

const text = z.string().min(1);
const required = z.boolean().default(true);
/** Where a run may write; what `${VAR}` makes of it is judged when the step runs. */
const place = text.refine((path) => !leavesTmp(path), {
  message: "must lie below /tmp: write a path relative to it",
});

function leavesTmp(path: string): boolean {
  return path.split("/").includes("..") || (path.startsWith("/") && !path.startsWith("/tmp/"));
}

/**
 * One `[[preflight]]` of agent-config.toml: a step in the container before the session begins.
 * `${VAR}` in a string of `params` is taken from the environment.
 */
export const PreflightStep = z.discriminatedUnion("provider", [
  z.strictObject({
    provider: z.literal("shell"),
    required,
    params: z.strictObject({ command: text, output: place.optional() }),
  }),
  z.strictObject({
    provider: z.literal("http"),
    required,
    params: z.strictObject({
      url: text,
      output: place,
      method: text.default("GET"),
      headers: z.record(z.string(), z.string()).optional(),
      body: z.string().optional(),
    }),
  }),
  z.strictObject({
    provider: z.literal("git-clone"),
    required,
    params: z.strictObject({
      /** `owner/repo` means git@github.com:owner/repo.git. */
      repo: text,
      dest: place,
      branch: text.optional(),
      depth: z.int().positive().optional(),
    }),
  }),
]);
export type PreflightStep = z.infer<typeof PreflightStep>;
