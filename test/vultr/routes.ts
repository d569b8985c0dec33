import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { z } from "zod";
import { type StoredRule, type VultrAccountState, vultrDate } from "./account.ts";
import { bodyOf, NewInstance, NewRule, page, refuse } from "./answers.ts";
import { catalogue } from "./catalogue.ts";

const MOST_RULES = 50;
const NO_GROUP = "Invalid firewall_group_id.";
const LOCKED = "Unable to destroy server: Server is currently locked";

/** Everything of Vultr's API v2 that we use, with its paths and status codes, below `/v2`. */
export function vultrRoutes(state: VultrAccountState, options: { perPage: number }): Hono {
  const app = new Hono().basePath("/v2");
  const list = (context: Context, key: string, items: readonly object[]) =>
    page(context, key, items, options.perPage);
  catalogueRoutes(app, state, list);
  instanceRoutes(app, state, list);
  sshKeyRoutes(app, state, list);
  firewallRoutes(app, state, list);
  app.notFound((context) => refuse(context, 404, "Invalid API path."));
  return app;
}

type List = (context: Context, key: string, items: readonly object[]) => Response;

function catalogueRoutes(app: Hono, { switches }: VultrAccountState, list: List): void {
  app.get("/account", (context) =>
    context.json({ account: { name: "Example Ltd", email: switches.email, acls: [] } }),
  );
  app.get("/regions", (context) => list(context, "regions", catalogue.regions));
  app.get("/plans", (context) => list(context, "plans", catalogue.plans));
  app.get("/os", (context) => list(context, "os", catalogue.os));
  app.get("/regions/:id/availability", (context) => {
    const region = context.req.param("id");
    if (!catalogue.regions.some(({ id }) => id === region)) {
      return refuse(context, 400, "Invalid region.");
    }
    const sold = catalogue.plans.filter((plan) => plan.locations.includes(region));
    const ids = sold.map(({ id }) => id).filter((id) => !switches.soldOut.has(`${region} ${id}`));
    return context.json({ available_plans: ids });
  });
}

function instanceRoutes(app: Hono, state: VultrAccountState, list: List): void {
  app.get("/instances", (context) => {
    const tag = context.req.query("tag")?.toLowerCase();
    const found = [...state.instances.values()]
      .filter((instance) => state.isVisible(instance))
      .map((instance) => state.show(instance))
      .filter(({ tags }) => tag === undefined || tags.some((one) => one.toLowerCase() === tag));
    return list(context, "instances", found);
  });
  app.get("/instances/:id", (context) => {
    const instance = state.instances.get(context.req.param("id"));
    if (!instance || !state.isVisible(instance)) return refuse(context, 404, "instance not found");
    return context.json({ instance: state.show(instance) });
  });
  app.post("/instances", async (context) => {
    const body = await bodyOf(context, NewInstance);
    if (!body) return refuse(context, 400, "Invalid request body.");
    const plan = catalogue.plans.find(({ id }) => id === body.plan);
    const where = `${body.region} ${body.plan}`;
    if (!plan?.locations.includes(body.region) || state.switches.soldOut.has(where)) {
      return refuse(context, 400, "Invalid plan chosen.");
    }
    if (!catalogue.os.some(({ id }) => id === body.os_id))
      return refuse(context, 400, "Invalid OS.");
    if (!isGroup(state, body.firewall_group_id)) return refuse(context, 400, NO_GROUP);
    if (state.instances.size >= state.switches.maxInstances) {
      return refuse(context, 400, "You have reached the maximum number of active instances.");
    }
    return context.json({ instance: state.show(state.create(body)) }, 202);
  });
  app.patch("/instances/:id", async (context) => {
    const instance = state.instances.get(context.req.param("id"));
    if (!instance) return refuse(context, 404, "instance not found");
    const body = await bodyOf(context, z.object({ firewall_group_id: z.string() }));
    if (!body || !isGroup(state, body.firewall_group_id)) return refuse(context, 400, NO_GROUP);
    instance.firewallGroupId = body.firewall_group_id;
    return context.json({ instance: state.show(instance) }, 202);
  });
  app.delete("/instances/:id", async (context) => {
    const id = context.req.param("id");
    const instance = state.instances.get(id);
    if (!instance) return refuse(context, 404, "instance not found");
    if (state.isLocked(instance)) return refuse(context, 500, LOCKED);
    await state.delete(id);
    return context.body(null, 204);
  });
}

