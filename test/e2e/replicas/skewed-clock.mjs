// Loaded into a control plane by --import: its clocks are CLOCK_SKEW_MS ahead of everybody else's.
const skewMs = Number(process.env.CLOCK_SKEW_MS);
const { now } = Date;
const { timeOrigin } = performance;

Date.now = () => now() + skewMs;
globalThis.Date = new Proxy(Date, {
  construct: (target, given, newTarget) => Reflect.construct(target, given.length > 0 ? given : [target.now()], newTarget),
});
Object.defineProperty(performance, 'timeOrigin', { value: timeOrigin + skewMs });
