/** One file of a {@link SourceTree}. */
export interface SourceEntry {
  /** Relative to the project's directory, `/`-separated. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly executable: boolean;
}

/** The files of one revision: regular files only, with harmless names. */
export interface SourceTree {
  /** Commit id, or a name for what is no commit. */
  readonly revision: string;
  readonly entries: readonly SourceEntry[];
  /** The bytes of one of `entries`. */
  read(path: string): Promise<Uint8Array>;
}
