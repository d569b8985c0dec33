/** Where a process dies: at its n-th call to the world, before or after that call has its effect. */
export interface Death {
  readonly call: number;
  readonly after: boolean;
}

/** Wraps ports so that, from the moment of death on, no call is made and none returns. */
export function mortal({ call, after }: Death) {
  let calls = 0;
  let dead = false;
  const never = () => new Promise<never>(() => {});
  return <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== "function") return value;
        return async (...args: unknown[]) => {
          calls += 1;
          if (dead) return never();
          if (calls >= call) dead = true;
          if (dead && !after) return never();
          const result: unknown = await value.apply(target, args);
          return dead ? never() : result;
        };
      },
    });
}
