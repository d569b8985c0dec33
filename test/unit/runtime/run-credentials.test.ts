import { expect, it } from "vitest";
import { credentialTable } from "../../../src/runtime/run-credentials.ts";

it("names credentials as their files are named, and changes no other object by any name", () => {
  const file = (path: string, text: string) => ({ path, content: Buffer.from(text) });
  const table = credentialTable([
    file("git_ssh/bot/id_rsa", "key\n"),
    file("git_ssh/bot/email", "bot@acme"),
    file("x_api/__proto__/token", "t"),
    file("x_api/constructor/token", "u"),
  ]);
  expect(JSON.stringify(table)).toBe(
    '{"git_ssh":{"bot":{"id_rsa":"key","email":"bot@acme"}},"x_api":{"__proto__":{"token":"t"},"constructor":{"token":"u"}}}',
  );
  expect("token" in {}).toBe(false);
});
