import { Duplex, Readable, Writable } from "node:stream";

/**
 * A Readable that starts to take `source` in at once, so nothing is lost however late it is read,
 * and passes on its backpressure. Ends when the source ends; never raises an unhandled `error`.
 */
export function bufferedReadable(source: Readable): Readable {
  const readable = new Readable({
    read: () => void source.resume(),
    destroy: (error, done) => {
      source.resume();
      done(error);
    },
  });
  feed(readable, source);
  return guarded(readable);
}

/** A Writable over the writing half of an SSH channel; writes to a closed channel never hang. */
export function channelWritable(channel: Duplex): Writable {
  return guarded(new Writable({ highWaterMark: HIGH_WATER_MARK, ...writing(channel) }));
}

/** An SSH channel as an ordinary Duplex: `destroy` closes it, and its end destroys the Duplex. */
export function channelDuplex(channel: Duplex & { close(): void }): Duplex {
  const duplex = new Duplex({
    writableHighWaterMark: HIGH_WATER_MARK,
    ...writing(channel),
    read: () => void channel.resume(),
    destroy: (error, done) => {
      channel.resume();
      channel.close();
      done(error);
    },
  });
  feed(duplex, channel);
  channel.once("close", () => {
    if (duplex.readableEnded) duplex.destroy();
    else duplex.once("end", () => duplex.destroy());
  });
  return guarded(duplex);
}

/** Adds an `error` listener that does nothing: who reads the stream still sees the error. */
export function guarded<T extends Duplex | Readable | Writable>(stream: T): T {
  return stream.on("error", () => {}) as T;
}

const HIGH_WATER_MARK = 256 * 1024;

function feed(target: Readable, source: Readable): void {
  source.on("data", (chunk: Buffer) => {
    if (!target.destroyed && !target.push(chunk)) source.pause();
  });
  source.once("end", () => {
    if (!target.destroyed) target.push(null);
  });
}

function writing(channel: Duplex) {
  return {
    write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void) {
      channel.write(chunk, done);
    },
    final(done: (error?: Error | null) => void) {
      channel.end();
      done();
    },
  };
}
