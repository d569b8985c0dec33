import { expect, test } from "vitest";
import { ipRange, parseIpRange } from "../../../src/core/ip-range.ts";

test.each([
  ["203.0.113.7", "203.0.113.7/32"],
  ["203.0.113.7/24", "203.0.113.0/24"],
  ["203.0.255.7/20", "203.0.240.0/20"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["::/0", "::/0"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1/128"],
  ["2001:db8:1:2:3:4:5:6/33", "2001:db8::/33"],
  ["::ffff:192.0.2.1", "::ffff:c000:201/128"],
])("%s is the range %s", (text, range) => {
  expect(ipRange(text)).toBe(range);
  expect(ipRange(parseIpRange(range))).toBe(range);
});

test.each([
  ...["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/x"],
  ...[
    "::/129",
    "1::2::3",
    "example.com",
    "0x7f.1",
    "fe80::1%eth0",
    "[::1]",
    "::1]/x[",
    "1.2.3.4/-1",
  ],
])("%j is refused", (text) => {
  expect(() => parseIpRange(text)).toThrow(
    expect.objectContaining({ code: "bad-ip-range", blame: "user" }),
  );
});
