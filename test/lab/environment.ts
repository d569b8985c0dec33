/** This process's environment, read by the test machinery here and nowhere else. */
// biome-ignore lint/style/noProcessEnv: the one place where the test machinery touches it
export const environment: NodeJS.ProcessEnv = process.env;
