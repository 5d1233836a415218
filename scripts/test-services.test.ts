import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

function run(...options: string[]) {
  const script = join(import.meta.dirname, 'test-services.ts')
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, ...options],
    { encoding: 'utf8' },
  )
  return { stdout, stderr, status }
}

test.each(['--help', '-h'])('%s says what npm run test:services takes', (option) => {
  expect(run('rfc2136', option)).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^npm run test:services \[-- OPTIONS\] \[FILE \.\.\.\]\n/),
    stderr: '',
  })
})

test.each(['--names', '-x'])('what it does not take ends it with a line: %s', (option) => {
  const { stdout, stderr, status } = run('rfc2136', option)
  expect({ stdout, status }).toEqual({ stdout: '', status: 2 })
  expect(stderr).toMatch(/^Unknown option .+ --help shows what there is\.\n$/)
})
