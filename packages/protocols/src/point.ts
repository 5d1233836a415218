/** For who has points of other protocols to check. */
export { isPoint } from '#secp256k1'
