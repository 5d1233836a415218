import { writeFile } from 'node:fs/promises'
import { type PaymentName, parseName } from '@holdfast/protocols/bip353'
import {
  buildNameProof,
  type NameProblem,
  type NameProofVerdict,
  type NameVerdict,
  verifyNameProof,
} from '@holdfast/protocols/name-proof'
import { decodePsbtProof, isPsbtProof } from '@holdfast/protocols/psbt-proof'
import { MAX_CHAIN_BYTES } from '@holdfast/protocols/rfc9102'
import type { ResolverEndpoint } from '@holdfast/server/dns/resolvers/resolver-endpoint'
import { UsageError } from '../command.ts'
import { systemServers, withDns } from './dns-servers.ts'
import type { VerifyRequest } from './verify-arguments.ts'

/** Beside what a proof can say: it is in the form of a PSBT, and names somebody else. */
export type Problem = NameProblem | 'other-name'

export type NameCheck = {
  readonly request: VerifyRequest
  readonly verdict:
    | Extract<NameVerdict, { valid: true }>
    | {
        readonly valid: false
        readonly name: PaymentName
        readonly code: Problem
        readonly reason: string
        /** What may help. */
        readonly hint?: string
      }
  readonly window: NameProofVerdict['window']
  /** Where the records came from, for people. */
  readonly source: string
}

/** @throws UsageError when the proof cannot be saved. */
export async function checkName(request: VerifyRequest): Promise<NameCheck> {
  const { source } = request
  return source.kind === 'proof'
    ? checkProof(request, source)
    : checkDns(request, source.servers, source.saveTo)
}

async function checkProof(
  request: VerifyRequest,
  { file, bytes }: { file: string; bytes: Uint8Array },
): Promise<NameCheck> {
  const inPsbt = isPsbtProof(bytes) ? decodePsbtProof(bytes) : null
  const { proof } = inPsbt ?? { proof: bytes }
  const size = proof.length > MAX_CHAIN_BYTES ? 'too many' : proof.length
  const source = `${file}, ${size} bytes${inPsbt ? ' after the name, as in a PSBT' : ''}`
  const name = parseName(request.name)
  if (inPsbt && inPsbt.name !== name.text) {
    const reason = `the file names ${inPsbt.name}`
    return { request, source, window: null, verdict: { valid: false, name, code: 'other-name', reason } }
  }
  return { request, source, ...(await verifyNameProof(request.name, proof, request)) }
}

async function checkDns(
  request: VerifyRequest,
  chosen: readonly ResolverEndpoint[],
  saveTo: string | null,
): Promise<NameCheck> {
  const servers = chosen.length > 0 ? chosen : systemServers()
  const { verdict, window, proof } = await withDns(servers, (query) =>
    buildNameProof(request.name, { ...request, query }),
  )
  if (saveTo !== null && proof !== null) await save(saveTo, proof)
  const source = `the DNS, asked at ${servers.map(({ text }) => text).join(', ')}`
  if (verdict.valid || verdict.code !== 'signature-missing') return { request, window, source, verdict }
  const hint = 'The server may strip signatures. Try another one with --server.'
  return { request, window, source, verdict: { ...verdict, hint } }
}

async function save(file: string, proof: Uint8Array): Promise<void> {
  try {
    await writeFile(file, proof)
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${(error as Error).message}`, { cause: error })
  }
}
