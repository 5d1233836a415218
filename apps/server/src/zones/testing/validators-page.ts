import type { OtherVerdict, ValidationCase } from '@holdfast/protocols/dnssec/testing/crafted-case'
import type { Judged } from './other-validators.ts'

export type JudgedCase = { readonly one: ValidationCase; readonly judged: Judged }

/** What a validator with our rules and the words of the others would say. */
export function oursInTheirWords({ expected }: ValidationCase): OtherVerdict {
  if (expected.startsWith('secure ')) return 'secure'
  if (expected === 'nxdomain' || expected === 'nodata') return 'denied'
  return expected === 'insecure' ? 'insecure' : 'refused'
}

/** `docs/dns/validators.md`. */
export function validatorsPage(all: readonly JudgedCase[]): string {
  const agreed = all.filter(({ one }) => one.others === undefined)
  const rows = all.map(({ one, judged }) => {
    const ours = one.expected.replace(/^secure .*/, 'secure').replace(' ', ': ')
    return `| ${one.title} | ${ours} | ${judged.delv} | ${judged.unbound} | ${one.others?.why ?? ''} |`
  })
  return `${[
    '# Three validators, one verdict',
    'Made by `npm run test:services -- validators -u`, which serves every crafted zone of `packages/protocols/src/dnssec/testing/cases` on a port of its own and has Debian’s delv (BIND) and Unbound judge it, each beginning with nothing but the trust anchor; without `-u` it compares this page with what they say.',
    'delv and Unbound know four answers: **secure**, **denied** (the proof that there is no such name or no TXT), **insecure** (the proof that the zone need not be signed) and **refused**. Ours says why it refuses. `nxdomain` and `nodata` are two kinds of denied, `bogus` and `unavailable` two kinds of refused.',
    `Of ${all.length} zones all three agree on ${agreed.length}. Where they differ, the last column says why; in each of these ours is the stricter one.`,
    `| zone | ours | delv | Unbound | why they differ |\n|---|---|---|---|---|\n${rows.join('\n')}`,
  ].join('\n\n')}\n`
}
