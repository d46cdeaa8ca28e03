import { defineConfig } from 'vitest/config';

const second = 1000;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'rings',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**'],
          setupFiles: ['test/repeatable.ts'],
          testTimeout: 30 * second,
          // Hooks compile parts of the filter, which takes its time when all rings run at once.
          hookTimeout: 60 * second,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          // Each file runs servers of its own and measures times: one after the other, when the rings are through.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 150 * second,
          hookTimeout: 40 * second,
        },
      },
    ],
  },
});
