import { getServers } from 'node:dns'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SignedDns, startSignedDns } from '@holdfast/devnet/dns/signed-dns'
import { decodeMessage, encodeMessage } from '@holdfast/protocols/dns/message'
import { formatBindTrustAnchors } from '@holdfast/protocols/dnssec'
import { VALUE_TEXT, withShop } from '@holdfast/protocols/dnssec/testing/validation-cases'
import { hexToBytes } from '@holdfast/protocols/hex'
import { BIP353_PROOFS } from '@holdfast/protocols/rfc9102/testing/bip353-proofs'
import { startDohServer } from '@holdfast/server/dns/resolvers/testing/doh-server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../commands.ts'
import { runCli } from '../run-cli.ts'
import { systemServers } from './dns-servers.ts'

const SIMPLE = 'simple@dnssec_proof_tests.bitcoin.ninja'
const SIMPLE_URI = 'bitcoin:?bc=bc1qztwy6xen3zdtt7z0vrgapmjtfz8acjkfp5fp7l'
const THEN = ['--at', '2025-08-07T18:00:00Z']

const folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'))
const file = (name: string) => join(folder, name)

for (const [name, hex] of Object.entries(BIP353_PROOFS)) {
  const bytes = hexToBytes(hex)
  writeFileSync(file(`${name}.psbt`), bytes)
  writeFileSync(file(`${name}.chain`), bytes.subarray(1 + bytes[0]!))
}
writeFileSync(file('no-anchors'), '; none\n')

afterAll(() => rm(folder, { recursive: true }))

async function verify(...args: string[]) {
  const said: string[] = []
  const complained: string[] = []
  const terminal = { out: (text: string) => said.push(text), err: (text: string) => complained.push(text) }
  const code = await runCli(['verify', ...args], COMMANDS, terminal)
  return { code, out: said.join('\n'), err: complained.join('\n') }
}

async function verifyAsJson(...args: string[]) {
  const { code, out } = await verify(...args, '--json')
  return { code, ...(JSON.parse(out) as Record<string, unknown>) }
}

describe('a proof, offline', () => {
  test.each(['simple.psbt', 'simple.chain'])('%s is valid at its date', async (proof) => {
    const { code, out, err } = await verify(SIMPLE, '--proof', file(proof), ...THEN)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(`₿${SIMPLE} is valid`)
    expect(out).toContain(SIMPLE_URI)
    expect(out).toContain('2025-08-07T10:35:18Z to 2025-08-10T16:22:12Z')
    expect(out).toContain('. 20326, . 38696')
  })

  test('as JSON', async () => {
    expect(await verifyAsJson(`₿${SIMPLE}`, '--proof', file('simple.chain'), ...THEN)).toEqual({
      code: 0,
      name: SIMPLE,
      valid: true,
      uri: SIMPLE_URI,
      offers: [],
      ttlSeconds: 30,
      expiresAt: '2025-08-07T18:00:30Z',
      at: '2025-08-07T18:00:00Z',
      notBefore: '2025-08-07T10:35:18Z',
      notAfter: '2025-08-10T16:22:12Z',
      source: `${file('simple.chain')}, 3612 bytes`,
      anchors: ['. 20326', '. 38696'],
    })
  })

  test.each([
    ['it has expired', 'signature-expired', [SIMPLE, '--proof', file('simple.psbt')]],
    [
      'its time has not come',
      'signature-not-yet-valid',
      [SIMPLE, '--proof', file('simple.psbt'), '--at', '2025-08-07T10:00+02:00'],
    ],
    ['it is another’s, in a PSBT', 'other-name', [SIMPLE, '--proof', file('override.psbt'), ...THEN]],
    ['it is another’s, as a chain', 'denial-missing', [SIMPLE, '--proof', file('override.chain'), ...THEN]],
    [
      'a denial is missing',
      'denial-missing',
      [
        'a.x_domain_cname_wild@dnssec_proof_tests.bitcoin.ninja',
        '--proof',
        file('missingDenial.psbt'),
        '--at',
        '2025-08-06T18:00:00Z',
      ],
    ],
    [
      'there are two instructions',
      'ambiguous',
      ['invalid@dnssec_proof_tests.bitcoin.ninja', '--proof', file('twoInstructions.psbt'), ...THEN],
    ],
    ['it is no proof', 'proof-malformed', [SIMPLE, '--proof', file('no-anchors'), ...THEN]],
    ['it never ends', 'proof-malformed', [SIMPLE, '--proof', '/dev/zero', ...THEN]],
  ])('is not valid when %s', async (_, problem, args) => {
    expect(await verifyAsJson(...args)).toMatchObject({ code: problem, valid: false })
    const { code, out } = await verify(...args)
    expect(code).toBe(1)
    expect(out).toContain(`is NOT valid\n`)
    expect(out).toContain(`(${problem})`)
  })

  test.each([
    ['2025-08-08', '2025-08-08T00:00:00Z'],
    ['2025-08-08T12:30', '2025-08-08T12:30:00Z'],
    ['2025-08-08T12:30:00+02:00', '2025-08-08T10:30:00Z'],
    ['2025-08-08T12:30:00.750-01:00', '2025-08-08T13:30:00Z'],
  ])('--at %s is %s', async (at, moment) => {
    expect(await verifyAsJson(SIMPLE, '--proof', file('simple.psbt'), '--at', at)).toMatchObject({
      code: 0,
      at: moment,
    })
  })

  test('that expired less than the grace ago is valid', async () => {
    const late = [SIMPLE, '--proof', file('simple.psbt'), '--at', '2025-08-10T17:00:00Z']
    expect((await verify(...late)).code).toBe(1)
    expect((await verify(...late, '--grace', '3600')).code).toBe(0)
  })
})

