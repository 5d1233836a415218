import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeMessage, encodeMessage } from '@holdfast/protocols/dns/message'
import { formatBindTrustAnchors } from '@holdfast/protocols/dnssec'
import type { World } from '@holdfast/protocols/dnssec/testing/signed-world'
import { CASES, NAME, type ValidationCase } from '@holdfast/protocols/dnssec/testing/validation-cases'
import { describe, expect, test } from 'vitest'
import { listenForDns } from './dns-listener.ts'
import { runDelv } from './testing/delv.ts'

/** Serves a crafted world on a port of its own and asks delv about it. */
async function delvOn({ world, name = NAME }: ValidationCase): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-delv-'))
  const anchorFile = join(folder, 'anchors.conf')
  writeFileSync(anchorFile, formatBindTrustAnchors(world.anchors))
  const listener = await listenForDns('127.0.0.1', 0, (query, transport) => respond(world, query, transport))
  try {
    return await runDelv(anchorFile, listener.port, name)
  } finally {
    await listener.close()
    rmSync(folder, { recursive: true })
  }
}

function respond(world: World, bytes: Uint8Array, transport: 'udp' | 'tcp'): Uint8Array {
  const { id, question, flags } = decodeMessage(bytes)
  const [asked] = question
  const answer = world.answer(asked!.name, asked!.type)
  const response = {
    ...answer,
    id,
    question,
    flags: { ...answer.flags, recursionDesired: flags.recursionDesired },
    edns: { udpPayloadSize: 1232, version: 0, dnssecOk: true, options: [] },
  }
  const whole = encodeMessage(response)
  if (transport === 'tcp' || whole.length <= 1232) return whole
  const cut = { ...response.flags, truncated: true }
  return encodeMessage({ ...response, flags: cut, answer: [], authority: [], additional: [] })
}

function verdict(output: string): string {
  if (output.includes('; negative response, fully validated')) return 'denied'
  // The alias is validated, its target is not there.
  if (output.includes('resolution failed: ncache nx')) return 'denied'
  if (output.includes('; fully validated')) return 'secure'
  if (output.includes('unsigned answer')) return 'insecure'
  return 'refused'
}

/** What delv ought to say where it has no weaker rules than we have. */
function expectedVerdict(expected: string): string {
  if (expected.startsWith('secure ')) return 'secure'
  if (expected === 'nxdomain' || expected === 'nodata') return 'denied'
  return expected === 'insecure' ? 'insecure' : 'refused'
}

describe('delv and our validator agree', () => {
  const common = CASES.filter(({ delv }) => delv === undefined)
  test.each(common.map((one) => [one.title, one] as const))('%s', async (_, one) => {
    const output = await delvOn(one)
    expect(verdict(output), output).toBe(expectedVerdict(one.expected))
  })
})

describe('delv accepts, we refuse', () => {
  const stricter = CASES.filter(({ delv }) => delv === 'stricter')
  test.each(stricter.map((one) => [one.title, one] as const))('%s', async (_, one) => {
    expect(['secure', 'denied']).toContain(verdict(await delvOn(one)))
  })
})
