import { DocumentReader, isRefused } from '../contract/documents.ts';
import { Policy } from '../contract/policy.ts';
import { readPolicy } from '../contract/policy-document.ts';
import type { Problem } from '../contract/problem.ts';
import { clusterProblems } from './cluster-names.ts';
import { FILTER_SHA256 } from './filter.gen.ts';
import { ManifestOptions } from './options.ts';

/** A policy as its author wrote it, its defaults not filled in: short, and the filter knows them too. */
export interface WrittenPolicy {
  readonly service: string;
  readonly recovery?: object;
  readonly [member: string]: unknown;
}

export interface ManifestService {
  readonly service: string;
  readonly hosts?: readonly string[];
  readonly clusters?: readonly string[];
  readonly policy: WrittenPolicy;
}

/** Options that hold together: what the templates take. */
export type Manifest = Omit<ManifestOptions, 'services' | 'sha256' | 'name'> & {
  readonly name: string;
  readonly sha256: string;
  readonly services: readonly ManifestService[];
};

const optionsReader = new DocumentReader(ManifestOptions);
const policyReader = new DocumentReader(Policy);

/** Reads the options of a manifest: fills in defaults, or names all that is wrong, each by the name of its field. */
export function readManifestOptions(raw: unknown): { readonly manifest: Manifest } | { readonly problems: readonly Problem[] } {
  const written = structuredClone(raw) as { readonly services?: readonly { readonly policy?: WrittenPolicy }[] };
  const read = optionsReader.read(structuredClone(raw));
  if (isRefused(read)) return { problems: read.problems };
  const options = read.value;
  const problems = [
    ...deliveryProblems(options),
    ...controlPlaneProblems(options),
    ...kindProblems(options),
    ...portProblems(options),
    ...serviceProblems(options),
    ...policyProblems(options, written.services ?? []),
  ];
  const name = options.name ?? defaultName(options);
  if (name.length > 63) problems.push({ path: 'name', reason: `must be given: the default ${name} has more than 63 characters` });
  if (problems.length > 0) return { problems };
  const services = options.services.map(({ policy: _, ...entry }, index) => ({
    ...entry,
    policy: written.services?.[index]?.policy ?? defaultPolicy(entry.service),
  }));
  return { manifest: { ...options, name, sha256: options.sha256 ?? FILTER_SHA256, services } };
}

/** Dots of a version may stand in the name of no Kubernetes Service; one alphabet for all names is easier to type. */
function defaultName({ context, services, filterVersion }: ManifestOptions): string {
  const version = filterVersion.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const [first] = services;
  return ['rekindle', ...(context === 'inbound' && first ? [first.service] : []), context, version].join('-');
}

/** The default breaker over all requests, as the filter itself has it for a service without any policy. */
function defaultPolicy(service: string): WrittenPolicy {
  return { service, features: [{ name: 'all-requests', routes: [{ path: { prefix: '/' } }] }] };
}

function deliveryProblems({ delivery, url, sha256 }: ManifestOptions): Problem[] {
  if (delivery === 'local-file') return url === undefined ? [] : [{ path: 'url', reason: 'has no use with delivery local-file' }];
  const scheme = delivery === 'ecds-oci' ? /^oci:/ : /^https?:/;
  const problems: Problem[] = [];
  if (url === undefined) problems.push({ path: 'url', reason: `is required with delivery ${delivery}` });
  else if (!scheme.test(url)) problems.push({ path: 'url', reason: `must match ${scheme.source} with delivery ${delivery}, got ${url}` });
  if (delivery === 'ecds-oci' && sha256 === undefined) {
    problems.push({ path: 'sha256', reason: "is required with delivery ecds-oci: the image's digest, which Istio compares" });
  }
  return problems;
}

function controlPlaneProblems({ controlPlane, controlPlaneHost, controlPlaneTls, token, sharedCopies }: ManifestOptions): Problem[] {
  const problems: Problem[] = [];
  if (controlPlane === 'mesh-service' && !controlPlaneHost.includes('.')) {
    problems.push({ path: 'controlPlaneHost', reason: `must be the full name of a service of the mesh, got ${controlPlaneHost}` });
  }
  if (controlPlaneTls && controlPlane !== 'added-cluster') {
    problems.push({
      path: 'controlPlaneTls',
      reason: 'has a use with controlPlane added-cluster only; a mesh service has mTLS by the mesh',
    });
  }
  if (controlPlane !== 'none') return problems;
  if (token !== undefined) problems.push({ path: 'token', reason: 'has no use with controlPlane none' });
  if (sharedCopies) problems.push({ path: 'sharedCopies', reason: 'needs a control plane, controlPlane is none' });
  return problems;
}

function kindProblems({ kind, place }: ManifestOptions): Problem[] {
  if (kind === 'EnvoyFilter' || place === 'before-router') return [];
  return [{ path: 'place', reason: `cannot be chosen with kind ${kind}: it is before cors anyway; use EnvoyFilter` }];
}

/** Names of a gateway's route configurations do not say the port of its listener. */
function portProblems({ context, port, fallbackClusters }: ManifestOptions): Problem[] {
  if (context !== 'gateway' || port === undefined || fallbackClusters.length === 0) return [];
  const reason = 'cannot be chosen with context gateway and fallbackClusters: clients of its other ports could send themselves there';
  return [{ path: 'port', reason }];
}

function serviceProblems({ context, services }: ManifestOptions): Problem[] {
  if (context === 'inbound' && services.length > 1) {
    return [{ path: 'services', reason: `must be one with context inbound (the workload itself), got ${services.length}` }];
  }
  return services.flatMap(({ service, hosts, clusters }, index) => {
    const problems: Problem[] = [];
    if (services.findIndex((other) => other.service === service) < index) {
      problems.push({ path: `services[${index}].service`, reason: `must not be there twice: ${service}` });
    }
    if (services.length > 1 && hosts === undefined && clusters === undefined) {
      problems.push({ path: `services[${index}].hosts`, reason: `hosts or clusters are required where there are several services` });
    }
    return problems;
  });
}

function policyProblems(options: ManifestOptions, written: readonly { readonly policy?: unknown }[]): Problem[] {
  return options.services.flatMap(({ service }, index) => {
    const policy = written[index]?.policy;
    if (policy === undefined) return [];
    const at = (problem: Problem): Problem => ({ path: `services[${index}].policy.${problem.path}`, reason: problem.reason });
    const read = readPolicy(policyReader, structuredClone(policy), service);
    return ('problems' in read ? read.problems : clusterProblems(read.value, options)).map(at);
  });
}
