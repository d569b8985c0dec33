import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { credsAdd } from "../../../src/cli/commands/creds-add.ts";
import { createOutput } from "../../../src/cli/render/output.ts";
import { certificatePair } from "../credentials/certificate-pair.ts";
import { temporaryDirectory } from "../git/git-fixture.ts";

/** An operator's store, and `al creds add tls_certificate` with these fields. */
function operator() {
  const home = temporaryDirectory();
  const stored = join(home, "credentials/tls_certificate/default");
  const output = createOutput(false, { out: { write: () => {} }, err: { write: () => {} } });
  const context = {
    ...{ home, project: home, output, signal: new AbortController().signal, interactive: false },
    ...{ dockerSocket: "", gitVariables: {}, holder: "test", person: "ann@laptop" },
  };
  const add = (fields: Readonly<Record<string, string>>) => {
    const flags = Object.entries(fields).map(([name, value]) => {
      writeFileSync(join(home, name), value);
      return `${name}=@${join(home, name)}`;
    });
    return credsAdd(context, "tls_certificate", flags);
  };
  return { stored, add };
}

test("a certificate and a key that is not its own are not stored", async () => {
  const { stored, add } = operator();
  const [one, other] = [certificatePair(), certificatePair()];
  const refused = { code: "certificate-unusable", blame: "user" };
  const odd = add({ certificate: one.certificate, private_key: other.key });
  await expect(odd).rejects.toMatchObject(refused);
  expect(existsSync(stored)).toBe(false);
  expect(await add({ certificate: one.certificate, private_key: one.key })).toBe(0);
  // The key that is there already counts.
  await expect(add({ certificate: other.certificate })).rejects.toMatchObject(refused);
  expect(readFileSync(join(stored, "certificate"), "utf8")).toBe(one.certificate);
  expect(await add({ certificate: one.certificate })).toBe(0);
});
