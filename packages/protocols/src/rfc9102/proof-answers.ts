import { TYPE } from '../dns/codes.ts'
import type { ResourceRecord } from '../dns/message.ts'
import { isAtOrBelow, type Name, sameName } from '../dns/names.ts'
import type { AnswerSource } from '../dnssec/answer-source.ts'
import { findRrset, type Rrset, rrsetsOf } from '../dnssec/rrset.ts'

/** The records of a proof, asked as if they were the DNS. */
export function proofAnswers(records: readonly ResourceRecord[]): AnswerSource {
  const sets = rrsetsOf(records)
  const authority = sets.filter(({ type }) => type === TYPE.NSEC || type === TYPE.NSEC3)
  return {
    zoneCuts: 'given',
    async ask(name, type) {
      const exact = findRrset(sets, name, type)
      if (type === TYPE.DS || type === TYPE.DNSKEY) return { answer: exact ? [exact] : [], authority: [] }
      return { answer: exact ? [exact] : aliasesFor(sets, name), authority }
    },
  }
}

function aliasesFor(sets: readonly Rrset[], name: Name): Rrset[] {
  return sets.filter(
    ({ type, name: owner }) =>
      (type === TYPE.CNAME && sameName(owner, name)) || (type === TYPE.DNAME && isAtOrBelow(name, owner)),
  )
}
