import { type DockerfileInstruction, parseDockerfile } from "./dockerfile-parse.ts";

/** What BuildKit counts as a step, beside a stage's FROM of an image. */
const COUNTED: ReadonlySet<string> = new Set(["ADD", "COPY", "RUN", "WORKDIR"]);
/** `[2/5] RUN ...`, `[linux/amd64 tools 2/5] COPY ...`, `[stage-1 2/5] ...` */
const STEP = /^\[(?:[^\]]*?([^\s\]]+) )?(\d+)\/\d+\] (\w+)/;

interface Stage {
  readonly name: string | undefined;
  /** Its counted instructions, in order. */
  readonly steps: readonly DockerfileInstruction[];
}

/** The line (1-based) of the instruction that BuildKit calls by this name; undefined when it cannot be told. */
export function lineOfStep(dockerfile: string, name: string): number | undefined {
  const [, stageName, number, keyword] = STEP.exec(name) ?? [];
  if (number === undefined || keyword === undefined) return undefined;
  const stages = stagesOf(dockerfile);
  const stage = stageName === undefined ? stages.at(-1) : stageCalled(stages, stageName);
  const found = stage?.steps[Number(number) - 1];
  return found?.keyword === keyword.toUpperCase() ? found.line : undefined;
}

/** True for a step that an instruction of the Dockerfile makes, which a cache can spare. */
export function isInstructionStep(name: string): boolean {
  const keyword = STEP.exec(name)?.[3]?.toUpperCase();
  return keyword !== undefined && COUNTED.has(keyword);
}

/** The line that a message of BuildKit's parser names; undefined when it names none. */
export function lineOfParseError(message: string): number | undefined {
  const [, line] = /(?:parse error(?: on)?|on|at) line (\d+)/.exec(message) ?? [];
  return line === undefined ? undefined : Number(line);
}

function stageCalled(stages: readonly Stage[], name: string): Stage | undefined {
  const [, index] = /^stage-(\d+)$/.exec(name) ?? [];
  const named = stages.find((stage) => stage.name === name.toLowerCase());
  return named ?? (index === undefined ? undefined : stages[Number(index)]);
}

function stagesOf(dockerfile: string): Stage[] {
  const stages: { name: string | undefined; steps: DockerfileInstruction[] }[] = [];
  for (const instruction of parseDockerfile(dockerfile)) {
    if (instruction.keyword === "FROM") {
      const words = instruction.words.filter(({ text }) => !text.startsWith("--"));
      const [image, , name] = words.map(({ text }) => text.toLowerCase());
      // A FROM of another stage, or of nothing, is no step of its own.
      const isStage = image === "scratch" || stages.some((stage) => stage.name === image);
      stages.push({ name, steps: isStage ? [] : [instruction] });
    } else if (COUNTED.has(instruction.keyword)) stages.at(-1)?.steps.push(instruction);
  }
  return stages;
}