describe('the live DNS', () => {
  let dns: SignedDns
  beforeAll(async () => {
    dns = await startSignedDns({ folder: file('dns'), zones: ['shop.test'] })
    await dns
      .zone('shop.test')
      .publish({ name: 'alice.user._bitcoin-payment.shop.test', value: 'bitcoin:?lno=lno1x', ttlSeconds: 60 })
  })
  afterAll(() => dns.stop())
  const there = () => ['--anchor', dns.anchorFile, '--server', dns.address]

  test.each(['', 'tcp://'])('is asked over %s…, and what it says can be saved as a proof', async (scheme) => {
    const saved = file(`alice${scheme.length}.chain`)
    const live = await verifyAsJson(
      'alice@shop.test',
      '--anchor',
      dns.anchorFile,
      '--server',
      `${scheme}${dns.address}`,
      '--save',
      saved,
    )
    expect(live).toMatchObject({ code: 0, valid: true, uri: 'bitcoin:?lno=lno1x', offers: ['lno1x'] })
    const offline = ['alice@shop.test', '--proof', saved, '--anchor', dns.anchorFile]
    expect(await verifyAsJson(...offline)).toMatchObject({ code: 0, uri: 'bitcoin:?lno=lno1x' })
    expect((await verify('alice@shop.test', '--proof', saved)).code).toBe(1)
    expect(readFileSync(saved).length).toBeLessThan(2_000)
  })

  test('a server that is not there is passed over', async () => {
    expect((await verify('alice@shop.test', '--server', '127.0.0.1:1', ...there())).code).toBe(0)
  })

  test('a name that does not exist', async () => {
    expect(await verifyAsJson('nobody@shop.test', ...there())).toMatchObject({
      code: 'no-such-name',
      valid: false,
    })
    expect((await verify('nobody@shop.test', ...there())).code).toBe(1)
  })

  test('without signatures it is not believed, and the hint says why that may be', async () => {
    dns.zone('shop.test').breakSigning('unsigned')
    const { code, out } = await verify('alice@shop.test', ...there())
    dns.zone('shop.test').mendSigning()
    expect(code).toBe(1)
    expect(out).toContain('(signature-missing)')
    expect(out).toContain('hint')
  })

  test('no answer is neither yes nor no', async () => {
    const { code, out } = await verify('alice@shop.test', '--server', '127.0.0.1:1')
    expect(code).toBe(3)
    expect(out).toContain('is unknown')
  })

  test('letters of other scripts are shown as punycode, with a warning', async () => {
    const { out } = await verify('аlice@shop.test', ...there())
    expect(out).toContain('₿xn--lice-43d@shop.test is NOT valid')
    expect(out).toContain('beware')
  })

  test('a proof that cannot be saved is said', async () => {
    const { code, err } = await verify('alice@shop.test', ...there(), '--save', join(folder, 'no', 'folder'))
    expect(code).toBe(2)
    expect(err).toContain('cannot be written')
  })
})

test('the DNS is asked over HTTPS', async () => {
  const world = withShop({})
  writeFileSync(file('world-anchors'), formatBindTrustAnchors(world.anchors))
  const doh = await startDohServer(({ body }) => {
    const { id, question } = decodeMessage(body)
    return { body: encodeMessage({ ...world.answer(question[0]!.name, question[0]!.type), id }) }
  })
  try {
    const args = ['alice@shop.test', '--anchor', file('world-anchors'), '--server', doh.url]
    expect(await verifyAsJson(...args)).toMatchObject({ code: 0, uri: VALUE_TEXT })
    expect(doh.connections()).toBe(1)
  } finally {
    await doh.stop()
  }
})

test('the servers of the system are asked unless others are named', () => {
  expect(systemServers().map(({ via }) => via)).toEqual(getServers().map(() => 'udp'))
})

test('what an anchor file holds instead is shown in short, and moves no cursor', async () => {
  const { code, err } = await verify('a@b', '--anchor', file('simple.psbt'))
  expect(code).toBe(2)
  expect(err).toContain('is no DS or DNSKEY record')
  expect(err.length).toBeLessThan(400)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  expect(err).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
})

test.each([
  ['no name', [], 'which name?'],
  ['what is no name', ['alice'], '"alice" is no name'],
  ['two names', ['a@b', 'c@d'], 'one name at a time'],
  ['an unknown option', ['a@b', '--fast'], "Unknown option '--fast'"],
  ['a file that is not there', ['a@b', '--proof', file('none')], 'cannot be read'],
  ['anchors that are not there', ['a@b', '--anchor', file('none')], 'cannot be read'],
  ['anchors that are none', ['a@b', '--anchor', file('no-anchors')], 'holds no trust anchor'],
  ['a time without a day', ['a@b', '--at', '18:00:00Z'], '--at takes a time'],
  ['a time that is none', ['a@b', '--at', '2025-13-07T18:00:00Z'], '--at takes a time'],
  ['a day that the month has not', ['a@b', '--at', '2025-02-30T18:00:00Z'], '--at takes a time'],
  ['an hour that the day has not', ['a@b', '--at', '2025-02-03T24:00:00Z'], '--at takes a time'],
  ['anchors that never end', ['a@b', '--anchor', '/dev/zero'], 'more than 65,536 bytes'],
  ['more than an hour of grace', ['a@b', '--grace', '3601'], '--grace takes 0 to 3600'],
  ['a server by name', ['a@b', '--server', 'dns.example'], '--server: not the address'],
  ['a proof and a server', ['a@b', '--proof', file('simple.psbt'), '--server', '127.0.0.1'], 'works offline'],
])('%s is a mistake in the call', async (_, args, reason) => {
  const { code, out, err } = await verify(...args)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain(reason)
})
