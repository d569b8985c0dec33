import { z } from "zod";
import { hasCode } from "../base/errors.ts";
import { unreadable } from "./vultr-errors.ts";
import type { SendToVultr, VultrRequest } from "./vultr-http.ts";
import {
  type NewVultrInstance,
  type NewVultrRule,
  VultrAccount,
  VultrAvailability,
  VultrFirewallGroup,
  VultrFirewallRule,
  VultrInstance,
  VultrOs,
  VultrPlan,
  VultrRegion,
  VultrSshKey,
} from "./vultr-schemas.ts";

const PER_PAGE = "500";

/** Options of every call. */
export interface VultrCall {
  readonly signal?: AbortSignal | undefined;
}

/** The calls of Vultr's API v2 that we make, typed; lists are whole. */
export type VultrClient = ReturnType<typeof vultrClient>;

/** Vultr's API over a way to send; errors are those of `openVultr`. */
export function vultrClient(send: SendToVultr) {
  const { one, list, remove } = verbs(send);
  const at = (...parts: (string | number)[]) =>
    parts.map((part) => `/${encodeURIComponent(part)}`).join("");
  const post = (path: string, body: object): VultrRequest => ({ method: "POST", path, body });
  return {
    account: (call?: VultrCall) => one(get("/account"), "account", VultrAccount, call),
    regions: (call?: VultrCall) => list(get("/regions"), "regions", VultrRegion, call),
    plans: (call?: VultrCall) => list(get("/plans"), "plans", VultrPlan, call),
    oses: (call?: VultrCall) => list(get("/os"), "os", VultrOs, call),
    /** Ids of the plans that can be had in a region now. */
    async available(region: string, call?: VultrCall): Promise<readonly string[]> {
      const request = get(`${at("regions", region)}/availability`);
      return parse(request, VultrAvailability, await send(request, call)).available_plans;
    },
    /** All of the account, or those with exactly this tag. */
    instances: (tag: string | undefined, call?: VultrCall) =>
      list(get("/instances", tag === undefined ? {} : { tag }), "instances", VultrInstance, call),
    /** Undefined when there is none; also for about a second after it was made. */
    async instance(id: string, call?: VultrCall): Promise<VultrInstance | undefined> {
      try {
        return await one(get(at("instances", id)), "instance", VultrInstance, call);
      } catch (thrown) {
        if (isGone(thrown)) return undefined;
        throw thrown;
      }
    },
    createInstance: (body: NewVultrInstance, call?: VultrCall) =>
      one(post("/instances", body), "instance", VultrInstance, call),
    deleteInstance: (id: string, call?: VultrCall) => remove(at("instances", id), call),
    sshKeys: (call?: VultrCall) => list(get("/ssh-keys"), "ssh_keys", VultrSshKey, call),
    deleteSshKey: (id: string, call?: VultrCall) => remove(at("ssh-keys", id), call),
    firewallGroups: (call?: VultrCall) =>
      list(get("/firewalls"), "firewall_groups", VultrFirewallGroup, call),
    createFirewallGroup: (description: string, call?: VultrCall) =>
      one(post("/firewalls", { description }), "firewall_group", VultrFirewallGroup, call),
    /** A group that is in use goes too, and leaves its instances unprotected. */
    deleteFirewallGroup: (id: string, call?: VultrCall) => remove(at("firewalls", id), call),
    firewallRules: (group: string, call?: VultrCall) =>
      list(get(at("firewalls", group, "rules")), "firewall_rules", VultrFirewallRule, call),
    createFirewallRule: (group: string, body: NewVultrRule, call?: VultrCall) =>
      one(post(at("firewalls", group, "rules"), body), "firewall_rule", VultrFirewallRule, call),
    deleteFirewallRule: (group: string, rule: number, call?: VultrCall) =>
      remove(at("firewalls", group, "rules", rule), call),
  };
}

function get(path: string, query: Readonly<Record<string, string>> = {}): VultrRequest {
  return { method: "GET", path, query };
}

function verbs(send: SendToVultr) {
  return {
    /** The object below `key` of the answer. */
    async one<T extends z.ZodType>(
      request: VultrRequest,
      key: string,
      schema: T,
      call?: VultrCall,
    ) {
      const body = parse(request, z.object({ [key]: schema }), await send(request, call));
      return body[key] as z.infer<T>;
    },
    /** All pages of what is below `key`. */
    async list<T extends z.ZodType>(
      request: VultrRequest,
      key: string,
      schema: T,
      call?: VultrCall,
    ) {
      const page = z.object({ [key]: z.array(schema), meta: Meta });
      const all: z.infer<T>[] = [];
      const cursors = new Set<string>();
      for (let cursor = ""; ; ) {
        const query = { ...request.query, per_page: PER_PAGE, ...(cursor ? { cursor } : {}) };
        const body = parse(request, page, await send({ ...request, query }, call));
        all.push(...(body[key] as z.infer<T>[]));
        cursor = (body.meta as Meta).links.next;
        if (cursor === "") return all;
        if (cursors.has(cursor)) throw unreadable(request, "its pages lead in a circle");
        cursors.add(cursor);
      }
    },
    /** What is gone already counts as removed. */
    async remove(path: string, call?: VultrCall): Promise<void> {
      try {
        await send({ method: "DELETE", path }, call);
      } catch (thrown) {
        if (!isGone(thrown)) throw thrown;
      }
    },
  };
}

const Meta = z.object({ links: z.object({ next: z.string() }) });
type Meta = z.infer<typeof Meta>;

function parse<T extends z.ZodType>(request: VultrRequest, schema: T, json: unknown): z.infer<T> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw unreadable(request, `${issue?.path.join(".")}: ${issue?.message}`);
}

/** Older answers to a missing instance are 400 instead of 404. */
function isGone(thrown: unknown): boolean {
  if (hasCode(thrown, "provider-not-found")) return true;
  return hasCode(thrown, "provider-refused") && /with 400: invalid instance/i.test(thrown.message);
}
