/** That an operator holds something back, since when (ms since the epoch), and who: `ann@laptop`. */
export interface Hold {
  readonly since: number;
  readonly by?: string;
}
