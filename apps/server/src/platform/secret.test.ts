import { format, inspect } from 'node:util'
import { expect, test } from 'vitest'
import { makeLog } from './log.ts'
import { Secret } from './secret.ts'

const secret = new Secret('hunter2')

test.each([
  ['a template', `${secret}`],
  ['String()', String(secret)],
  ['JSON', JSON.stringify({ secret, list: [secret] })],
  ['inspect', inspect({ secret }, { depth: 5, showHidden: true })],
  ['format', format('%s %o %j', secret, secret, secret)],
  ['own properties', JSON.stringify(Object.entries(secret))],
])('%s does not show the secret', (_how, text) => {
  expect(text).not.toContain('hunter2')
})

test('reveal shows it', () => {
  expect(secret.reveal()).toBe('hunter2')
})

test('the log hides secrets, and fields that are named like one, wherever they stand', () => {
  const lines: string[] = []
  const log = makeLog({ level: 'info', stream: { write: (line) => void lines.push(line) } })
  log.info(
    { url: secret, password: 'hunter2', node: { macaroon: 'hunter2', deep: { preimage: 'hunter2' } } },
    'x',
  )
  log.child({ requestId: 'r' }).error({ err: new Error('outer', { cause: new Error('inner') }) }, 'y')
  expect(lines[0]).not.toContain('hunter2')
  expect(JSON.parse(lines[1]!)).toMatchObject({
    level: 'error',
    requestId: 'r',
    err: { cause: { message: 'inner' } },
  })
})

test('of an error, only what it says is logged, not what a library hung on it', () => {
  const lines: string[] = []
  const log = makeLog({ level: 'info', stream: { write: (line) => void lines.push(line) } })
  const error = Object.assign(new Error('cut', { cause: 'because' }), {
    code: '57P01',
    client: { key: 'hunter2' },
  })
  log.warn({ err: error }, 'z')
  log.warn({ err: 'thrown text' }, 'z')
  expect(lines[0]).not.toContain('hunter2')
  expect(JSON.parse(lines[0]!)).toMatchObject({
    err: { type: 'Error', message: 'cut', code: '57P01', cause: 'because' },
  })
  expect(JSON.parse(lines[1]!)).toMatchObject({ err: 'thrown text' })
})

test('of an error that stands for many, the first few are logged', () => {
  const lines: string[] = []
  const log = makeLog({ level: 'info', stream: { write: (line) => void lines.push(line) } })
  const errors = Array.from({ length: 9 }, (_, index) => new Error(`no. ${index}`))
  log.error({ err: new AggregateError(errors, '9 of 10 names were passed over') }, 'z')
  const { err } = JSON.parse(lines[0]!)
  expect(err.message).toBe('9 of 10 names were passed over')
  expect(err.errors.map(({ message }: Error) => message)).toEqual([0, 1, 2, 3, 4].map((n) => `no. ${n}`))
})
