/** The kinds of output script that bitcoind relays, by their names in its RPC. */
export type OutputKind =
  | 'witness_v0_keyhash'
  | 'witness_v0_scripthash'
  | 'witness_v1_taproot'
  | 'anchor'
  | 'witness_unknown'
  | 'pubkeyhash'
  | 'scripthash'
  | 'nulldata'
  | 'nonstandard'

const MAX_OP_RETURN_BYTES = 83
const OP_RETURN = 0x6a

export function outputKind(script: Uint8Array): OutputKind {
  const [first, second] = script
  const length = script.length
  if (
    length >= 4 &&
    length <= 42 &&
    second === length - 2 &&
    (first === 0 || (first! >= 0x51 && first! <= 0x60))
  ) {
    if (first === 0)
      return length === 22 ? 'witness_v0_keyhash' : length === 34 ? 'witness_v0_scripthash' : 'nonstandard'
    if (first === 0x51 && length === 34) return 'witness_v1_taproot'
    if (first === 0x51 && length === 4 && script[2] === 0x4e && script[3] === 0x73) return 'anchor'
    return 'witness_unknown'
  }
  const text = length <= 25 ? Buffer.from(script).toString('hex') : ''
  if (/^76a914.{40}88ac$/.test(text)) return 'pubkeyhash'
  if (/^a914.{40}87$/.test(text)) return 'scripthash'
  if (first === OP_RETURN) return length <= MAX_OP_RETURN_BYTES ? 'nulldata' : 'nonstandard'
  return 'nonstandard'
}

/** An output that can never be spent takes no place in the UTXO set. */
export function isUnspendable(script: Uint8Array): boolean {
  return script[0] === OP_RETURN || script.length > 10_000
}

const DUST_RELAY_SAT_PER_KVB = 3000n

/** bitcoind's `GetDustThreshold` at 3 sat/vB: what it costs to create the output and to spend it again. */
export function dustThreshold(script: Uint8Array): bigint {
  const kind = outputKind(script)
  if (kind === 'nulldata') return 0n
  const isWitness = kind.startsWith('witness') || kind === 'anchor'
  const outputBytes = 8n + (script.length < 0xfd ? 1n : 3n) + BigInt(script.length)
  const spendBytes = isWitness ? 67n : 148n
  return ((outputBytes + spendBytes) * DUST_RELAY_SAT_PER_KVB) / 1000n
}
