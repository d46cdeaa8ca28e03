import { RESERVED_HEADERS } from './fallback.ts';
import { RUNGS } from './names.ts';
import type { Feature } from './policy.ts';
import type { PolicyProblem } from './policy-rules.ts';
import { PLACES, REASONS, say } from './reasons.ts';

type Rung = Feature['fallback'][number];
type StaticReply = NonNullable<Rung['static']>;

/** What the schema cannot say of a fallback chain (filter/wire/fallback-rules.ts holds it to the same). */
export function chainProblems({ fallback, protocol }: Feature, index: number): PolicyProblem[] {
  return fallback.flatMap((rung, position) => {
    const kind = RUNGS.find((name) => rung[name] !== undefined) ?? 'static';
    const isBody = protocol !== 'http' && kind !== 'cluster';
    return [
      ...(isBody ? [{ path: say(PLACES.rung, index, position, kind), reason: say(REASONS.bodyRung, protocol) }] : []),
      ...repeatedCauses(rung[kind]?.causes ?? []).map((cause) => ({
        path: say(PLACES.causes, index, position, kind),
        reason: say(REASONS.twice, cause),
      })),
      ...(rung.static ? staticProblems(rung.static, index, position) : []),
    ];
  });
}

const repeatedCauses = (causes: readonly string[]) => causes.filter((cause, place) => causes.indexOf(cause) < place);

function staticProblems(reply: StaticReply, index: number, position: number): PolicyProblem[] {
  const { status, headers, body, representations } = reply;
  const isBodyless = [204, 205, 304].includes(status);
  const bodyless = say(REASONS.bodyless, status);
  const problem = (place: string, reason: string, detail: string | number = '') => ({ path: say(place, index, position, detail), reason });
  const problems = Object.keys(headers)
    .filter((name) => (RESERVED_HEADERS as readonly string[]).includes(name))
    .map((name) => problem(PLACES.header, REASONS.reservedHeader, name));
  if (body !== '' && isBodyless) problems.push(problem(PLACES.body, bodyless));
  else if (body !== '' && representations.length > 0) problems.push(problem(PLACES.body, REASONS.besideRepresentations));
  if (isBodyless && representations.length > 0) problems.push(problem(PLACES.representations, bodyless));
  for (const [place, { contentType }] of representations.entries()) {
    if (!/^[^/;]+\/[^/;]/.test(contentType)) problems.push(problem(PLACES.mediaType, say(REASONS.mediaType, contentType), place));
  }
  return problems;
}
