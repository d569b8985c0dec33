import type { Context } from "hono";
import { z } from "zod";

/** An error in Vultr's form. */
export function refuse(context: Context, status: 400 | 401 | 403 | 404 | 429 | 500, error: string) {
  return context.json({ error, status }, status);
}

/**
 * A page of a list in Vultr's form. Cursors are opaque, in base64, and `""` ends the list; pages hold
 * at most 500, or less if `largest` says so.
 */
export function page(context: Context, key: string, items: readonly object[], largest = 500) {
  const perPage = Math.min(Number(context.req.query("per_page") ?? 100), largest);
  const cursor = context.req.query("cursor") ?? "";
  const start = cursor === "" ? 0 : Number(atob(cursor).replace("next__", ""));
  const next = start + perPage < items.length ? btoa(`next__${start + perPage}`) : "";
  const links = { next, prev: start > 0 ? btoa(`prev__${Math.max(0, start - perPage)}`) : "" };
  return context.json({
    [key]: items.slice(start, start + perPage),
    meta: { total: items.length, links },
  });
}

/** The body of a request, or undefined when it is not said to be JSON or not what the schema asks for. */
export async function bodyOf<T extends z.ZodType>(
  context: Context,
  schema: T,
): Promise<z.infer<T> | undefined> {
  if (context.req.header("content-type") !== "application/json") return undefined;
  const json = await context.req.json().catch(() => undefined);
  const result = schema.safeParse(json);
  return result.success ? result.data : undefined;
}

/** `POST /instances`: exactly one source of an image is wanted, of which we only use the OS. */
export const NewInstance = z.object({
  region: z.string(),
  plan: z.string(),
  os_id: z.int(),
  label: z.string().optional(),
  hostname: z.string().optional(),
  tags: z.array(z.string()).max(50).optional(),
  user_data: z.base64().optional(),
  enable_ipv6: z.boolean().optional(),
  backups: z.enum(["enabled", "disabled"]).optional(),
  activation_email: z.boolean().optional(),
  firewall_group_id: z.string().optional(),
  sshkey_id: z.array(z.string()).optional(),
});
export type NewInstance = z.infer<typeof NewInstance>;

/** `POST /firewalls/{id}/rules`; the size must be sent, 0 included. */
export const NewRule = z.object({
  ip_type: z.enum(["v4", "v6"]),
  protocol: z.enum(["icmp", "tcp", "udp", "gre", "esp", "ah"]),
  subnet: z.string(),
  subnet_size: z.int().min(0).max(128),
  port: z.string().default(""),
  source: z.string().default(""),
  notes: z.string().default(""),
});
