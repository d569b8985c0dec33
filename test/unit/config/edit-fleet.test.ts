import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { newFleetFile, withHost } from "../../../src/config/edit-fleet.ts";

const FIELDS = { address: "203.0.113.7", port: 22, user: "deploy" };

test("a new host's table comes last, and every other byte stays", () => {
  const text = '# ours\n[project]\nname = "acme"  # the name\n\n[hosts.old]\naddress = "192.0.2.1"';
  expect(withHost(text, "web-1", FIELDS)).toBe(
    `${text}\n\n[hosts.web-1]\naddress = "203.0.113.7"\nport = 22\nuser = "deploy"\n`,
  );
});

test("a fleet begins with its first host", () => {
  expect(withHost(newFleetFile("acme"), "web-1", { address: "web.example.com" })).toBe(
    '[project]\nname = "acme"\n\n[hosts.web-1]\naddress = "web.example.com"\n',
  );
});

test("a table that is there is completed: values change in their lines, comments stay", () => {
  const text = [
    "[hosts.web-1] # the first",
    "  user = 'root' # for now",
    'labels = { region = "fra" }',
    "[hosts.web-2]",
    'address = "192.0.2.2"',
    "",
  ].join("\n");
  expect(withHost(text, "web-1", FIELDS).split("\n")).toEqual([
    "[hosts.web-1] # the first",
    'address = "203.0.113.7"',
    "port = 22",
    '  user = "deploy" # for now',
    'labels = { region = "fra" }',
    "[hosts.web-2]",
    'address = "192.0.2.2"',
    "",
  ]);
});

test("what is there already is not written again", () => {
  const once = withHost(newFleetFile("acme"), "web-1", FIELDS);
  expect(withHost(once, "web-1", FIELDS)).toBe(once);
});

test("line ends of another system are kept", () => {
  const text = '[project]\r\nname = "acme"\r\n[hosts.web-1]\r\nuser = "root"\r\n';
  expect(withHost(text, "web-1", { address: "192.0.2.1", user: "deploy" })).toBe(
    '[project]\r\nname = "acme"\r\n[hosts.web-1]\r\naddress = "192.0.2.1"\r\nuser = "deploy"\r\n',
  );
});

test("a table of which only a part has a header gets one of its own", () => {
  const text = '[hosts.web-1.labels]\nregion = "fra"\n';
  const edited = withHost(text, "web-1", { address: "192.0.2.1" });
  expect(edited.startsWith(text)).toBe(true);
  expect(parse(edited)).toEqual({
    hosts: { "web-1": { address: "192.0.2.1", labels: { region: "fra" } } },
  });
});

test.each([
  ["an inline table", '[hosts]\nweb-1 = { user = "root" }\n'],
  ["dotted keys", '[hosts]\nweb-1.user = "root"\n'],
  ["an inline table of all hosts", 'hosts = { web-2 = { address = "192.0.2.2" } }\n'],
  ["a value of several lines", '[hosts.web-1]\naddress = """\nx"""\n'],
  ["a header that is only text", 'x = """\n[hosts.web-1]\n"""\n[hosts]\nweb-1 = {}\n'],
])("%s is left to a person, who is told the lines", (_what, text) => {
  expect(() => withHost(text, "web-1", { ...FIELDS, address: "192.0.2.1" })).toThrow(
    expect.objectContaining({
      code: "fleet-not-editable",
      hint: expect.stringContaining('[hosts.web-1]\n  address = "192.0.2.1"'),
    }),
  );
});

test("a header within a text does not stop an edit from being right, or being refused", () => {
  const text = 'x = """\n[hosts.web-1]\n"""\n';
  expect(() => withHost(text, "web-1", { address: "192.0.2.1" })).toThrow(
    expect.objectContaining({ code: "fleet-not-editable" }),
  );
});
