import type { ImageSpec } from "./desired.ts";
import type { FileHash } from "./fingerprint.ts";
import type { PublicSite } from "./ingress-config.ts";
import type { Current, Inventory, InventoryItem, NetworkSpec } from "./observed.ts";
import type { CredentialFile } from "./resolve-credentials.ts";

/** The runtime container to create, with the host's facts filled in. */
export interface RuntimeContainer {
  readonly name: string;
  readonly image: string;
  readonly specHash: string;
  readonly projectDir: string;
  readonly uid: number;
  readonly gid: number;
  /** Path of the Docker socket on the host; inside it is always at the usual place. */
  readonly dockerSocket: string;
  readonly dockerGid: number;
  readonly network: NetworkSpec;
}

/** The door's container to create, with the host's facts filled in. */
export interface DoorContainer {
  readonly name: string;
  readonly image: string;
  readonly specHash: string;
  readonly projectDir: string;
  readonly uid: number;
  readonly gid: number;
  /** Name of the network. */
  readonly network: string;
  /** Where it is published on 127.0.0.1. */
  readonly outsidePort: number;
}

/** The ingress's container to create, with the host's facts filled in. */
export interface IngressContainer {
  readonly name: string;
  readonly image: string;
  readonly specHash: string;
  readonly projectDir: string;
  readonly uid: number;
  readonly gid: number;
  /** Name of the network. */
  readonly network: string;
  readonly site: PublicSite;
}

/** Parts of a plan, in the order they are carried out; nothing live changes before `switch`. */
export type Phase = "prepare" | "switch" | "retire";

/** One idempotent step. It carries identities and hashes, never contents or secrets. */
export type Step =
  | { readonly kind: "prepare-project" }
  | { readonly kind: "record-inventory"; readonly inventory: Inventory }
  | { readonly kind: "deliver-image"; readonly image: ImageSpec }
  | { readonly kind: "write-release"; readonly hash: string; readonly files: readonly FileHash[] }
  | {
      readonly kind: "write-credentials";
      readonly hash: string;
      readonly files: readonly CredentialFile[];
    }
  | { readonly kind: "create-network"; readonly network: NetworkSpec }
  | { readonly kind: "create-runtime"; readonly container: RuntimeContainer }
  | { readonly kind: "create-door"; readonly container: DoorContainer }
  | { readonly kind: "create-ingress"; readonly container: IngressContainer }
  /** Removes a network of ours that has other settings, with our standing containers in it, and makes it anew. */
  | { readonly kind: "replace-network"; readonly network: NetworkSpec }
  /** Removes a runtime that was altered or cannot be started, and creates it anew. */
  | { readonly kind: "replace-runtime"; readonly container: RuntimeContainer }
  /** The same with the door: senders are refused meanwhile. */
  | { readonly kind: "replace-door"; readonly container: DoorContainer }
  /** The same with the ingress, and for as long; its certificates stay. */
  | { readonly kind: "replace-ingress"; readonly container: IngressContainer }
  /** Has the live runtime put the network's rules back on the host. */
  | { readonly kind: "restore-rules"; readonly runtime: string }
  | {
      readonly kind: "switch";
      readonly current: Current;
      /** Put back when the confirmation fails. */
      readonly previous: Current | undefined;
    }
  | { readonly kind: "withdraw"; readonly container: string }
  /** `after`: kept while the inventory still lists that. */
  | {
      readonly kind: "remove";
      readonly item: InventoryItem;
      readonly after?: InventoryItem | undefined;
    }
  /** Removes what ended runs and one-shot containers left: containers and volumes. */
  | { readonly kind: "sweep-runs" }
  /** Removes the project's directory, once the inventory lists nothing; what is not ours in it stays. */
  | { readonly kind: "remove-project" }
  | { readonly kind: "sweep"; readonly paths: readonly string[] };

/** A step with its place and its reason, one sentence a person understands. */
export interface Action {
  readonly phase: Phase;
  readonly step: Step;
  readonly reason: string;
}

/** What a pass would do to one host. */
export interface HostPlan {
  readonly host: string;
  readonly revision: string;
  readonly actions: readonly Action[];
  /** What a person should know and no action concerns, such as foreign things; sorted. */
  readonly notes: readonly string[];
  /** True when the host was as asked for and something there was changed since. */
  readonly driftOnly?: boolean;
}

/** How a step ended: `kept` when something could not be deleted and stays in the inventory. */
export type StepResult =
  | { readonly kind: "done" }
  | { readonly kind: "kept"; readonly reason: string };
