import { concatBytes } from '@noble/hashes/utils.js'
import { isPoint } from '#secp256k1'
import { readUint, uintBytes } from '../bigsize.ts'
import { bytesToHex, type Hex, hexToBytes } from '../hex.ts'
import { Bolt12Error } from './error.ts'

/** BOLT 4 `blinded_path`, as it stands in `offer_paths`. */
export type BlindedPath = {
  readonly introductionNode: IntroductionNode
  /** `first_path_key`, a point. */
  readonly pathKey: Hex
  /** At least one. */
  readonly hops: readonly BlindedHop[]
}

/** BOLT 1 `sciddir_or_pubkey`: a node id, or an end of an announced channel. */
export type IntroductionNode =
  | { readonly nodeId: Hex }
  | { readonly shortChannelId: bigint; readonly direction: 0 | 1 }

export type BlindedHop = { readonly blindedNodeId: Hex; readonly encryptedData: Hex }

/** Reads paths, one after the other, until the bytes end. */
export function readBlindedPaths(bytes: Uint8Array): BlindedPath[] {
  const paths: BlindedPath[] = []
  let at = 0

  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw new Bolt12Error('truncated', 'the bytes end inside a blinded path')
    at += length
    return bytes.subarray(at - length, at)
  }
  const takePoint = (what: string): Hex => {
    const point = take(33)
    if (!isPoint(point)) throw new Bolt12Error('bad-point', `the ${what} of a blinded path is not a point`)
    return bytesToHex(point)
  }
  const takeIntroductionNode = (): IntroductionNode => {
    const lead = take(1)[0]!
    // BOLT 1: 0 or 1 leads a 9-byte sciddir, 2 or 3 a 33-byte point.
    if (lead === 0 || lead === 1) return { direction: lead, shortChannelId: readUint(take(8)) }
    if (lead !== 2 && lead !== 3) {
      throw new Bolt12Error('bad-introduction-node', `a blinded path begins with the byte ${lead}`)
    }
    at -= 1
    return { nodeId: takePoint('first node id') }
  }

  while (at < bytes.length) {
    const introductionNode = takeIntroductionNode()
    const pathKey = takePoint('path key')
    const hopCount = take(1)[0]!
    // BOLT 12: "if num_hops is 0 in any blinded_path in offer_paths: MUST NOT respond to the offer".
    if (hopCount === 0) throw new Bolt12Error('empty-path', 'a blinded path has no hops')
    const hops: BlindedHop[] = []
    for (let hop = 0; hop < hopCount; hop++) {
      const blindedNodeId = takePoint('hop')
      const encryptedData = bytesToHex(take(Number(readUint(take(2)))))
      hops.push({ blindedNodeId, encryptedData })
    }
    paths.push({ introductionNode, pathKey, hops })
  }
  return paths
}

export function writeBlindedPaths(paths: readonly BlindedPath[]): Uint8Array {
  return concatBytes(...paths.flatMap(pathParts))
}

function pathParts({ introductionNode, pathKey, hops }: BlindedPath): Uint8Array[] {
  const first =
    'nodeId' in introductionNode
      ? hexToBytes(introductionNode.nodeId)
      : Uint8Array.of(introductionNode.direction, ...uintBytes(introductionNode.shortChannelId, 8))
  const hopParts = hops.flatMap(({ blindedNodeId, encryptedData }) => {
    const data = hexToBytes(encryptedData)
    return [hexToBytes(blindedNodeId), uintBytes(BigInt(data.length), 2), data]
  })
  return [first, hexToBytes(pathKey), uintBytes(BigInt(hops.length), 1), ...hopParts]
}
