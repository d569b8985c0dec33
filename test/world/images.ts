import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { connectEngine } from "../lab/engine.ts";
import type { Lab } from "../lab/set-up.ts";

/** An image like the lab's base image, but Node.js refuses to start in it; returns its name. */
export async function tagBrokenImage(lab: Lab, name: string): Promise<string> {
  const docker = connectEngine(lab.engine);
  const archive = pack();
  const dockerfile = `FROM ${lab.baseImage}\nENV NODE_OPTIONS=--no-such-option\n`;
  archive.entry({ name: "Dockerfile" }, dockerfile);
  archive.finalize();
  const output = await docker.buildImage(Readable.from(archive), { t: name });
  await new Promise((resolve, reject) => {
    docker.modem.followProgress(output, (error) => (error ? reject(error) : resolve(undefined)));
  });
  return name;
}

/** Gives the lab's base image another name, `repository:tag`. */
export async function tagImage(lab: Lab, name: string): Promise<void> {
  const [repo = "", tag = ""] = name.split(":");
  await connectEngine(lab.engine).getImage(lab.baseImage).tag({ repo, tag });
}
