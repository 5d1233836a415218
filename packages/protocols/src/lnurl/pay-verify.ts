import { isHex } from '../hex.ts'
import { readAnswer, readText } from './answer.ts'
import { LnurlError } from './error.ts'

/** LUD-21, as it goes over the wire. The preimage is the payer's proof and may be kept from third parties. */
export type VerifyAnswer = {
  readonly status: 'OK'
  readonly settled: boolean
  readonly preimage: string | null
  readonly pr: string
}

/** Reads the answer of a `verify` URL. Throws `LnurlError`. */
export function readVerifyAnswer(answer: unknown): Omit<VerifyAnswer, 'status'> {
  const read = readAnswer(answer)
  const { settled, preimage = null } = read
  if (typeof settled !== 'boolean') throw new LnurlError('bad-answer', 'settled is neither true nor false')
  if (preimage !== null && !(typeof preimage === 'string' && isHex(preimage, 32)))
    throw new LnurlError('bad-answer', 'the preimage is not 32 bytes of hex')
  return { settled, preimage, pr: readText(read, 'pr', 8_000) }
}
