import { usage } from './failure.ts';

interface ServiceWords {
  readonly policy: readonly string[] | undefined;
  readonly service: readonly string[] | undefined;
  /** `shop=shop.example.com,www.example.com` */
  readonly hosts: readonly string[] | undefined;
  readonly clusters: readonly string[] | undefined;
}

/** The services of a manifest: those of the policies and those that are named, with their hosts and clusters. */
export async function servicesOf({ policy = [], service = [], hosts = [], clusters = [] }: ServiceWords): Promise<object[]> {
  const { readPolicyFiles } = await import('./files/policies.ts');
  const inline =
    policy.length === 0
      ? []
      : readPolicyFiles(policy, () => undefined).map(({ written }) => ({ service: written.service, policy: written }));
  const all = [...inline, ...service.map((name) => ({ service: name }))];
  const hostsOf = byService('--hosts', hosts, all);
  const clustersOf = byService('--clusters', clusters, all);
  return all.map((entry) => ({
    ...entry,
    ...(hostsOf.has(entry.service) ? { hosts: hostsOf.get(entry.service) } : {}),
    ...(clustersOf.has(entry.service) ? { clusters: clustersOf.get(entry.service) } : {}),
  }));
}

function byService(flag: string, texts: readonly string[], services: readonly { readonly service: string }[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const text of texts) {
    const [name = '', ...rest] = text.split('=');
    const words = rest
      .join('=')
      .split(',')
      .filter((word) => word !== '');
    if (words.length === 0) throw usage(`${flag} must be like SERVICE=NAME,NAME, got ${text}`);
    if (!services.some((entry) => entry.service === name))
      throw usage(`${flag} names the service ${name}, of which there is no --policy or --service`);
    found.set(name, [...(found.get(name) ?? []), ...words]);
  }
  return found;
}
