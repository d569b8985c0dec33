import { expect, test } from "vitest";
import { addMachine } from "../../../src/config/add-machine.ts";

const HOST = { name: "web-2", region: "ams", plan: "vc2-1c-1gb", os: "debian-13" } as const;
const ADDED = `
[hosts.web-2]
provider = "vultr"
region = "ams"
plan = "vc2-1c-1gb"
os = "debian-13"
`;

test.each([
  ["ends with a line", '# ours\n[project]\nname = "acme" # so it is\n'],
  ["ends without one", '[project]\nname = "acme"\n[hosts.web-1]\naddress = "192.0.2.1"'],
  ["has a date", '[project]\nname = "acme"\nsince = 2026-01-31\n'],
])("a host is added to a text that %s, and nothing else changes", (_name, text) => {
  expect(addMachine(text, HOST)).toBe(`${text}${text.endsWith("\n") ? "" : "\n"}${ADDED}`);
});

test.each([
  ["hosts are an inline table", 'hosts = { a = { address = "192.0.2.1" } }\n'],
  ["it has the host already", '[hosts.web-2]\naddress = "192.0.2.1"\n'],
  ["it cannot be read", "[project\n"],
])("where %s, it says what to write instead", (_name, text) => {
  expect(() => addMachine(text, HOST)).toThrow(
    expect.objectContaining({
      code: "fleet-not-editable",
      hint: expect.stringContaining(ADDED.trim()),
    }),
  );
});
