import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { type StandInOptions, VultrStandIn } from "./stand-in.ts";

/** A stand-in that listens. */
export interface VultrServer {
  /** Ends in `/v2`. */
  readonly baseUrl: string;
  readonly standIn: VultrStandIn;
  close(): Promise<void>;
}

/** Starts a stand-in on a port of its own, on loopback unless told. */
export async function startVultrServer(
  options: StandInOptions & { readonly host?: string; readonly port?: number } = {},
): Promise<VultrServer> {
  const { host = "127.0.0.1", port = 0, ...behaviour } = options;
  const standIn = new VultrStandIn(behaviour);
  const listener = getRequestListener(async (request, env) => {
    const answer = await standIn.handle(request);
    if (typeof answer !== "string") return answer;
    const { incoming } = env as HttpBindings;
    if (answer === "reset") incoming.socket.destroy();
    return new Promise<Response>((resolve) => {
      incoming.socket.once("close", () => resolve(new Response(null, { status: 499 })));
      if (incoming.socket.destroyed) resolve(new Response(null, { status: 499 }));
    });
  });
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, resolve);
  });
  return {
    baseUrl: `http://${host}:${(server.address() as AddressInfo).port}/v2`,
    standIn,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
