import { createHmac } from "node:crypto";
import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import { request as requestPlain } from "node:http";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";

/** Where a public name is asked for, as if DNS gave its address. */
export interface PublicPlace {
  readonly name: string;
  readonly address: string;
  /** PEM of who signs for it. */
  readonly ca: string;
}

/** What was asked. */
export interface PublicRequest {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came back. */
export interface PublicAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Serial number of the certificate that was shown; empty without TLS. */
  readonly serial: string;
}

/** One request over a connection of its own to port 443, its certificate checked. */
export async function askPublic(
  { name, address, ca }: PublicPlace,
  path: string,
  { method = "POST", body = "", headers = {} }: PublicRequest = {},
): Promise<PublicAnswer> {
  const sent = request({
    ...{ host: address, port: 443, servername: name, ca, agent: false, path, method },
    headers: { host: name, ...headers },
  });
  sent.end(body);
  const [response] = await once(sent, "response");
  const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
  const { statusCode: status = 0 } = response;
  return { status, headers: response.headers, body: await text(response), serial: serialNumber };
}

/** Gets the head of an answer, and goes away without the rest of it. Its status. */
export async function glancePublic(
  { name, address, ca }: PublicPlace,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const sent = request({
    ...{ host: address, port: 443, servername: name, ca, agent: false, path },
    headers: { host: name, ...headers },
  });
  sent.end();
  const [response] = await once(sent, "response");
  response.destroy();
  return response.statusCode;
}

/** The same in the clear, to port 80. */
export async function askPlain(
  { name, address }: PublicPlace,
  path: string,
): Promise<PublicAnswer> {
  const headers = { host: name };
  const sent = requestPlain({
    host: address,
    port: 80,
    agent: false,
    path,
    method: "POST",
    headers,
  });
  sent.end();
  const [response] = await once(sent, "response");
  const { statusCode: status = 0 } = response;
  return { status, headers: response.headers, body: await text(response), serial: "" };
}

/** What GitHub sends of an issue, signed. */
export function issueDelivery(id: string, secret: string): PublicRequest {
  const issue = { number: 7, title: "it broke", body: "", labels: [] };
  const body = JSON.stringify({ action: "opened", issue, repository: { full_name: "acme/app" } });
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  return {
    body,
    headers: {
      ...{ "content-type": "application/json", "x-github-event": "issues" },
      ...{ "x-github-delivery": id, "x-hub-signature-256": `sha256=${signature}` },
    },
  };
}
