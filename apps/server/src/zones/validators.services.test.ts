import { CASES } from '@holdfast/protocols/dnssec/testing/validation-cases'
import { expect, test } from 'vitest'
import { type Judged, judge } from './testing/other-validators.ts'
import { type JudgedCase, oursInTheirWords, validatorsPage } from './testing/validators-page.ts'

/** Mostly they wait for each other's programs to start. */
const AT_ONCE = 6

test('delv, Unbound and our validator agree on crafted zones, as docs/dns/validators.md says; else run with -u', async () => {
  const all = await judgeAll(CASES.filter(({ unasked }) => unasked === undefined))
  const differing = all.flatMap(({ one, judged }) => {
    const ours = oursInTheirWords(one)
    const agreed: Judged = { delv: one.others?.delv ?? ours, unbound: one.others?.unbound ?? ours }
    return JSON.stringify(judged) === JSON.stringify(agreed) ? [] : [{ zone: one.title, judged, agreed }]
  })
  expect(differing).toEqual([])
  expect(all.filter(({ one }) => one.others === undefined).length).toBeGreaterThanOrEqual(30)
  await expect(validatorsPage(all)).toMatchFileSnapshot('../../../../docs/dns/validators.md')
}, 600_000)

async function judgeAll(cases: typeof CASES): Promise<JudgedCase[]> {
  const judged = new Map<number, JudgedCase>()
  const waiting = cases.entries()
  const judgeNext = async () => {
    for (const [index, one] of waiting) judged.set(index, { one, judged: await judge(one) })
  }
  await Promise.all(Array.from({ length: AT_ONCE }, judgeNext))
  return cases.map((_, index) => judged.get(index)!)
}
