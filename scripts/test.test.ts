import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test.each([
  ['--help', 0],
  ['--no-such-option', 1],
])('npm test -- %s ends as Vitest does, which runs no test', (option, expected) => {
  const args = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'test.ts'), option]
  const { stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(status).toBe(expected)
  expect(stderr).not.toContain('ENOENT')
})
