import { AlError } from "../base/errors.ts";
import type { Login } from "./adopt-ports.ts";

const LOGIN =
  /^(?<user>[a-z_][a-z0-9_-]{0,31})@(?:\[(?<v6>[0-9A-Fa-f:.]+)\]|(?<name>[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?))(?::(?<port>\d{1,5}))?$/;
const BARE_V6 =
  /^(?<user>[a-z_][a-z0-9_-]{0,31})@(?<v6>[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*)$/;

/**
 * Reads `user@address[:port]`; an IPv6 address with a port stands in brackets. Port 22 unless told.
 * @throws AlError `login-invalid` (user).
 */
export function parseLogin(text: string): Omit<Login, "host"> {
  const groups = (BARE_V6.exec(text) ?? LOGIN.exec(text))?.groups;
  const { user, v6, name, port: given = "22" } = groups ?? {};
  const address = v6 ?? name;
  const port = Number(given);
  if (user === undefined || address === undefined || port < 1 || port > 65535) throw invalid(text);
  return { user, address, port };
}

function invalid(text: string): AlError {
  return new AlError(`${JSON.stringify(text)} is not user@address[:port]`, {
    code: "login-invalid",
    blame: "user",
    hint: "For instance: root@203.0.113.7, deploy@web-1.example.com:2222, root@[2001:db8::1]:22",
  });
}
