/**
 * What the filter says of documents that it refuses, and both sides of policies that break a rule beyond the schema. Each % stands for a
 * value. The filter keeps these texts packed, one byte a character, in the generated file.
 */
export const REASONS = {
  // of a text that is not JSON
  expectedValue: 'expected a value at byte %',
  expectedName: 'expected a name at byte %',
  expectedColon: 'expected : at byte %',
  expectedMember: 'expected , or } at byte %',
  expectedItem: 'expected , or ] at byte %',
  expectedEnd: 'expected the end at byte %',
  illFormedString: 'ill-formed string at byte %',
  nestedTooDeep: 'nested too deep at byte %',
  tooManyMembers: 'too many members at byte %',
  repeatedMember: 'is there twice at byte %',
  bytes: 'must have at most % bytes, got %',
  notJson:
    'must start with byte 123 ({), got %: put the JSON into a google.protobuf.StringValue, a google.protobuf.Struct reaches the filter in binary form',
  // of a value that its schema refuses
  boolean: 'must be true or false, got %',
  integer: 'must be an integer from % to %, got %',
  text: 'must be a string, got %',
  list: 'must be a list, got %',
  object: 'must be an object, got %',
  oneOf: 'must be one of %, got %',
  like: 'must be text like %, got %',
  nameLike: 'must have a name like %',
  characters: 'must have from % to % characters, got %',
  items: 'must have from % to % items, got %',
  members: 'must have from % to % members, got %',
  oneMember: 'must have exactly one member, got %',
  unknown: 'is not known',
  required: 'is required',
  // of a policy that breaks a rule beyond the schema
  third: 'must be at most a third of staleAfterMs (%), got %',
  sameName: 'is the name of features[%] too: %',
  noSuchFeature: 'names no feature of this policy: %',
  itself: 'names the feature itself',
  twice: 'is there twice: %',
  cycle: 'closes a cycle: %',
  template: 'must have each {name}, of letters, digits, _ and -, fill a whole segment, and no name twice',
  unreachable: 'is never reached: % takes its requests',
  atLeast: 'must be at least %, by %, got %',
  rising: 'must be more than the step before (%), got %',
  lastStep: 'must be 100 as the last step, got %',
  reservedHeader: 'is written by the filter itself',
  bodyless: 'must be empty with status %',
  besideRepresentations: 'must be empty beside representations',
  mediaType: 'must be a media type such as text/html, got %',
  bodyRung: 'cannot answer % calls: only a cluster rung can',
  // of a plugin configuration or directive that contradicts itself
  otherService: 'must be %, got %',
  needs: 'needs %',
} as const;

/** Places in a document, of which a rule beyond the schema may tell. */
export const PLACES = {
  governance: 'governance.%',
  name: 'features[%].name',
  dependency: 'features[%].dependsOn[%].feature',
  route: 'features[%].routes[%]',
  template: 'features[%].routes[%].path.template',
  status: 'features[%].failure.statuses[%].to',
  openCap: 'features[%].breaker.openCapMs',
  unhealthy: 'features[%].health.unhealthyPercent',
  ramp: 'features[%].recovery.rampPercent[%]',
  backoffCap: 'features[%].recovery.backoff.capMs',
  header: 'features[%].fallback[%].static.headers.%',
  body: 'features[%].fallback[%].static.body',
  representations: 'features[%].fallback[%].static.representations',
  mediaType: 'features[%].fallback[%].static.representations[%].contentType',
  rung: 'features[%].fallback[%].%',
  causes: 'features[%].fallback[%].%.causes',
  cluster: 'features[%].fallback[%].cluster.name',
  probeCluster: 'features[%].probe.request.cluster',
  flag: 'flags[%].feature',
  service: 'services[%].service',
  inline: 'services[%].policy.',
} as const;

/** The text with its values in place. */
export function say(text: string, ...values: readonly (string | number)[]): string {
  let next = 0;
  return text.replaceAll('%', () => String(values[next++] ?? ''));
}
