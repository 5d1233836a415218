import { defineConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

/** The kill tests alone, one file after the other: their timing is disturbed least, and their progress reads in order. */
export default defineConfig({
  test: {
    ...base.test,
    root: new URL('../..', import.meta.url).pathname,
    include: ['packages/*/src/**/*.kill.test.ts', 'apps/*/src/**/*.kill.test.ts', 'e2e/**/*.kill.test.ts'],
    exclude: ['**/node_modules/**'],
    fileParallelism: false,
    disableConsoleIntercept: true,
  },
})
