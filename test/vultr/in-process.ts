import { AlError } from "../../src/base/errors.ts";
import type { VultrStandIn } from "./stand-in.ts";

/** `fetch` that reaches a stand-in without a port; connections that end look as they do to fetch. */
export function fetchFrom(standIn: VultrStandIn): (request: Request) => Promise<Response> {
  return async (request) => {
    const answer = await standIn.handle(request);
    if (typeof answer !== "string") return answer;
    if (answer === "reset") throw connectionReset();
    return new Promise((_resolve, reject) => {
      request.signal.addEventListener("abort", () => reject(request.signal.reason), { once: true });
    });
  };
}

/** Ends everything after `requests` requests, as if the process had been killed there. */
export function killedAfter(
  inner: (request: Request) => Promise<Response>,
  requests: number,
  when: "before" | "after",
): { readonly fetch: (request: Request) => Promise<Response>; readonly isDead: () => boolean } {
  let count = 0;
  return {
    isDead: () => count >= requests,
    fetch: async (request) => {
      if (count >= requests) throw killed();
      count += 1;
      if (count < requests) return inner(request);
      if (when === "after") await inner(request).catch(() => undefined);
      throw killed();
    },
  };
}

/** What a process that was killed "throws". */
export function killed(): AlError {
  return new AlError("killed", { code: "killed", blame: "user" });
}

function connectionReset(): TypeError {
  const cause = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  return new TypeError("fetch failed", { cause });
}
