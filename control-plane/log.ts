import { type DestinationStream, type Logger, pino } from 'pino';

/** Members whose value never reaches the log, wherever in a line they stand down to this depth. */
const SECRET = ['authorization', 'cookie', 'token', 'secret', 'password'];
const DEPTH = 4;

/** The log of the process: one JSON object a line, without secrets. */
export function buildLog(level: string, destination?: DestinationStream): Logger {
  const above = Array.from({ length: DEPTH }, (_, depth) => '*.'.repeat(depth));
  const paths = SECRET.flatMap((name) => above.map((prefix) => `${prefix}${name}`));
  const options = { level, base: { process: process.pid }, redact: { paths, censor: '[redacted]' } };
  return destination ? pino(options, destination) : pino(options);
}
