import fc from 'fast-check';

// A run that decides whether a change lands draws the same cases each time; everybody else's draws new ones.
if (process.env['CI'] === 'true') fc.configureGlobal({ seed: 1 });
