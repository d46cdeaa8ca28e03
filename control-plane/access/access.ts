import type { Scope, TokenRequest } from '../contract/rest/tokens.ts';
import { DocumentInvalid, listing, Refused, saying, TokenUnknown } from '../errors.ts';
import type { AuditEntry, Store, TokenRecord } from '../store/store.ts';
import { hashOf, idOf, isSame, newSecret, PREFIX } from './secret.ts';

/** Whoever sends a request. */
export interface Caller {
  /** Name of the token: the actor of the audit. */
  readonly name: string;
  readonly scope: Scope;
  /** The only service of a filter. */
  readonly service: string | null;
  readonly tokenId: string | null;
}

/** While there are no tokens, whoever reaches the port may do everything. */
export const ANYBODY: Caller = { name: 'anonymous', scope: 'admin', service: null, tokenId: null };

/** A token without its secret. */
export type Token = Omit<TokenRecord, 'createdBy' | 'createdAtMs'> & {
  readonly createdBy: string | null;
  readonly createdAtMs: number | null;
};

/** Names that the audit uses for others than tokens. */
const RESERVED = ['anonymous', 'recovery'];
const MAX_TOKENS = 10_000;

export interface AccessDependencies {
  readonly store: Store;
  readonly clock: () => number;
  /** Tokens of the file that the process was started with. */
  readonly given: readonly Token[];
}

/** The access tokens: those of the file, and those that were created over REST and are kept, hashed, in the store. */
export class Access {
  private readonly store: Store;
  private readonly clock: () => number;
  private readonly given: ReadonlySet<string>;
  private readonly byId = new Map<string, Token>();
  private turn: Promise<unknown> = Promise.resolve();
  private readonly listeners = new Set<() => void>();

  private constructor({ store, clock, given }: AccessDependencies) {
    this.store = store;
    this.clock = clock;
    this.given = new Set(given.map(({ id }) => id));
    for (const token of given) this.byId.set(token.id, token);
  }

  static async load(dependencies: AccessDependencies): Promise<Access> {
    const access = new Access(dependencies);
    await access.read();
    return access;
  }

  /** Takes in what other processes created or revoked. */
  refresh(): Promise<void> {
    return this.inTurn(() => this.read());
  }

  /** Calls `listener` after each change of who may come in. */
  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** No tokens: everybody may do everything. */
  get isOpen(): boolean {
    return this.byId.size === 0;
  }

  /** Whoever holds this secret; null: nobody. */
  holderOf(secret: string): Caller | null {
    const hash = hashOf(secret);
    const token = this.byId.get(idOf(hash));
    if (!token || !isSame(token.sha256, hash)) return null;
    return { name: token.name, scope: token.scope, service: token.service, tokenId: token.id };
  }

  /** Whether this caller may still come back: its token was not revoked, or there are still none. */
  admits({ tokenId }: Caller): boolean {
    return tokenId === null ? this.isOpen : this.byId.has(tokenId);
  }

  isGiven(id: string): boolean {
    return this.given.has(id);
  }

  /** In order of their names. */
  list(): readonly Token[] {
    return [...this.byId.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Creates a token, and gives its secret, which nothing keeps. */
  create({ name, scope, service }: TokenRequest, by: Caller): Promise<{ readonly token: Token; readonly secret: string }> {
    return this.inTurn(async () => {
      await this.read();
      this.requireSound(name, scope, service);
      const secret = newSecret();
      const sha256 = hashOf(secret);
      const token = { id: idOf(sha256), name, scope, service: service ?? null, sha256, createdBy: by.name, createdAtMs: this.clock() };
      await this.store.putToken(token, this.entry(by, 'token-created', token));
      this.byId.set(token.id, token);
      this.tell();
      return { token, secret };
    });
  }

  /** Takes effect with the next request; a stream of events that it opened ends. */
  revoke(id: string, by: Caller): Promise<Token> {
    return this.inTurn(async () => {
      await this.read();
      const token = this.byId.get(id);
      if (!token) throw new TokenUnknown(id);
      if (this.given.has(id)) {
        throw saying(new Refused(`${token.name} comes from the file of tokens; take it out there and restart`), {
          because: 'token-of-file',
        });
      }
      const isLastAdmin = token.scope === 'admin' && this.list().filter(({ scope }) => scope === 'admin').length === 1;
      if (isLastAdmin) {
        const detail = `${token.name} is the last token of scope admin; create another one first, or nobody could manage tokens`;
        throw saying(new Refused(detail), { because: 'last-admin-token' });
      }
      await this.store.removeToken(id, this.entry(by, 'token-revoked', token));
      this.byId.delete(id);
      this.tell();
      return token;
    });
  }

  /** What is stored now; tokens of the file stay as they are. */
  private async read(): Promise<void> {
    const stored = new Map((await this.store.tokens()).map((token) => [token.id, token]));
    for (const id of this.byId.keys()) if (!stored.has(id) && !this.given.has(id)) this.byId.delete(id);
    for (const [id, token] of stored) if (!this.given.has(id)) this.byId.set(id, token);
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  private requireSound(name: string, scope: Scope, service: string | undefined): void {
    const problems = tokenProblems({ name, scope, service });
    if (problems.length > 0) throw listing(DocumentInvalid, problems);
    const refuse = (because: string, detail: string) => saying(new Refused(detail), { because });
    if (this.list().some((token) => token.name === name)) throw refuse('token-name-taken', `there is a token ${name} already`);
    if (this.isOpen && scope !== 'admin') {
      throw refuse('first-token-not-admin', 'the first token must have scope admin: from then on nobody gets in without one');
    }
    if (this.byId.size >= MAX_TOKENS) throw refuse('too-many-tokens', `there are ${MAX_TOKENS} tokens; revoke some first`);
  }

  private entry(by: Caller, action: string, { id, name, scope, service }: Token): AuditEntry {
    const numbers = { id, name, scope, ...(service === null ? {} : { service }) };
    return { atMs: this.clock(), actor: by.name, action, reason: { because: action, numbers }, revision: 0 };
  }

  /** Changes wait for each other, so that what was checked still holds when it is written. */
  private inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.turn.then(change);
    this.turn = turn.catch(() => undefined);
    return turn;
  }
}

/** What no schema says about a token. */
export function tokenProblems({ name, scope, service }: { name: string; scope: Scope; service: string | undefined }): {
  path: string;
  reason: string;
}[] {
  const problems = [];
  if (name.startsWith(PREFIX)) problems.push({ path: 'name', reason: 'looks like a secret, which the audit would show' });
  if (RESERVED.includes(name)) problems.push({ path: 'name', reason: `${name} is the audit's word for somebody else` });
  if (scope === 'filter' && service === undefined) problems.push({ path: 'service', reason: 'is required with scope filter' });
  if (scope !== 'filter' && service !== undefined) {
    problems.push({ path: 'service', reason: `is allowed with scope filter only, got scope ${scope}` });
  }
  return problems;
}
