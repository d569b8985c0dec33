import type { Secret } from "../../src/base/secret.ts";
import type { HostSpec, ImageRecipe } from "../../src/core/desired.ts";
import type { HostSession } from "../../src/reconcile/ports.ts";
import type { SpecWords } from "../memory-host/specs.ts";

/** What lies on a host, seen by other eyes than the session's own. */
export interface Seen {
  /** Files of the project's directory by relative path. */
  readonly files: ReadonlyMap<string, SeenFile>;
  /** Containers with the project's label, or with a name the suite gave, by name: Docker's state. */
  readonly containers: Readonly<Record<string, string>>;
  /** References below `al-<project>/`, sorted. */
  readonly images: readonly string[];
  /** Subnet of the project's network; undefined without one. */
  readonly subnet: string | undefined;
}

/** One file as it lies there. */
export interface SeenFile {
  readonly text: string;
  /** Permission bits, octal: `600`. Hosts without modes say what is right. */
  readonly mode: string;
}

/** What other people's programs do to a host. */
export interface Meddling {
  /** Writes a file of the project's directory, by relative path, making its parents. */
  writeFile(path: string, text: string): Promise<void>;
  removeFile(path: string): Promise<void>;
  /** Has writes of `current.json` fail while this works; it is then as it was. */
  blockCurrent(work: () => Promise<void>): Promise<void>;
  /** Gives an image's reference to something else, which carries another spec hash. */
  retagImage(reference: string): Promise<void>;
  /** Gives the name to an image of another project. */
  takeImage(reference: string): Promise<void>;
  removeImage(reference: string): Promise<void>;
  /** Makes a container from an image, never started. */
  useImage(reference: string, name: string): Promise<void>;
  /** Makes a container of another project, never started. */
  takeContainer(name: string): Promise<void>;
  removeContainer(name: string): Promise<void>;
  /** Makes a network without our labels. */
  takeNetwork(name: string): Promise<void>;
  removeNetwork(name: string): Promise<void>;
}

/** Where in a step the connection ends: its `at`-th effect, counted from 0, while it happens or before its answer. */
export interface Cut {
  readonly at: number;
  readonly when: "during" | "after";
}

/** A session on a connection that ends at a cut. */
export interface CutSession {
  readonly session: HostSession;
  /** Starts to count effects; before that nothing is cut. */
  arm(): void;
  /** Effects counted so far, the one that was cut included. */
  effects(): number;
}

/** A host of one kind, and all that the conformance suite needs around it. */
export interface HostBench {
  readonly project: string;
  readonly host: string;
  /** Values by `type/instance/field` of the operator's store. */
  readonly values: Map<string, Secret>;
  connect(): Promise<HostSession>;
  connectCut(cut: Cut): Promise<CutSession>;
  /** A desired state whose images can really be built. */
  spec(words: Omit<SpecWords, "project" | "host">): HostSpec;
  recipes(spec: HostSpec): readonly ImageRecipe[];
  look(): Promise<Seen>;
  readonly meddle: Meddling;
  /** Puts a container, a network, an image and another project there; none of them is ours. */
  addForeign(): Promise<void>;
  /** All of that as text, ids and times included. */
  foreign(): Promise<string>;
  close(): Promise<void>;
}
