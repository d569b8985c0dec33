import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { AlError } from "../../src/base/errors.ts";
import type { Transport } from "../../src/transport/transport.ts";
import type { Cut } from "./host-bench.ts";

/** A transport whose connection ends at one of its effects. */
export interface CutTransport {
  readonly transport: Transport;
  /** Starts to count effects; before that nothing is cut. */
  arm(): void;
  /** Effects counted so far, the one that was cut included. */
  effects(): number;
}

/**
 * Counts what reaches the machine (commands, and requests on forwarded sockets) and severs the
 * connection at the `cut.at`-th: `during` it, or `after` it and before its answer is known.
 */
export function cutTransport(
  inner: Transport,
  cut: Cut,
  severInner: () => Promise<void>,
): CutTransport {
  let counted = 0;
  let armed = false;
  const severed = Promise.withResolvers<Error>();
  const sever = async () => {
    severed.resolve(lost());
    await severInner();
  };
  const isNext = () => armed && counted++ === cut.at;
  const lost = () =>
    new AlError(`the connection to host ${inner.host} ended`, {
      code: "connection-lost",
      blame: "transient",
    });
  const exec: Transport["exec"] = async (argv, options) => {
    if (!isNext()) return inner.exec(argv, options);
    const running = inner.exec(argv, options);
    await (cut.when === "after" ? running : Promise.race([running, delay(2)]));
    await Promise.all([sever(), running.catch(() => {})]);
    throw lost();
  };
  return {
    transport: {
      ...inner,
      lost: Promise.race([inner.lost, severed.promise]),
      exec,
      async forwardUnix(path, options) {
        const stream = await inner.forwardUnix(path, options);
        return severedAt(stream, isNext, async () => {
          await delay(cut.when === "after" ? 60 : 0);
          await sever();
        });
      },
    },
    arm: () => {
      armed = true;
    },
    effects: () => counted,
  };
}

/** The stream, which passes on a write that is next and then goes down with its connection. */
function severedAt(stream: Duplex, isNext: () => boolean, sever: () => Promise<void>): Duplex {
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  const cutting = (...args: unknown[]) => {
    if (isNext()) {
      // What the machine answers is not heard any more.
      Object.assign(stream, { push: () => true });
      void sever();
    }
    return write(...args);
  };
  return Object.assign(stream, { write: cutting });
}
