/** True for a run's id (a ULID); no agent's name can look like one. */
export function isRunId(text: string): boolean {
  return /^[0-9A-HJKMNP-TV-Z]{26}$/.test(text);
}
