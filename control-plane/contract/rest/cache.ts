import Type from 'typebox';
import { LIMITS } from '../limits.ts';
import { describedName } from '../names.ts';
import { closed } from '../schema-kinds.ts';

/** Header with the CRC-32 of a copy, as eight hex digits: a copy that was damaged under way or on disk is none. */
export const CHECKSUM_HEADER = 'rekindle-crc32';

export const CopyPath = Type.Object({
  service: describedName('Name of the service'),
  key: Type.String({ pattern: '^[0-9a-f]{32}$', minLength: 32, maxLength: 32, description: 'Hash of what the copy stands for' }),
});

export const CopyQuery = Type.Object(
  {
    ttlMs: Type.Integer({
      minimum: 1,
      maximum: LIMITS.copyTtlMs,
      default: 3_600_000,
      description: 'How long the copy may be of use, in ms; it is forgotten then, or earlier when others need the room',
    }),
  },
  { ...closed, default: {} },
);

export const CopyHeaders = Type.Object({
  [CHECKSUM_HEADER]: Type.String({ pattern: '^[0-9a-f]{8}$', minLength: 8, maxLength: 8, description: 'CRC-32 of the body, in hex' }),
});
