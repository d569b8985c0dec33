import { expect, test } from "vitest";
import { checkedVultrUrl } from "../../../src/cli/vultr-url.ts";

test.each([
  ["https://api.vultr.example/v2", "https://api.vultr.example/v2"],
  ["https://api.vultr.example/v2/", "https://api.vultr.example/v2"],
  ["http://127.0.0.1:8080/v2", "http://127.0.0.1:8080/v2"],
  ["http://[::1]:8080/v2", "http://[::1]:8080/v2"],
  ["http://localhost/v2", "http://localhost/v2"],
])("%s may be given the key", (text, url) => {
  expect(checkedVultrUrl(text)).toBe(url);
});

test.each([
  "",
  "api.vultr.com",
  "http://api.vultr.example/v2",
  "http://127.0.0.1.example.com/v2",
  "http://localhost.example.com/v2",
  "http://127.0.0.1@example.com/v2",
  "https://key@api.vultr.example/v2",
  "https://api.vultr.example/v2?a=b",
  "file:///etc/passwd",
])("%j is not", (text) => {
  expect(() => checkedVultrUrl(text)).toThrow(expect.objectContaining({ code: "bad-vultr-url" }));
});
