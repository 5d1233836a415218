import { type AuthoritativeAnswer, type DnsZone, DnsZoneError } from '@holdfast/core/dns-zone'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

export type ZoneUnderTest = {
  zone: DnsZone
  /** Whether the zone's records carry signatures. */
  signed: boolean
  stop(): Promise<void>
}

/** How long secondaries may take to follow the primary. */
const SETTLE_MS = 5_000

/** What every `DnsZone` does. `start` makes an empty zone with at least one authoritative server. */
export function describeDnsZone(title: string, start: () => Promise<ZoneUnderTest>): void {
  describe(`${title} as a DnsZone`, () => {
    let under: ZoneUnderTest
    let zone: DnsZone
    let counter = 0

    beforeAll(async () => {
      under = await start()
      zone = under.zone
    })
    afterAll(() => under.stop())

    const newName = () => `u${++counter}.user._bitcoin-payment.${zone.domain}`
    const publish = (name: string, value: string, ttlSeconds = 60) =>
      zone.publish({ name, value, ttlSeconds })
    const replace = (name: string, replaces: string, value: string) =>
      zone.publish({ name, value, ttlSeconds: 60 }, { replaces })
    const withdraw = (name: string, value: string) => zone.withdraw({ name, value })

    async function expectServed(name: string, values: readonly string[]): Promise<void> {
      const deadline = Date.now() + SETTLE_MS
      for (;;) {
        const answers = await zone.authoritative(name)
        expect(answers.length).toBeGreaterThan(0)
        if (answers.every((answer) => holds(answer, values)) || Date.now() > deadline) {
          const expected = values.length > 0 ? { values, signed: under.signed } : { values }
          for (const answer of answers) expect(answer).toMatchObject(expected)
          return
        }
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }

    test('a published record is served by every authoritative server', async () => {
      const name = newName()
      await publish(name, 'bitcoin:?lno=lno1abc')
      await expectServed(name, ['bitcoin:?lno=lno1abc'])
    })

    test('a name that was never published has no record', async () => {
      await expectServed(newName(), [])
    })

    const values: [what: string, value: string][] = [
      ['one byte', 'x'],
      ['just one string of 255 bytes', 'x'.repeat(255)],
      ['one byte more than a string holds', 'x'.repeat(256)],
      ['an offer with paths', `bitcoin:?lno=lno1${'qp0z'.repeat(400)}`],
      ['characters with a meaning in master files', 'a "b"; \\c (d) $ @ \\034'],
      ['UTF-8', '₿alice'],
    ]
    for (const [what, value] of values) {
      test(`a value of ${what} comes back as it was`, async () => {
        const name = newName()
        await publish(name, value)
        await expectServed(name, [value])
      })
    }

    test('publishing twice is publishing once', async () => {
      const name = newName()
      await publish(name, 'same')
      await publish(name, 'same')
      await expectServed(name, ['same'])
    })

    test('publishing the same value with another TTL succeeds', async () => {
      const name = newName()
      await publish(name, 'same', 60)
      await publish(name, 'same', 120)
      await expectServed(name, ['same'])
    })

    test('another value does not overwrite the one that is there', async () => {
      const name = newName()
      await publish(name, 'first')
      expect(await codeOf(publish(name, 'second'))).toBe('conflict')
      await expectServed(name, ['first'])
    })

    test('a value that only begins like the one that is there is another value', async () => {
      const name = newName()
      await publish(name, `${'x'.repeat(255)}y`)
      expect(await codeOf(publish(name, 'x'.repeat(255)))).toBe('conflict')
      await expectServed(name, [`${'x'.repeat(255)}y`])
    })

    test('of 20 publishers of one name at once exactly one wins', async () => {
      const name = newName()
      const candidates = Array.from({ length: 20 }, (_, i) => `value ${i}`)
      const codes = await Promise.all(candidates.map((value) => codeOf(publish(name, value))))
      expect(codes.filter((code) => code === null)).toHaveLength(1)
      expect(codes.filter((code) => code === 'conflict')).toHaveLength(19)
      await expectServed(name, [candidates[codes.indexOf(null)]!])
    })

    test('20 publishers of 20 names at once all succeed', async () => {
      const names = Array.from({ length: 20 }, newName)
      await Promise.all(names.map((name) => publish(name, `of ${name}`)))
      for (const name of names) await expectServed(name, [`of ${name}`])
    })

    test('a record takes the place of the one that it replaces, and of nothing', async () => {
      const name = newName()
      await replace(name, 'never there', 'first')
      await expectServed(name, ['first'])
      await replace(name, 'first', 'second')
      await expectServed(name, ['second'])
      await replace(name, 'first', 'second')
      await replace(name, 'second', 'second')
      await expectServed(name, ['second'])
    })

    test('a record does not take the place of one that it does not replace', async () => {
      const name = newName()
      await publish(name, 'theirs')
      expect(await codeOf(replace(name, 'ours', 'ours, new'))).toBe('conflict')
      await expectServed(name, ['theirs'])
    })

    test('of 20 replacements of one record at once exactly one wins', async () => {
      const name = newName()
      await publish(name, 'old')
      const candidates = Array.from({ length: 20 }, (_, i) => `new ${i}`)
      const codes = await Promise.all(candidates.map((value) => codeOf(replace(name, 'old', value))))
      expect(codes.filter((code) => code === null)).toHaveLength(1)
      await expectServed(name, [candidates[codes.indexOf(null)]!])
    })

    test('while records take each other’s place, each answer holds just one', async () => {
      const name = newName()
      const long = (i: number) => `${i} `.repeat(200)
      await publish(name, long(0))
      let replacing = true
      const looking = (async () => {
        while (replacing) {
          for (const answer of await zone.authoritative(name)) {
            expect('values' in answer && answer.values).toHaveLength(1)
          }
        }
      })()
      for (let i = 1; i <= 20; i++) await replace(name, long(i - 1), long(i))
      replacing = false
      await looking
      await expectServed(name, [long(20)])
    })

    test('a withdrawn record is gone, and its name can be published anew', async () => {
      const name = newName()
      await publish(name, 'first')
      await withdraw(name, 'first')
      await expectServed(name, [])
      await publish(name, 'second')
      await expectServed(name, ['second'])
    })

    test('withdrawing twice, or what was never there, succeeds', async () => {
      const name = newName()
      await withdraw(name, 'value')
      await publish(name, 'value')
      await withdraw(name, 'value')
      await withdraw(name, 'value')
      await expectServed(name, [])
    })

    test('withdrawing one value leaves another that stands in its place', async () => {
      const name = newName()
      for (const value of ['next', 'old, next', `${'x'.repeat(255)}y`]) {
        await publish(name, value)
        for (const other of ['old', `${value} and more`, 'x'.repeat(255)]) await withdraw(name, other)
        await expectServed(name, [value])
        await withdraw(name, value)
      }
      await expectServed(name, [])
    })

    test('withdrawing a name leaves its neighbours and what lies below it', async () => {
      const name = newName()
      const [neighbour, below] = [newName(), `below.${name}`]
      for (const each of [name, neighbour, below]) await publish(each, each)
      await withdraw(name, name)
      await expectServed(name, [])
      await expectServed(neighbour, [neighbour])
      await expectServed(below, [below])
    })

    test('a name that has only names below it is free', async () => {
      const name = newName()
      await publish(`below.${name}`, 'below')
      await expectServed(name, [])
      await publish(name, 'above')
      await expectServed(name, ['above'])
    })

    test('all that was published is listed, and nothing that was withdrawn', async () => {
      const names = Array.from({ length: 30 }, newName)
      const long = (name: string) => `${name} ${'qp0z'.repeat(300)}`
      for (const name of names) await publish(name, long(name))
      const gone = newName()
      await publish(gone, 'gone')
      await withdraw(gone, 'gone')
      const listed = new Map<string, string>()
      for await (const { name, value } of zone.list()) {
        expect(listed.has(name)).toBe(false)
        listed.set(name, value)
      }
      for (const name of names) expect(listed.get(name)).toBe(long(name))
      expect(listed.has(gone)).toBe(false)
      for (const name of names) await withdraw(name, long(name))
      for await (const { name } of zone.list()) expect(names).not.toContain(name)
    })

    test('a name outside of the zone is refused', async () => {
      expect(await codeOf(publish('alice.user._bitcoin-payment.elsewhere.invalid', 'x'))).toBe(
        'not-this-zone',
      )
      expect(await codeOf(withdraw(`not${zone.domain}`, 'x'))).toBe('not-this-zone')
    })
  })
}

function holds(answer: AuthoritativeAnswer, values: readonly string[]): boolean {
  return 'values' in answer && JSON.stringify(answer.values) === JSON.stringify(values)
}

/** The code that a change was refused with; `null` when it succeeded. */
async function codeOf(change: Promise<void>): Promise<string | null> {
  try {
    await change
    return null
  } catch (error) {
    if (error instanceof DnsZoneError) return error.code
    throw error
  }
}
