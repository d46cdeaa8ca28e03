import { type DemoOptions, openDemo } from './demo.ts';
import { observe } from './observe.ts';
import { FEATURES } from './shop-mode.ts';
import { formatMoment } from './table.ts';
import { AnswerTally } from './tally.ts';
import { nap } from './wait.ts';

/** Time between two blocks of the table. */
const tableMs = 2000;

/** Runs the demo with its table until `end`, or for `durationMs`. Gives the exit code. */
export async function runLive({ durationMs, ...options }: DemoOptions & { readonly durationMs: number | null }): Promise<number> {
  const tally = new AnswerTally(performance.now());
  const demo = await openDemo(options, (answer) => tally.add(answer));
  try {
    options.say(whereToLook(options, demo.stage.envoyVersion));
    const startedAtMs = performance.now();
    tally.take(startedAtMs);
    while (durationMs === null || performance.now() - startedAtMs < durationMs) {
      await nap(tableMs, demo.end);
      if (demo.end.aborted) break;
      const now = performance.now();
      options.say(formatMoment(await observe(demo.stage, { sinceStartMs: now - startedAtMs, ...tally.take(now) })));
    }
    return demo.death() === null ? 0 : 1;
  } finally {
    await demo.close();
  }
}

function whereToLook({ ports, folder, redisUrl, replicas }: DemoOptions, envoyVersion: string): string {
  const at = (port: number, path: string): string => `http://127.0.0.1:${port}${path}`;
  return `
${`Envoy ${envoyVersion}, the filter`.padEnd(27)}${at(ports.listener, '/catalog/items/1')}  /checkout  /recommendations
  stats                    ${at(ports.admin, '/stats?filter=rekindle_')}
  metrics                  ${at(ports.admin, '/stats/prometheus?filter=rekindle_')}
Control plane              ${at(ports.controlPlane, '/v1/services/shop')}${
    replicas === 2
      ? `
  second replica           ${at(ports.replica, '/v1/services/shop')}`
      : ''
  }${
    redisUrl === undefined
      ? ''
      : `
  shared store             ${withoutPassword(redisUrl)}`
  }
  OpenAPI and its pages    ${at(ports.controlPlane, '/docs')}
  metrics                  ${at(ports.controlPlane, '/metrics')}
Shop's control port        ${at(ports.shopControl, '/features')}
Logs and store             ${folder}

Break something:
  curl -d '{"mode":"fail"}' ${at(ports.shopControl, '/features/catalog')}     features: ${FEATURES.join(', ')}
  modes: {"mode":"ok"} · {"mode":"fail","status":500} · {"mode":"slow","delayMs":3000} · {"mode":"hang"}; "healthyShare":0.7 spares 70 %
End with Ctrl-C.`;
}

function withoutPassword(redisUrl: string): string {
  const url = new URL(redisUrl);
  url.password = url.password && '…';
  return decodeURIComponent(url.href);
}
