/** One file of a {@link SourceTree}. */
export interface SourceEntry {
  /** Relative to the project's directory, `/`-separated. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly executable: boolean;
}

/** An entry that is no file to be read: a link, a submodule, or one with a name or size that is not allowed. */
export interface RefusedEntry {
  /** As {@link SourceEntry.path}; any text where its bytes are not UTF-8. */
  readonly path: string;
  readonly reason: string;
}

/** The files of one revision: regular files only, with harmless names. */
export interface SourceTree {
  /** Commit id, or a name for what is no commit. */
  readonly revision: string;
  readonly entries: readonly SourceEntry[];
  /** What else lies there, and makes the revision invalid. */
  readonly refused?: readonly RefusedEntry[];
  /** The bytes of one of `entries`. */
  read(path: string): Promise<Uint8Array>;
}
