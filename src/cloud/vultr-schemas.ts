import { z } from "zod";

/** `2020-10-10T01:56:20+00:00`; the offset varies. What has none counts as the oldest. */
const DateCreated = z.iso.datetime({ offset: true }).catch("1970-01-01T00:00:00+00:00");

/** What may be missing, as with Vultr's older objects: lists hold what others made, too. */
const Text = z
  .string()
  .nullish()
  .transform((text) => text ?? "");

/** `GET /account`: whose key it is. */
export const VultrAccount = z.object({ name: z.string(), email: z.string() });

/** One of `GET /regions`. */
export const VultrRegion = z.object({ id: z.string(), city: z.string(), country: z.string() });

/** One of `GET /plans`: memory in MB, disk in GB, price in USD a month. */
export const VultrPlan = z.object({
  id: z.string(),
  vcpu_count: z.int(),
  ram: z.int(),
  disk: z.int(),
  monthly_cost: z.number(),
  locations: z.array(z.string()),
});
export type VultrPlan = z.infer<typeof VultrPlan>;

/** One of `GET /os`. */
export const VultrOs = z.object({ id: z.int(), name: z.string() });
export type VultrOs = z.infer<typeof VultrOs>;

/** `GET /regions/{id}/availability`: what can be had there now. */
export const VultrAvailability = z.object({ available_plans: z.array(z.string()) });

/**
 * An instance. Unset strings are empty; `main_ip` is 0.0.0.0 at first.
 * `default_password` and `kvm` are secrets that Vultr sends along: not read.
 */
export const VultrInstance = z.object({
  id: z.string().min(1),
  main_ip: Text,
  v6_main_ip: Text,
  region: Text,
  plan: Text,
  os: Text,
  status: Text,
  power_status: Text,
  server_status: Text,
  tags: z.array(z.string()).nullish(),
  firewall_group_id: Text,
  date_created: DateCreated,
});
export type VultrInstance = z.infer<typeof VultrInstance>;

/** One of `GET /ssh-keys`. */
export const VultrSshKey = z.object({ id: z.string(), name: Text, ssh_key: Text });

/** One of `GET /firewalls`. */
export const VultrFirewallGroup = z.object({
  id: z.string(),
  description: Text,
  date_created: DateCreated,
});
export type VultrFirewallGroup = z.infer<typeof VultrFirewallGroup>;

/** One of `GET /firewalls/{id}/rules`. */
export const VultrFirewallRule = z.object({
  id: z.int(),
  ip_type: z.string(),
  protocol: z.string(),
  port: Text,
  subnet: z.string(),
  subnet_size: z.int(),
  /** `cloudflare` or a load balancer's id; empty, or the rule's own range, for plain ones. */
  source: Text,
});
export type VultrFirewallRule = z.infer<typeof VultrFirewallRule>;

/** What `POST /instances` takes, as far as we use it; unset fields are left out. */
export interface NewVultrInstance {
  readonly region: string;
  readonly plan: string;
  readonly os_id: number;
  readonly label: string;
  readonly hostname: string;
  readonly tags: readonly string[];
  /** Base64. */
  readonly user_data: string;
  readonly enable_ipv6: boolean;
  readonly backups: "disabled";
  readonly activation_email: false;
  readonly firewall_group_id?: string;
}

/** What `POST /firewalls/{id}/rules` takes. */
export interface NewVultrRule {
  readonly ip_type: "v4" | "v6";
  readonly protocol: "tcp" | "udp";
  readonly port: string;
  readonly subnet: string;
  readonly subnet_size: number;
}
