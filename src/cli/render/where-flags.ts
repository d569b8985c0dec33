/** The flags that say of a command that this host is meant: `--host one`, under `al dev` `--dev`. */
export function whereFlags(host: string, dev: boolean): string {
  return dev ? "--dev" : `--host ${host}`;
}
