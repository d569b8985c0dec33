import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkPin, parseHostKey } from "../../../src/transport/host-key.ts";

const directory = mkdtempSync(join(tmpdir(), "al-host-key-"));
afterAll(() => rmSync(directory, { recursive: true }));

test.each(["ed25519", "ecdsa", "rsa"])(
  "a key of type %s is read as ssh-keygen reads it",
  (type) => {
    const path = join(directory, type);
    execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "", "-f", path]);
    const publicKey = readFileSync(`${path}.pub`, "utf8").trim();
    const shown = execFileSync("ssh-keygen", ["-lf", `${path}.pub`], { encoding: "utf8" });
    const key = parseHostKey(Buffer.from(publicKey.split(" ")[1] ?? "", "base64"));
    expect(key.publicKey).toBe(publicKey);
    expect(shown).toContain(` ${key.fingerprint} `);
    expect(() =>
      checkPin("web-1", { kind: "pinned", fingerprints: [key.fingerprint] }),
    ).not.toThrow();
  },
);

test("a pin that could never match, or is empty, is refused with the way to a good one", () => {
  const md5 = "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48";
  for (const fingerprints of [[], [md5], ["*"], [`SHA256:${"A".repeat(43)}=`]]) {
    expect(() => checkPin("web-1", { kind: "pinned", fingerprints })).toThrow(
      expect.objectContaining({
        code: "host-key-unknown",
        blame: "user",
        hint: expect.stringContaining("ssh-keygen -lf"),
      }),
    );
  }
});
