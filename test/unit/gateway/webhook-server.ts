import { openWebhookWorld } from "./webhook-world.ts";

/** A process that serves webhooks over the database it is given, and prints its port. */
const { port } = await openWebhookWorld({ path: process.argv[2] ?? "" });
process.stdout.write(`${port}\n`);
