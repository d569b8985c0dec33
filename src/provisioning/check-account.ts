import { AlError, hasCode } from "../base/errors.ts";
import type { MachineProvider, MachineRecords, ProviderCall } from "./ports.ts";

/** What {@link checkAccount} works with. */
export interface CheckAccountDeps {
  readonly provider: Pick<MachineProvider, "name" | "account" | "getMachine">;
  readonly records: Pick<MachineRecords, "machineAccount" | "machineRecords">;
}

/**
 * Makes certain, before anything else is asked of a provider, that the key is of the account in which
 * this project's machines were ordered: in any other they look as if they were gone. An account that
 * has one of them is the same, whatever it is called now.
 *
 * @returns the key's account; undefined where the key may not say.
 * @throws AlError `other-account` (user), or the provider's.
 */
export async function checkAccount(
  { provider, records }: CheckAccountDeps,
  call: ProviderCall = {},
): Promise<string | undefined> {
  const account = await accountOf(provider, call);
  const ordered = records.machineAccount();
  const all = records.machineRecords();
  if (ordered === undefined || ordered === account || all.length === 0) return account;
  for (const { machine } of all) {
    if (machine && (await provider.getMachine(machine.id, call))) return account;
  }
  throw otherAccount(provider.name, account, ordered);
}

async function accountOf(
  provider: CheckAccountDeps["provider"],
  call: ProviderCall,
): Promise<string | undefined> {
  try {
    return await provider.account(call);
  } catch (thrown) {
    // A key may be limited to machines; one that is not valid is told by the next call.
    if (hasCode(thrown, "provider-key-refused")) return undefined;
    throw thrown;
  }
}

function otherAccount(provider: string, account = "another one", ordered: string): AlError {
  const what = `this key is of account ${account}; machines of this project were ordered in ${ordered}`;
  return new AlError(`${what}; nothing was changed`, {
    code: "other-account",
    blame: "user",
    hint: `Store the key of ${ordered} again: al creds add ${provider}_api_key`,
  });
}
