import { z } from "zod";
import { ipRange } from "../core/ip-range.ts";
import { MACHINE_OSES } from "../core/machine.ts";

const MOST_TAGS = 20;
/** A firewall of Vultr's has 50 rules, and for a moment old and new ones. */
const MOST_SSH_SOURCES = 20;

/** A provider's own name for something it sells: `ams`, `vc2-1c-1gb`. */
function ProviderId(example: string) {
  const rule = `must be 1-64 of a-z, 0-9, \`-\` and \`.\`, like \`${example}\``;
  return z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/, rule);
}

const Tag = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/,
    "must be 1-64 letters, digits, `-`, `_`, `.` and `:`",
  )
  .refine((tag) => !/^al-/i.test(tag), "must not begin with `al-`: such tags are ours");

const SshSource = z
  .string()
  .refine(isIpRange, "must be an IP address or a range of them, like `203.0.113.0/24`");

/** The fields of a `[hosts.<name>]` that say what machine is to be made for it. */
export const machineFields = {
  region: ProviderId("ams").optional(),
  plan: ProviderId("vc2-1c-1gb").optional(),
  os: z.enum(MACHINE_OSES).optional(),
  tags: z.array(Tag).max(MOST_TAGS).optional(),
  ipv6: z.boolean().optional(),
  sshFrom: z
    .array(SshSource)
    .max(MOST_SSH_SOURCES)
    .refine((sources) => sources.length > 0, "must not be empty; leave it out for everybody")
    .optional(),
};

function isIpRange(text: string): boolean {
  try {
    ipRange(text);
    return true;
  } catch {
    return false;
  }
}
