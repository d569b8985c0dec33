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
