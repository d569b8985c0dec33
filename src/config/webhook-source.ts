import { z } from "zod";
import { isCredentialInstance } from "../core/credential-types.ts";
import { DEFAULT_DELIVERIES_PER_MINUTE, webhookTypes } from "../core/webhook-types.ts";

/** An instance of a credential whose type is known. */
export const CredentialInstance = z
  .string()
  .refine(isCredentialInstance, "is not a credential's instance");

const header = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,100}$/, "is not the name of a header: letters, digits and `-`");

/** Fields that only a `generic` source has: the others' headers are known. */
const GENERIC_FIELDS = ["signatureHeader", "deliveryHeader", "eventHeader"] as const;

/** One `[webhooks.<name>]` of config.toml: where deliveries come from and how they are signed. */
export const WebhookSource = z
  .strictObject({
    type: z.enum(webhookTypes),
    /** Instances of the type's secret, for example `github_webhook_secret:<credential>`; any of them fits. */
    credential: z
      .union([CredentialInstance, z.array(CredentialInstance)], {
        error: "must be a credential's instance or a list of them",
      })
      .transform((value) => (typeof value === "string" ? [value] : value))
      .refine((instances) => instances.length > 0, "names no instance; leave it out to have none")
      .optional(),
    /** Accepts deliveries without a signature when there is no credential. */
    allowUnsigned: z.boolean().default(false),
    /** Deliveries a minute; more are told to come later. */
    rateLimit: z.int().positive().default(DEFAULT_DELIVERIES_PER_MINUTE),
    signatureHeader: header.optional(),
    deliveryHeader: header.optional(),
    eventHeader: header.optional(),
  })
  .superRefine((source, context) => {
    for (const field of source.type === "generic" ? [] : GENERIC_FIELDS) {
      if (source[field] === undefined) continue;
      const message = `is for type = "generic": the headers of ${source.type} are known`;
      context.addIssue({ code: "custom", path: [field], message });
    }
  });
export type WebhookSource = z.infer<typeof WebhookSource>;
