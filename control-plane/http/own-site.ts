import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { OriginRefused } from '../errors.ts';

/**
 * Keeps pages of other sites away from a control plane that asks for no token, which a browser beside it can reach: such a page sends its
 * own `Origin`, or, having pointed its name at this address, its own name as `Host`. Filters, whose `Host` is up to their
 * configuration, send no `Origin` at all.
 */
export function requireOwnSite({ headers: { host = '', origin } }: FastifyRequest, isFilters: boolean): void {
  if (origin !== undefined && (isFilters || hostOf(origin) !== host)) throw new OriginRefused(`the Origin is ${origin.slice(0, 100)}`);
  if (!isFilters && !isLocalName(host)) throw new OriginRefused(`the Host is ${host.slice(0, 100)}, neither an address nor localhost`);
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}

function isLocalName(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || isIP(name) > 0;
}
