/** Of `ChannelMonitorUpdateStep` (LDK 0.1, `chain/channelmonitor.rs`): what our side may broadcast from now on. */
const LATEST_HOLDER_COMMITMENT = 0
const VERSION_BYTES = 2
const UPDATE_ID_BYTES = 8

/**
 * What a monitor's update says of our own commitment transaction, of which it has the HTLCs with their payment hashes; null:
 * it changes nothing about it. LDK tells this nowhere else. The form is `ChannelMonitorUpdate::write`: two bytes of version,
 * the update's id, how many steps, and each step as its kind and what BOLT 1 calls a BigSize with so many bytes.
 */
export function holderCommitmentIn(update: Uint8Array): Uint8Array | null {
  const view = new DataView(update.buffer, update.byteOffset, update.byteLength)
  let at = VERSION_BYTES + UPDATE_ID_BYTES
  const steps = view.getBigUint64(at)
  at += 8
  let latest: Uint8Array | null = null
  for (let step = 0n; step < steps; step++) {
    const kind = view.getUint8(at++)
    const { length, bytes } = bigSizeAt(view, at)
    at += bytes
    if (at + length > update.length) throw new RangeError('A step of a monitor’s update is cut short.')
    if (kind === LATEST_HOLDER_COMMITMENT) latest = update.subarray(at, at + length)
    at += length
  }
  return latest
}

function bigSizeAt(view: DataView, at: number): { length: number; bytes: number } {
  const first = view.getUint8(at)
  if (first < 0xfd) return { length: first, bytes: 1 }
  if (first === 0xfd) return { length: view.getUint16(at + 1), bytes: 3 }
  if (first === 0xfe) return { length: view.getUint32(at + 1), bytes: 5 }
  throw new RangeError('A step of a monitor’s update is absurdly long.')
}
