import { z } from "zod";
import { AGENT_BASE_IMAGE } from "../core/dockerfile.ts";
import { parseIpRange } from "../core/ip-range.ts";
import { RUN_RETENTION } from "../core/retention.ts";
import { Timezone } from "./cron-schedule.ts";
import { LogSize, Memory } from "./memory.ts";
import { ModelTable } from "./model-table.ts";
import { Name } from "./names.ts";
import { CredentialInstance, WebhookSource } from "./webhook-source.ts";

/** A container image's name, not empty, without white space. */
export const ImageName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,254}$/, "is not the name of a container image");

const HttpAddress = z.url({ protocol: /^https?$/, error: "must be a URL with http or https" });

/** A name in DNS below at least one other, in its canonical form: lower case, letters of other scripts as `xn--`. */
const PublicName = z
  .string()
  .max(253)
  .regex(
    /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "must be a full name in DNS, in lower case and without a scheme or port, such as `agents.example.com`",
  );

/** Bits that a proxy's range has at least; nobody's own is wider. */
const MIN_BITS = { v4: 8, v6: 16 };

/** An IP address or a range of them that can be somebody's proxies. */
const ProxyRange = z
  .union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
    error: "must be an IP address or a range such as `173.245.48.0/20`",
  })
  .refine((text) => {
    const { family, bits } = parseIpRange(text);
    return bits >= MIN_BITS[family];
  }, `is too wide (less than /${MIN_BITS.v4}, or /${MIN_BITS.v6} of IPv6): strangers in it could write any address as theirs`);

const Acme = z.strictObject({
  /** Told to whoever issues certificates. */
  email: z.email({ error: "must be an e-mail address" }).optional(),
  /** Of whoever issues certificates. */
  directory: z
    .string()
    .regex(/^https:\/\/[^\s/@?#]+(\/\S*)?$/, "must be a URL with https, without a user")
    .optional(),
});

/** `config.toml`: what concerns all agents; every field is optional. */
export const ConfigFile = z.strictObject({
  model: ModelTable.prefault({}),
  local: z
    .strictObject({
      /** Another name for our base image in Dockerfiles. */
      image: ImageName.default(AGENT_BASE_IMAGE),
      /** Bytes. */
      memory: Memory.prefault("4g"),
      cpus: z.number().positive().max(1024).default(2),
      /** Seconds. */
      timeout: z.int().positive().default(3600),
    })
    .prefault({}),
  images: z
    .strictObject({
      base: ImageName.optional(),
      /** `local`, or a host of fleet.toml. */
      builder: Name.default("local"),
    })
    .prefault({}),
  gateway: z
    .strictObject({
      port: z.int().min(1).max(65535).default(8080),
      /** Seconds. */
      lockTimeout: z.int().positive().default(1800),
      url: HttpAddress.optional(),
      /** Operators may use the control API on the outside listener, with the gateway's key. */
      control: z.boolean().default(false),
      /** Webhooks are received there from anywhere, with TLS. */
      public: PublicName.optional(),
      /** The host of fleet.toml whose address the public name has. */
      ingress: Name.optional(),
      /** The control API is under the public name, too. */
      publicControl: z.boolean().default(false),
      /** Proxies in front of the public name, whose word on a client's address is taken. */
      trustedProxies: z.array(ProxyRange).max(100).default([]),
      acme: Acme.optional(),
      /** Instance of `tls_certificate` that is served instead of one had by ACME. */
      certificate: CredentialInstance.optional(),
    })
    .prefault({}),
  retention: z
    .strictObject({
      days: z.int().min(2).max(3650).default(RUN_RETENTION.days),
      /** Bytes. */
      logs: LogSize.prefault("2g"),
    })
    .optional(),
  webhooks: z.record(z.string(), WebhookSource).default({}),
  maxReruns: z.int().nonnegative().default(10),
  maxCallDepth: z.int().nonnegative().default(3),
  workQueueSize: z.int().positive().default(100),
  /** Cap on concurrent runs of the whole project on one host. */
  scale: z.int().positive().optional(),
  timezone: Timezone.optional(),
});
export type ConfigFile = z.infer<typeof ConfigFile>;
