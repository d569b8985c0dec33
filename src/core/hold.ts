/** Somebody's word that nothing is to start: since when (ms since the epoch), and who said so. */
export interface Hold {
  readonly since: number;
  /** `ann@laptop`. */
  readonly by?: string;
}
