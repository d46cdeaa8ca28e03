import { Policy } from "../domain/policy";
import { parsePolicy } from "./directive";

/** What protects a service that has neither a directive nor an inline policy: default breaker over all its requests (R16). */
export function builtInPolicy(service: string): Policy {
  const text = '{"service":"' + service + '","features":[{"name":"all-requests","routes":[{"path":{"prefix":"/"}}]}]}';
  const policy = parsePolicy(Uint8Array.wrap(String.UTF8.encode(text))).policy;
  return policy === null ? new Policy() : policy;
}
