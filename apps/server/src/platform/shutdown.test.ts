import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeLog } from './log.ts'
import { makeShutdown } from './shutdown.ts'

const log = makeLog({ level: 'silent' })

test('ends the last added first, once, however often it is asked', async () => {
  const ended: string[] = []
  const shutdown = makeShutdown({ log })
  for (const name of ['postgres', 'worker', 'http']) shutdown.add(name, async () => void ended.push(name))
  expect(await Promise.all([shutdown.run('test'), shutdown.run('again')])).toEqual([true, true])
  expect(ended).toEqual(['http', 'worker', 'postgres'])
})

test('a part that fails or hangs does not keep the others from ending', async () => {
  const ended: string[] = []
  const shutdown = makeShutdown({ log, deadlineMs: 100 })
  shutdown.add('postgres', async () => void ended.push('postgres'))
  shutdown.add('broken', async () => Promise.reject(new Error('broken')))
  shutdown.add('hanging', () => new Promise(() => undefined))
  expect(await shutdown.run('test')).toBe(false)
  expect(ended).toEqual(['postgres'])
})

async function start(kind: 'quick' | 'stuck' | 'told-twice') {
  const script = join(import.meta.dirname, 'testing/shutdown-process.ts')
  const child = spawn(process.execPath, [script, kind], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await expect.poll(() => output).toBe('ready\n')
  return { child, output: () => output, exit: once(child, 'exit') }
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends everything and exits with 0', async (signal) => {
  const { child, output, exit } = await start('quick')
  child.kill(signal)
  expect(await exit).toEqual([0, null])
  expect(output()).toBe('ready\nhttp\ndatabase\n')
})

test.each(['SIGTERM', 'SIGHUP'] as const)(
  '%s that comes twice at once, to the group and passed on, ends everything all the same',
  async (signal) => {
    const { child, output, exit } = await start('told-twice')
    child.kill(signal)
    await expect.poll(output).toContain('http')
    child.kill(signal)
    expect(await exit).toEqual([0, null])
    expect(output()).toBe('ready\nhttp\ndatabase\n')
  },
)

test('a second Ctrl-C exits at once', async () => {
  const { child, output, exit } = await start('stuck')
  child.kill('SIGINT')
  await expect.poll(output).toContain('http')
  child.kill('SIGINT')
  expect(await exit).toEqual([130, null])
  expect(output()).not.toContain('database')
})
