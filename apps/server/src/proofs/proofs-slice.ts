import { formatTrustAnchor, type TrustAnchor } from '@holdfast/protocols/dnssec'
import type { App } from '../platform/http/app.ts'
import { verifyNatively } from '../resolve/native-signatures.ts'
import { CROWD } from '../resolve/turnstile.ts'
import { limited, makeValidate, type ResolveTxt, shared } from '../resolve/validations.ts'
import { addProofRoute } from './proofs.rest.ts'
import { makeProveName, type Remembered } from './prove-name.ts'

export type ProofsSlice = { routes(app: App): void }

/** For a whole chain, as in resolving. */
const TIMEOUT_MS = 8_000

/**
 * `resolveTxt` must validate by these anchors, which the proofs then rest on. `remembered`: what was seen of a name last,
 * for other reasons.
 */
export function makeProofsSlice(deps: {
  resolveTxt: ResolveTxt
  anchors: readonly TrustAnchor[]
  remembered: Remembered
  clock: () => number
}): ProofsSlice {
  const { anchors, remembered, clock } = deps
  const validate = shared(limited(makeValidate({ ...deps, timeoutMs: TIMEOUT_MS }), CROWD))
  const proveName = makeProveName({ validate, anchors, remembered, verifySignature: verifyNatively, clock })
  return {
    routes: (app) => addProofRoute(app, { proveName, anchors: anchors.map(formatTrustAnchor), clock }),
  }
}
