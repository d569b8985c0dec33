import { createHmac } from "node:crypto";
import { githubIssueEvent } from "./github-issue.ts";
import { WEBHOOK_SECRET } from "./runtime-process.ts";

const ISSUES = 50;

/** GitHub's deliveries of labelled issues, signed, as bytes of HTTP. */
export interface DeliveryRequests {
  /** Median size of a body. */
  readonly bodyBytes: number;
  /** The request of a delivery; its name is what deduplication goes by. */
  request(delivery: string, n: number): Buffer;
}

/** Deliveries that go round the labels. What can be made beforehand is. */
export function deliveryRequests(labels: readonly string[]): DeliveryRequests {
  const issues = Array.from({ length: ISSUES }, (_, n) => {
    const body = Buffer.from(githubIssueEvent(n + 1, labels[n % labels.length] ?? ""));
    const signature = createHmac("sha256", WEBHOOK_SECRET).update(body).digest("hex");
    return { body, signature };
  });
  const sizes = issues.map(({ body }) => body.byteLength).sort((a, b) => a - b);
  return {
    bodyBytes: sizes[ISSUES / 2] ?? 0,
    request(delivery, n) {
      const { body, signature } = issues[n % ISSUES] as (typeof issues)[number];
      const head = [
        "POST /webhooks/github HTTP/1.1",
        "Host: hooks.example.com",
        "User-Agent: GitHub-Hookshot/1a2b3c4",
        "Accept: */*",
        "Connection: close",
        "Content-Type: application/json",
        "X-GitHub-Event: issues",
        `X-GitHub-Delivery: ${delivery}`,
        "X-GitHub-Hook-ID: 292430182",
        "X-GitHub-Hook-Installation-Target-ID: 81234567",
        "X-GitHub-Hook-Installation-Target-Type: repository",
        `X-Hub-Signature-256: sha256=${signature}`,
        `Content-Length: ${body.byteLength}`,
      ];
      return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]);
    },
  };
}
