import { textBlock } from "./prompt-block.ts";

/** How the model uses the commands on its PATH: signals, calls and locks. */
export function skillBlocks(): string[] {
  return [signals(), calls(), locks()];
}

function signals(): string {
  return textBlock("skill-signals", [
    "Commands that tell the scheduler about this run; each prints JSON.",
    "al-status TEXT: one line on what you are doing, shown to people.",
    "al-rerun: there is more work than this run did; you are started again when it ends. Without it you wait for the next trigger. Has no effect in a run that a webhook or a call started.",
    "al-return VALUE, or with the value on standard input: your answer to the agent that called you. The last one counts.",
    "al-shutdown REASON: has this container killed at once; for emergencies.",
    "al-exit CODE: give up now; the run ends at once. 10 authentication, 11 permission, 12 rate limit, 13 configuration, 14 missing dependency, 15 anything unrecoverable (the default), 16 stopped on purpose.",
  ]);
}

function calls(): string {
  return textBlock("skill-calls", [
    "Commands to have another agent do something; each prints JSON.",
    "al-call AGENT, with the context on standard input: starts it and prints a callId.",
    "al-check ID: its state, without waiting: pending, running, completed (with returnValue) or error (with errorMessage).",
    "al-wait ID... --timeout SECONDS: waits until all have ended, 900 seconds unless told otherwise, and prints the state of each under its ID.",
    `Example: ID=$(echo "Review PR 42 of acme/app" | al-call reviewer | jq -r .callId); al-wait "$ID" | jq -r ".\\"$ID\\".returnValue"`,
    "You cannot call yourself, nor whoever waits for you, and calls nest only to a fixed depth.",
  ]);
}

function locks(): string {
  return textBlock("skill-locks", [
    "Commands that keep parallel runs off the same thing; each prints JSON.",
    'rlock KEY: takes the lock, for example rlock "github issue acme/app#42". Exit status 0: it is yours. 1: another run has it, so leave that work and take other work; or, where the answer has a reason, you hold another lock.',
    "rlock KEY --wait SECONDS: waits for the lock in line, up to 300 seconds, before it exits with 1.",
    "rlock-heartbeat KEY: keeps a lock for as long again, which is 30 minutes unless the project says otherwise.",
    "runlock KEY: gives it back as soon as you are done.",
    "A run holds one lock at a time, and all of its locks end with it.",
  ]);
}
