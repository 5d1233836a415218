import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { Transaction as IndependentTransaction } from '@scure/btc-signer'
import { sha256 } from '../chain/bytes.ts'
import type { BitcoinRpc } from '../chain/rpc-client.ts'
import { satoshi } from '../chain/rpc-client.ts'
import { addressOf } from '../chain/rpc-views.ts'
import { SIGHASH } from '../chain/script/sighash.ts'
import { keyHash, payToKeyHash } from '../chain/script/verify-input.ts'
import { finishTransaction, type Transaction, type TxBody, type TxOutput } from '../chain/transaction.ts'

export type TestKey = {
  readonly secret: Uint8Array
  readonly publicKey: Uint8Array
  readonly script: Uint8Array
}
/** An output that a test may spend; `value` in satoshi. */
export type TestCoin = TxOutput & { readonly txid: string; readonly vout: number }

/** Signs for one input; `scriptCode` is the witness script. */
export type Sign = (key: TestKey, scriptCode: Uint8Array, sighashType?: number) => Uint8Array
export type TestInput = TestCoin & {
  readonly sequence?: number
  /** Makes the witness; default: P2WPKH by the spender's own key. */
  witness?(sign: Sign, signTaproot: (key: TestKey, sighashType?: number) => Uint8Array): Uint8Array[]
}

export function testKey(seed: string): TestKey {
  const secret = sha256(Buffer.from(seed))
  const publicKey = secp256k1.getPublicKey(secret, true)
  return { secret, publicKey, script: Buffer.concat([Buffer.from([0, 20]), keyHash(publicKey)]) }
}

export function payToWitnessScript(script: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([0, 32]), sha256(script)])
}

/** An untweaked output key, which is valid for key path spending. */
export function payToTaprootKey(key: TestKey): Uint8Array {
  return Buffer.concat([Buffer.from([0x51, 32]), schnorr.getPublicKey(key.secret)])
}

/**
 * Builds and signs transactions for tests, of coins mined to a key of its own. The digests to sign come from
 * @scure/btc-signer, so that the chain's own BIP-143 and BIP-341 code is checked by another's.
 */
export class Spender {
  readonly key: TestKey
  private readonly rpc: BitcoinRpc
  private readonly coins: TestCoin[] = []

  constructor(rpc: BitcoinRpc, seed = 'spender') {
    this.rpc = rpc
    this.key = testKey(seed)
  }

  get address(): string {
    return addressOf(this.key.script)!
  }

  /** Mines until `count` new coins of 50 BTC or less are mature. */
  async mineCoins(count: number): Promise<void> {
    const hashes = await this.rpc.generateToAddress(count, this.address)
    for (const hash of hashes) {
      const block = (await this.rpc.call('getblock', [hash, 2])) as {
        tx: [{ txid: string; vout: [{ value: unknown }] }]
      }
      const [{ txid, vout }] = block.tx
      this.coins.push({ txid, vout: 0, value: satoshi(vout[0].value), script: this.key.script })
    }
    await this.rpc.generateToAddress(100, addressOf(testKey('nobody').script)!)
  }

  takeCoin(): TestCoin {
    const coin = this.coins.shift()
    if (coin === undefined) throw new Error('the spender has no coin left: mine more in beforeAll')
    return coin
  }

  build(
    inputs: readonly TestInput[],
    outputs: readonly TxOutput[],
    { version = 2, lockTime = 0 }: { version?: number; lockTime?: number } = {},
  ): Transaction {
    const unsigned: TxBody = {
      version,
      lockTime,
      outputs,
      inputs: inputs.map(({ txid, vout, sequence = 0xffff_fffd }) => ({
        txid,
        vout,
        sequence,
        scriptSig: new Uint8Array(),
        witness: [],
      })),
    }
    const signed = inputs.map((input, i) => {
      const sign: Sign = (key, scriptCode, sighashType = SIGHASH.ALL) => {
        const digest = digestsOf(unsigned).preimageWitnessV0(i, scriptCode, sighashType, input.value)
        const signature = secp256k1.sign(digest, key.secret, { prehash: false, lowS: true, format: 'der' })
        return Buffer.concat([signature, Buffer.from([sighashType])])
      }
      const signTaproot = (key: TestKey, sighashType: number = SIGHASH.DEFAULT) => {
        const scripts = inputs.map((one) => one.script)
        const values = inputs.map((one) => one.value)
        const digest = digestsOf(unsigned).preimageWitnessV1(i, scripts, sighashType, values)
        const signature = schnorr.sign(digest, key.secret)
        return sighashType === SIGHASH.DEFAULT
          ? signature
          : Buffer.concat([signature, Buffer.from([sighashType])])
      }
      const witness = input.witness?.(sign, signTaproot) ?? this.ownWitness(sign)
      return { ...unsigned.inputs[i]!, witness }
    })
    return finishTransaction({ ...unsigned, inputs: signed })
  }

  private ownWitness(sign: Sign): Uint8Array[] {
    return [sign(this.key, payToKeyHash(keyHash(this.key.publicKey))), this.key.publicKey]
  }

  /** Pays `value` to `script` from a fresh coin, the rest back to the spender, with a fee of 1000 sat. */
  payTo(script: Uint8Array, value: bigint): { tx: Transaction; coin: TestCoin; change: TestCoin } {
    const source = this.takeCoin()
    const rest = { value: source.value - value - 1_000n, script: this.key.script }
    const tx = this.build([source], [{ value, script }, rest])
    const { txid } = tx
    return { tx, coin: { txid, vout: 0, value, script }, change: { txid, vout: 1, ...rest } }
  }

  send(tx: Transaction): Promise<string> {
    return this.rpc.sendRawTransaction(tx.bytes.toString('hex'))
  }

  /** A confirmed output with this script. */
  async lock(script: Uint8Array, value = 100_000n): Promise<TestCoin> {
    const { tx, coin } = this.payTo(script, value)
    await this.send(tx)
    await this.mine(1)
    return coin
  }

  mine(blocks: number): Promise<string[]> {
    return this.rpc.generateToAddress(blocks, addressOf(testKey('nobody').script)!)
  }
}

function digestsOf(unsigned: TxBody): IndependentTransaction {
  return IndependentTransaction.fromRaw(finishTransaction(unsigned).bytes, {
    allowUnknown: true,
    allowUnknownInputs: true,
    allowUnknownOutputs: true,
    allowUnknownVersion: true,
    disableScriptCheck: true,
  })
}