/** An empty id means none. */
function isGroup({ groups }: VultrAccountState, id = ""): boolean {
  return id === "" || groups.has(id);
}

function sshKeyRoutes(app: Hono, state: VultrAccountState, list: List): void {
  const show = ([id, key]: [string, { name: string; ssh_key: string; createdMs: number }]) => ({
    ...{ id, name: key.name, ssh_key: key.ssh_key, date_created: vultrDate(key.createdMs) },
  });
  app.get("/ssh-keys", (context) => list(context, "ssh_keys", [...state.sshKeys].map(show)));
  app.delete("/ssh-keys/:id", (context) => {
    if (!state.sshKeys.delete(context.req.param("id"))) return refuse(context, 404, "not found");
    return context.body(null, 204);
  });
}

function firewallRoutes(app: Hono, state: VultrAccountState, list: List): void {
  const show = (id: string) => {
    const group = state.groups.get(id);
    const date = vultrDate(group?.createdMs ?? 0);
    return {
      ...{ id, description: group?.description ?? "", date_created: date, date_modified: date },
      ...{ rule_count: group?.rules.length ?? 0, max_rule_count: MOST_RULES },
    };
  };
  app.get("/firewalls", (context) =>
    list(context, "firewall_groups", [...state.groups.keys()].map(show)),
  );
  app.post("/firewalls", async (context) => {
    const body = await bodyOf(context, z.object({ description: z.string().default("") }));
    if (!body) return refuse(context, 400, "Invalid request body.");
    const id = randomUUID();
    const description = body.description.slice(0, 255);
    state.groups.set(id, { description, createdMs: state.now(), rules: [], lastRule: 0 });
    return context.json({ firewall_group: show(id) }, 201);
  });
  app.delete("/firewalls/:id", (context) => {
    const id = context.req.param("id");
    if (!state.groups.delete(id)) return refuse(context, 404, "firewall group not found");
    // As there: a group in use goes all the same, and its instances are left open.
    for (const instance of state.instances.values()) {
      if (instance.firewallGroupId === id) instance.firewallGroupId = "";
    }
    return context.body(null, 204);
  });
  ruleRoutes(app, state, list);
}

function ruleRoutes(app: Hono, state: VultrAccountState, list: List): void {
  app.get("/firewalls/:id/rules", (context) => {
    const group = state.groups.get(context.req.param("id"));
    if (!group) return refuse(context, 404, "firewall group not found");
    return list(context, "firewall_rules", group.rules);
  });
  app.post("/firewalls/:id/rules", async (context) => {
    const group = state.groups.get(context.req.param("id"));
    if (!group) return refuse(context, 404, "firewall group not found");
    const body = await bodyOf(context, NewRule);
    if (!body) return refuse(context, 400, "Invalid firewall rule.");
    const same = (rule: StoredRule) =>
      (["ip_type", "protocol", "port", "subnet", "subnet_size"] as const).every(
        (key) => rule[key] === body[key],
      );
    if (group.rules.some(same)) return refuse(context, 400, "This rule is already defined ");
    if (group.rules.length >= MOST_RULES) return refuse(context, 400, "Too many rules.");
    group.lastRule += 1;
    const source = body.source || `${body.subnet}/${body.subnet_size}`;
    const live = { action: "accept", direction: "in", type: body.ip_type, loadbalancer_id: "" };
    const rule = { ...body, ...live, id: group.lastRule, source };
    group.rules.push(rule);
    return context.json({ firewall_rule: rule }, 201);
  });
  app.delete("/firewalls/:id/rules/:rule", (context) => {
    const group = state.groups.get(context.req.param("id"));
    const index =
      group?.rules.findIndex(({ id }) => id === Number(context.req.param("rule"))) ?? -1;
    if (!group || index < 0) return refuse(context, 404, "firewall rule not found");
    group.rules.splice(index, 1);
    return context.body(null, 204);
  });
}
