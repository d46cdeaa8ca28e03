import { PROBLEM_KINDS } from '../control-plane/errors.ts';

/** The text of docs/problems.md. */
export function problemsPage(): string {
  const rows = [...PROBLEM_KINDS.values()]
    .sort((a, b) => a.status - b.status || (a.code < b.code ? -1 : 1))
    .map(({ code, status, title, detail }) => `| \`${code}\` | ${status} | ${title} | ${detail.replaceAll('%s', '…')} |`);
  return `${[
    '# Problems',
    '',
    'What a refusal means, for whoever got one. The table is written by `npm run gen` from `control-plane/errors.ts`.',
    '',
    'Every refusal of the control plane is a problem document of RFC 9457 (`application/problem+json`). `code` names its kind and stays as it is; `title` and `detail` are for people.',
    '`errors` lists all that is wrong at once, each with its `path`; `because` names the reason of a refusal one level below `code` (`feature-recovers`, `last-admin-token`); where it helps, `Retry-After` says when to come back.',
    '',
    '```json',
    JSON.stringify(
      {
        type: 'urn:rekindle:problem:document-invalid',
        title: 'The document is not valid',
        status: 422,
        detail: 'the document has 1 problem; see errors',
        instance: '/v1/policies/shop',
        code: 'REKINDLE_DOCUMENT_INVALID',
        errors: [{ path: 'features[0].breakr', reason: 'is not a known field; did you mean breaker?' }],
      },
      null,
      2,
    ),
    '```',
    '',
    '| code | status | title | detail |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n')}\n`;
}
