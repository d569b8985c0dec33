/** Runs pieces of work one after another, in the order they were handed in. */
export type Serial = <T>(work: () => Promise<T>) => Promise<T>;

/** A new, empty line of work; a failure goes to its own caller and stops nothing. */
export function createSerial(): Serial {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work, work);
    last = result.catch(() => undefined);
    return result;
  };
}

/** As {@link createSerial}, with a line of its own for each key. */
export function createKeyedSerial(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const lines = new Map<string, { readonly serial: Serial; users: number }>();
  return async (key, work) => {
    const line = lines.get(key) ?? { serial: createSerial(), users: 0 };
    lines.set(key, line);
    line.users += 1;
    try {
      return await line.serial(work);
    } finally {
      line.users -= 1;
      if (line.users === 0) lines.delete(key);
    }
  };
}
