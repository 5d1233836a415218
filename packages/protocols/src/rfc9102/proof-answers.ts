import { TYPE } from '../dns/codes.ts'
import type { ResourceRecord } from '../dns/message.ts'
import { canonicalName, type Name, parentOf } from '../dns/names.ts'
import type { AnswerSource } from '../dnssec/answer-source.ts'
import { type Rrset, rrsetsOf } from '../dnssec/rrset.ts'

/** The records of a proof, asked as if they were the DNS. Thousands of records cost no more for a question than few. */
export function proofAnswers(records: readonly ResourceRecord[]): AnswerSource {
  const sets = rrsetsOf(records)
  const byKey = new Map(sets.map((set) => [`${set.type} ${set.name}`, set]))
  const find = (name: Name, type: number) => byKey.get(`${type} ${name}`)
  const authority = sets.filter(({ type }) => type === TYPE.NSEC || type === TYPE.NSEC3)
  const aliasesFor = (name: Name) =>
    [find(name, TYPE.CNAME), ...ancestorsOf(name).map((above) => find(above, TYPE.DNAME))].filter(isThere)
  return {
    zoneCuts: 'given',
    async ask(text, type) {
      const name = canonicalName(text)
      const exact = find(name, type)
      if (type === TYPE.DS || type === TYPE.DNSKEY) return { answer: exact ? [exact] : [], authority: [] }
      return { answer: exact ? [exact] : aliasesFor(name), authority }
    },
  }
}

function isThere(set: Rrset | undefined): set is Rrset {
  return set !== undefined
}

/** From the parent up to the root. */
function ancestorsOf(name: Name): Name[] {
  const parent = parentOf(name)
  return parent === null ? [] : [parent, ...ancestorsOf(parent)]
}
