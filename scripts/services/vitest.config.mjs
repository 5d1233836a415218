import { defineConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

/** The tests that need a real service, which `npm test` leaves out. */
export default defineConfig({
  test: {
    ...base.test,
    root: new URL('../..', import.meta.url).pathname,
    include: [
      'packages/*/src/**/*.services.test.ts',
      'apps/*/src/**/*.services.test.ts',
      'e2e/**/*.services.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/*.kill.test.ts'],
  },
})
