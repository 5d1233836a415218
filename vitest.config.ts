import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'apps/*/src/**/*.test.ts',
      'bench/**/*.test.ts',
      'scripts/**/*.test.ts',
      'e2e/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/*.services.test.ts', '**/*.kill.test.ts'],
    globalSetup: ['apps/server/src/platform/testing/global-setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    pool: 'forks',
    maxWorkers: 2,
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts', 'apps/*/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.contract.ts', '**/testing/**'],
      reporter: ['text-summary', 'json-summary'],
      reportsDirectory: 'coverage',
      thresholds: {
        'packages/core/src/**': { statements: 95 },
        'packages/protocols/src/**': { statements: 95 },
        'packages/client/src/**': { statements: 95 },
        'packages/devnet/src/**': { statements: 90 },
        'packages/lightning/src/**': { statements: 88 },
        // Without main.ts, server.ts and the demo, which the tests run as processes of their own.
        'apps/server/src/*/**': { statements: 85 },
      },
    },
  },
})
