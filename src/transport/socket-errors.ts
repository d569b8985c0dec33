import { AlError } from "../base/errors.ts";

/** The error for a unix socket on a host that is missing, closed to us, or without a listener. */
export function socketUnavailable(host: string, path: string, cause: unknown): AlError {
  return new AlError(`host ${host}: cannot open the socket ${path}`, {
    code: "socket-unavailable",
    blame: "transient",
    hint: `Check that the service behind ${path} runs and that our user may open it (for Docker: group docker).`,
    cause,
  });
}

/** The error for an sshd that forwards no unix sockets. */
export function forwardingRefused(host: string, cause: unknown): AlError {
  return new AlError(`host ${host}: sshd refuses to forward unix sockets`, {
    code: "forwarding-refused",
    blame: "user",
    hint: "Set AllowStreamLocalForwarding yes in the host's sshd_config and reload sshd.",
    cause,
  });
}
