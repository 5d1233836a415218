import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // As Node resolves it: Vite would load a second copy of the package, which does not know the first one's types.
    alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }],
    include: [
      'packages/*/src/**/*.test.ts',
      'apps/*/src/**/*.test.ts',
      'bench/**/*.test.ts',
      'scripts/**/*.test.ts',
      'e2e/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/*.services.test.ts', '**/*.kill.test.ts'],
    globalSetup: ['apps/server/src/platform/testing/global-setup.ts'],
    // For what hangs: speed is the bench's affair.
    testTimeout: 60_000,
    hookTimeout: 120_000,
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
        'packages/bip353/src/**': { statements: 90 },
        'packages/devnet/src/**': { statements: 90 },
        'packages/lightning/src/**': { statements: 90 },
        'apps/server/src/**': { statements: 90 },
        'apps/cli/src/**': { statements: 90 },
      },
    },
  },
})
