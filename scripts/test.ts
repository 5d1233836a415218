// npm test: every test that needs no service, and the closing line that CI reads.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Runs Vitest with `args`; prints `N passed, N failed` as the last line; exits non-zero on any failure. */
export function runVitest(args: string[], env: NodeJS.ProcessEnv = {}) {
  const report = join('.cache', `vitest-${process.pid}.json`)
  mkdirSync('.cache', { recursive: true })
  const { status } = spawnSync(
    join('node_modules', '.bin', 'vitest'),
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args],
    { stdio: 'inherit', env: { ...process.env, ...env } },
  )
  process.exitCode = status ?? 1
  // Vitest refused its arguments, or was asked for its help.
  if (!existsSync(report)) return
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(report, 'utf8'))
  const failed = Math.max(numFailedTests, numFailedTestSuites > 0 ? 1 : 0, status === 0 ? 0 : 1)
  console.log(`${numPassedTests} passed, ${failed} failed`)
}

if (import.meta.main) runVitest(process.argv.slice(2))
