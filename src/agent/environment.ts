/** The process's environment, as a port: what tools inherit is what stands here. */
export interface Environment {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  unset(name: string): void;
  names(): string[];
}

// biome-ignore lint/style/noProcessEnv: the one place of this room that touches it
const variables = process.env;

/** The real environment of this process and of every process a tool starts. */
export const processEnvironment: Environment = {
  get: (name) => variables[name],
  set: (name, value) => {
    variables[name] = value;
  },
  unset: (name) => {
    delete variables[name];
  },
  names: () => Object.keys(variables).sort(),
};
