import { isIPv6 } from 'node:net'
import { refuse } from '@holdfast/core'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { RefusalError } from './problem.ts'

export interface RateLimiter {
  /** Counts one use by `key`; throws `RefusalError` RATE_LIMITED with `retryAfterSeconds` when there were too many. */
  consume(key: string): Promise<void>
}

/** At most `points` uses per `seconds` and key, counted in this process. */
export function makeMemoryRateLimiter(limit: { points: number; seconds: number }): RateLimiter {
  const limiter = new RateLimiterMemory({ points: limit.points, duration: limit.seconds })
  return {
    async consume(key) {
      try {
        await limiter.consume(key)
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error
        const retryAfterSeconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000))
        throw new RefusalError(refuse('RATE_LIMITED', { retryAfterSeconds }))
      }
    },
  }
}

/**
 * What an address is counted under: IPv4 by itself, also when written as `::ffff:192.0.2.1`; IPv6 by its /64, because
 * one customer is given at least that much (RFC 6177 section 2).
 */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped) return mapped
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.replace(/%.*$/, '').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
