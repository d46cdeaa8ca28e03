// The load of docker-compose.yml: gives the control plane the shop's policy, then asks Envoy for its pages and prints what clients saw.
import { putPolicy } from '../demo/control-plane-process.ts';
import { rates, shopPolicy } from '../demo/demo.ts';
import { startLoad } from '../demo/load.ts';
import { FEATURES } from '../demo/shop-mode.ts';
import { AnswerTally } from '../demo/tally.ts';
import { waitFor } from '../demo/wait.ts';
import { readPlaces } from './places.ts';

const startWithinMs = 60_000;
const lineEveryMs = 10_000;

const { controlPlanes, envoy } = readPlaces(process.env);
const [{ host, port } = { host: '', port: 0 }] = controlPlanes;
const policy = await shopPolicy();
const revision = await waitFor('the control plane to take the policy', () => putPolicy(port, policy, host), startWithinMs, 500);
console.log(`policy of ${policy.service} is in force, revision ${revision}`);

const tally = new AnswerTally(performance.now());
const load = startLoad({ ...envoy, rates, onAnswer: (answer) => tally.add(answer) });
const lines = setInterval(() => console.log(line()), lineEveryMs);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end());

function line(): string {
  const { byFeature } = tally.take(performance.now());
  const told = FEATURES.map((feature) => {
    const { total, degraded, unanswered } = byFeature[feature];
    const rungs = [...degraded].map(([rung, count]) => `, ${rung} ${count}`).join('');
    return `${feature} ${total}${rungs}${unanswered > 0 ? `, errors ${unanswered}` : ''}`;
  });
  return told.join(' · ');
}

async function end(): Promise<void> {
  clearInterval(lines);
  await load.stop();
}
