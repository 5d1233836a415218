import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FLAG_SEP, FLAG_ZONE } from '@holdfast/protocols/dnssec/keys'
import type { ZoneKey } from '@holdfast/protocols/dnssec/signing/sign-rrset'
import { writeFileDurably } from '../durable-file.ts'
import { zoneFileName } from './zone-file-name.ts'

const ECDSAP256SHA256 = 13

/** The zone's combined signing key; made and kept as PKCS #8 in `folder` (mode 0600) when there is none yet. */
export function loadOrMakeZoneKey(folder: string, apex: string): ZoneKey {
  const file = join(folder, `${zoneFileName(apex)}.key.pem`)
  if (existsSync(file)) return zoneKey(createPrivateKey(readFileSync(file)))
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeFileDurably(file, String(privateKey.export({ type: 'pkcs8', format: 'pem' })), 0o600)
  return zoneKey(privateKey)
}

/** Fault injection: a key that nobody published, and which claims to be the one that was. */
export function makeImpostorKey(published: ZoneKey): ZoneKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { dnskey: published.dnskey, sign: zoneKey(privateKey).sign }
}

function zoneKey(privateKey: KeyObject): ZoneKey {
  const { x, y } = createPublicKey(privateKey).export({ format: 'jwk' })
  const publicKey = Uint8Array.from(
    Buffer.concat([Buffer.from(String(x), 'base64url'), Buffer.from(String(y), 'base64url')]),
  )
  return {
    dnskey: { flags: FLAG_ZONE | FLAG_SEP, protocol: 3, algorithm: ECDSAP256SHA256, publicKey },
    // RFC 6605 §4: r ‖ s.
    sign: (data) => Uint8Array.from(sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })),
  }
}
