import { expect, test } from "vitest";
import { parseLogin } from "../../../src/provisioning/parse-login.ts";

test.each([
  ["root@203.0.113.7", { user: "root", address: "203.0.113.7", port: 22 }],
  ["deploy@web-1.example.com:2222", { user: "deploy", address: "web-1.example.com", port: 2222 }],
  ["root@[2001:db8::1]:2222", { user: "root", address: "2001:db8::1", port: 2222 }],
  ["root@2001:db8::1", { user: "root", address: "2001:db8::1", port: 22 }],
])("%s is read", (text, login) => {
  expect(parseLogin(text)).toEqual(login);
});

test.each([
  ...["203.0.113.7", "@203.0.113.7", "root@", "Root@x", "root@x:0", "root@x:65536", "root@x:"],
  ...["-oProxyCommand=x@y", "root@-x", "root@x y", "root@x;y", "root@x\n", "root@a@b"],
])("%j is refused with examples", (text) => {
  expect(() => parseLogin(text)).toThrow(
    expect.objectContaining({ code: "login-invalid", hint: expect.stringContaining("root@203") }),
  );
});
