import { expect, test } from "vitest";
import { clientAddress, clientNetwork } from "../../../src/gateway/client-address.ts";

const CLOUD = ["173.245.48.0/20", "2400:cb00::/32", "192.0.2.7"];

test("without trusted proxies the last address counts, whatever a sender wrote before it", () => {
  expect(clientAddress("198.51.100.9", [])).toBe("198.51.100.9");
  expect(clientAddress("10.0.0.1, 198.51.100.9", [])).toBe("198.51.100.9");
  expect(clientAddress("2001:db8::1", [])).toBe("2001:db8::1");
  expect(clientAddress("fe80::1%eth0", CLOUD)).toBe("fe80::1");
});

test("a trusted proxy is believed about who came to it, and no further", () => {
  expect(clientAddress("203.0.113.5, 198.51.100.9, 173.245.48.1", CLOUD)).toBe("198.51.100.9");
  expect(clientAddress("198.51.100.9, 192.0.2.7, 2400:cb00::5", CLOUD)).toBe("198.51.100.9");
  expect(clientAddress("198.51.100.9, 192.0.2.8", CLOUD)).toBe("192.0.2.8");
});

test("a chain of trusted proxies alone comes from the one farthest away", () => {
  expect(clientAddress("192.0.2.7, 173.245.48.1", CLOUD)).toBe("192.0.2.7");
});

test("what is no address is nobody's", () => {
  for (const header of [undefined, "", "unknown", "198.51.100.9:80", "_hidden, x"]) {
    expect(clientAddress(header, CLOUD)).toBeUndefined();
  }
  expect(clientAddress("unknown, 173.245.48.1", CLOUD)).toBeUndefined();
});

test("whoever has an IPv6 address has the /64 it is in", () => {
  expect(clientNetwork("198.51.100.9")).toBe("198.51.100.9");
  expect(clientNetwork("::ffff:198.51.100.9")).toBe("198.51.100.9");
  const same = ["2001:db8:0:1::1", "2001:0db8::1:ffff:0:0:2", "2001:db8:0:1:2:3:4:5"];
  expect(new Set(same.map(clientNetwork))).toEqual(new Set(["2001:db8:0:1::/64"]));
  expect(clientNetwork("2001:db8:0:2::1")).not.toBe(clientNetwork("2001:db8:0:1::1"));
  expect(clientNetwork("::1")).toBe("0:0:0:0::/64");
});
