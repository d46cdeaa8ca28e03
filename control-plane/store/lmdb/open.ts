import { randomUUID } from 'node:crypto';
import { type Database, open, type RootDatabase } from 'lmdb';
import type { Policy } from '../../contract/policy.ts';
import type { Recovery, ServiceState } from '../../domain/model.ts';
import { type AuditRecord, type AuditSnapshot, StoreUnusable, type TokenRecord, type Tombstone } from '../store.ts';
import { prepareFolder } from './inspect.ts';

/** Grows when the layout below changes in a way that older code would misread. */
export const FORMAT = 1;

/** A state without its policy, which is kept once per revision, since it is large and changes rarely. */
export type StoredState = Omit<ServiceState, 'policy'> | Tombstone;

export interface Leadership {
  readonly holder: string;
  readonly counter: number;
}

/** The tables of the file. JSON values: what is stored stays readable for other tools and later formats. */
export interface Tables {
  readonly root: RootDatabase;
  /** `format`, `lineage`, `leadership` */
  readonly meta: Database<unknown, string>;
  /** by service */
  readonly states: Database<StoredState, string>;
  /** by service and policy revision */
  readonly policies: Database<{ savedAtMs: number; policy: Policy }, [string, number]>;
  /** by service and sequence */
  readonly audit: Database<AuditRecord, [string, number]>;
  /** by service */
  readonly auditSnapshots: Database<AuditSnapshot, string>;
  /** by service and order of ending */
  readonly recoveries: Database<Recovery, [string, number]>;
  /** by id */
  readonly tokens: Database<TokenRecord, string>;
}

/** Tables that a backup holds: all but `meta`, which belongs to one history. */
export const KEPT_TABLES = ['states', 'policies', 'audit', 'auditSnapshots', 'recoveries', 'tokens'] as const;

/** Opens, and if need be initialises, the store in this folder. Throws StoreUnusable with what to do about it. */
export async function openTables(folder: string): Promise<Tables & { readonly lineage: string }> {
  prepareFolder(folder);
  const root = openFile(folder);
  try {
    refuseSecondProcess(root, folder);
    const table = <V, K extends string | [string, number]>(name: string) => root.openDB<V, K>({ name, encoding: 'json' });
    const tables: Tables = {
      root,
      meta: table('meta'),
      states: table('states'),
      policies: table('policies'),
      audit: table('audit'),
      auditSnapshots: table('auditSnapshots'),
      recoveries: table('recoveries'),
      tokens: table('tokens'),
    };
    return { ...tables, lineage: await initialise(tables.meta, folder) };
  } catch (error) {
    await root.close();
    throw error;
  }
}

function openFile(folder: string): RootDatabase {
  try {
    // lmdb takes a name with a dot for that of a file unless it is told. Without overlapping sync a commit resolves only when it is on disk:
    // written before pushed. Batches of an event turn have a promise of their own inside lmdb, which nobody could catch when the disk is full.
    return open({ path: folder, noSubdir: false, overlappingSync: false, eventTurnBatching: false, maxDbs: 8 });
  } catch (error) {
    throw new StoreUnusable(`the store in ${folder} cannot be opened: ${(error as Error).message}`);
  }
}

/** One process per folder: each keeps the states in memory. lmdb lists who reads; entries of dead processes are removed first. */
function refuseSecondProcess(root: RootDatabase, folder: string): void {
  root.readerCheck();
  const processes = [...root.readerList().matchAll(/^\s*(\d+)\s/gm)].map((match) => Number(match[1]));
  const other = processes.find((id) => id !== process.pid);
  if (other !== undefined) {
    throw new StoreUnusable(`the store in ${folder} is in use by process ${other}; stop it, or set REKINDLE_DATA_DIR to another folder`);
  }
}

async function initialise(meta: Tables['meta'], folder: string): Promise<string> {
  const lineage = await meta.childTransaction(() => {
    const format = meta.get('format');
    if (format === undefined) {
      meta.put('format', FORMAT);
      meta.put('lineage', randomUUID());
    } else if (format !== FORMAT) {
      throw new StoreUnusable(`the store in ${folder} has format ${format}, this version reads ${FORMAT}; use the version that wrote it`);
    }
    return meta.get('lineage');
  });
  if (typeof lineage !== 'string') throw new StoreUnusable(`the store in ${folder} has no lineage; restore a backup`);
  return lineage;
}
