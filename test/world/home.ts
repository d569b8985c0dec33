import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Writes a field into the credential store of a home directory, as an operator would. */
export async function addCredential(home: string, path: string, value: string): Promise<void> {
  const file = join(home, ".action-llama/credentials", path);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, value, { mode: 0o600 });
}
