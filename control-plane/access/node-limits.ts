/** Nodes that one source may report for, per service; null: any number. */
export interface NodeSettings {
  readonly nodesPerAddress: number | null;
  readonly nodesPerToken: number | null;
}

/** A node that was silent for this long is no longer counted. */
const FORGET_AFTER_MS = 60_000;

/** Where a report came from. */
export interface Source {
  readonly service: string;
  readonly node: string;
  readonly address: string;
  readonly tokenId: string;
}

/** The limit that a source has reached. */
export interface Reached {
  readonly by: 'address' | 'token';
  readonly limit: number;
}

/**
 * Counts the nodes that report from each address and with each token, so that one holder of a filter's token cannot fake a quorum (R10).
 * Nodes, not instances: one that restarts again and again remains one voter.
 */
export class NodeLimits {
  private readonly limits: readonly { readonly by: Reached['by']; readonly limit: number | null }[];
  /** Last report per node, per service and source. */
  private readonly seen = new Map<string, Map<string, number>>();
  private sweptAtMs = 0;

  constructor({ nodesPerAddress, nodesPerToken }: NodeSettings) {
    this.limits = [
      { by: 'address', limit: nodesPerAddress },
      { by: 'token', limit: nodesPerToken },
    ];
  }

  /** Notes the node; or, without noting it, the limit that it would exceed. */
  reached(source: Source, nowMs: number): Reached | null {
    if (nowMs - this.sweptAtMs > FORGET_AFTER_MS) this.sweep(nowMs);
    const checked = this.limits.map(({ by, limit }) => ({ by, limit, nodes: this.nodesOf(source, by) }));
    for (const { by, limit, nodes } of checked) {
      if (limit === null || nodes.has(source.node) || nodes.size < limit) continue;
      drop(nodes, nowMs);
      if (nodes.size >= limit) return { by, limit };
    }
    for (const { nodes } of checked) nodes.set(source.node, nowMs);
    return null;
  }

  private nodesOf({ service, address, tokenId }: Source, by: Reached['by']): Map<string, number> {
    const key = `${service} ${by} ${by === 'address' ? address : tokenId}`;
    const nodes = this.seen.get(key) ?? new Map<string, number>();
    this.seen.set(key, nodes);
    return nodes;
  }

  private sweep(nowMs: number): void {
    this.sweptAtMs = nowMs;
    for (const [key, nodes] of this.seen) {
      drop(nodes, nowMs);
      if (nodes.size === 0) this.seen.delete(key);
    }
  }
}

function drop(nodes: Map<string, number>, nowMs: number): void {
  for (const [node, seenMs] of nodes) if (nowMs - seenMs > FORGET_AFTER_MS) nodes.delete(node);
}
