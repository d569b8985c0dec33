import { z } from "zod";

/** An operation of the description, as far as tests look at it. */
export interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
  }[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, Described>>;
}

interface Described {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
}

type Schema = Exclude<Parameters<typeof z.fromJSONSchema>[0], boolean>;

/** What `GET /openapi.json` answers. */
export interface Description {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly security: readonly object[];
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** A check by a schema of the description, with the components it refers to. */
export function checkBy({ components }: Description, schema: Schema): z.ZodType {
  const text = JSON.stringify({ ...schema, $defs: components.schemas });
  return z.fromJSONSchema(JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/")));
}

/** The check of an answer with this status to a request, as the description has it. */
export function answerCheck(
  description: Description,
  { method, path, status }: { method: string; path: string; status: number },
): z.ZodType {
  const content = description.paths[path]?.[method.toLowerCase()]?.responses[status]?.content;
  const schema = content?.["application/json"]?.schema;
  if (schema) return checkBy(description, schema);
  throw new TypeError(`${method} ${path} is not said to answer ${status}`);
}
