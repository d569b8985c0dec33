import { AlError } from "../base/errors.ts";

/**
 * An argument vector as one command line for a POSIX shell: the only place where a command becomes text.
 * Every argument is single-quoted, so the shell gives back exactly the same bytes (UTF-8).
 *
 * @throws AlError `argv-invalid` (bug) for what no command line can carry; see {@link checkArgv}.
 */
export function quoteArgv(argv: readonly string[]): string {
  checkArgv(argv);
  return argv.map((argument) => `'${argument.replaceAll("'", "'\\''")}'`).join(" ");
}

/**
 * Refuses an argument vector that cannot reach a program unchanged: empty, with NUL or a lone
 * surrogate, or with a program name that `exec` or `env` would take for an option or a variable.
 */
export function checkArgv(argv: readonly string[]): void {
  const program = argv[0];
  if (program === undefined || program === "") throw invalid("there is no program to run");
  if (program.startsWith("-") || program.includes("=")) {
    throw invalid(`${JSON.stringify(program)} cannot be the name of a program`);
  }
  for (const [index, argument] of argv.entries()) {
    if (argument.includes("\0")) throw invalid(`argument ${index} contains a NUL character`);
    if (/\p{Surrogate}/u.test(argument))
      throw invalid(`argument ${index} contains a lone surrogate`);
  }
}

function invalid(reason: string): AlError {
  return new AlError(`cannot run a command: ${reason}`, { code: "argv-invalid", blame: "bug" });
}
