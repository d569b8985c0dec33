import { AlError } from "../base/errors.ts";

const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];

/**
 * Where Vultr's API is asked instead of at Vultr's: an address that the key may go to, encrypted or
 * without leaving this machine. @throws AlError `bad-vultr-url` (user).
 */
export function checkedVultrUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe =
    url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.includes(url.hostname));
  const isPlain = url?.username === "" && url.password === "" && url.search === "" && !url.hash;
  if (isSafe && isPlain) return text.replace(/\/+$/, "");
  throw new AlError("AL_VULTR_URL is no address that the key for Vultr's API may be sent to", {
    code: "bad-vultr-url",
    blame: "user",
    hint: "It must begin with https://, or with http:// and be on this machine; without it Vultr's own is used.",
  });
}
