import Type from 'typebox';
import { LIMITS } from './limits.ts';
import { HOST_PATTERN, METHOD_PATTERN, PATH_PATTERN } from './names.ts';
import { closed } from './schema-kinds.ts';

const path = (description: string) => Type.String({ pattern: PATH_PATTERN, minLength: 1, maxLength: LIMITS.pathLength, description });

export const PathMatch = Type.Object(
  {
    exact: Type.Optional(path('The whole path, without query')),
    prefix: Type.Optional(path('Whole segments from the start')),
    template: Type.Optional(path('Segments, of which `{name}` takes any one')),
  },
  {
    ...closed,
    minProperties: 1,
    maxProperties: 1,
    description:
      'Exactly one of: `exact`; `prefix` (whole segments: /items matches /items and /items/1, not /itemsale); `template` (`/items/{id}`: a `{name}` takes one whole segment)',
  },
);

export const Route = Type.Object(
  {
    host: Type.Optional(
      Type.String({
        pattern: HOST_PATTERN,
        minLength: 1,
        maxLength: 255,
        description: 'Host without port; `*.example.org` takes any subdomain',
      }),
    ),
    methods: Type.Optional(
      Type.Array(Type.String({ pattern: METHOD_PATTERN, minLength: 1, maxLength: 16 }), {
        minItems: 1,
        maxItems: 16,
        description: 'HTTP methods; without it, all',
      }),
    ),
    path: PathMatch,
  },
  { ...closed, description: 'First match in declared order wins, over features and their routes' },
);
