import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { findKubernetesSchemas } from '../../../scripts/kubernetes-schemas.ts';
import { CRD_SCHEMAS } from './crd-schemas.ts';
import type { Resource } from './rendered.ts';

/** What the schema of its kind finds wrong with a resource; a kind without a schema is wrong too. */
export type Check = (resource: Resource) => string[];

export async function openCheck(): Promise<Check> {
  const folder = await findKubernetesSchemas();
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(read(join(folder, '_definitions.json')), '_definitions.json');
  const validators = new Map<string, ValidateFunction>();
  const compile = (resource: Resource): ValidateFunction | null => {
    const own = CRD_SCHEMAS[resource.kind];
    const file = join(folder, fileOf(resource));
    if (own) return ajv.compile(own);
    return existsSync(file) ? ajv.compile(read(file)) : null;
  };
  return (resource) => {
    const key = `${resource.apiVersion} ${resource.kind}`;
    const validate = validators.get(key) ?? compile(resource);
    if (!validate) return [`no schema for ${key}`];
    validators.set(key, validate);
    if (validate(resource)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${resource.kind} ${instancePath}: ${message} ${JSON.stringify(params)}`,
    );
  };
}

/** `deployment-apps-v1.json`, `service-v1.json` */
function fileOf({ apiVersion, kind }: Resource): string {
  const [version, group] = String(apiVersion).split('/').reverse();
  const short = group === undefined ? [] : [group.split('.')[0]];
  return `${[String(kind).toLowerCase(), ...short, version].join('-')}.json`;
}

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as object;
