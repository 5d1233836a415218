import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRefusal } from '../refusals.ts'
import { DS_TTL_SECONDS, SimulatedZone, TTL_SECONDS } from './testing/simulated-zone.ts'
import type { ZoneDecision } from './zone-moves.ts'
import { decideZone, hearZone } from './zone-plan.ts'
import type { ZoneEffect, ZoneReport, ZoneState } from './zone-states.ts'

const goal = fc.constantFrom('sign' as const, 'unsign' as const, 'roll' as const)
const fault = fc.record({
  silent: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  /** `unclear`: it was done and said to have failed; `lost`: it was said to be done and was not. */
  action: fc.constantFrom('done' as const, 'failed' as const, 'unclear' as const, 'lost' as const),
  delays: fc.array(fc.integer({ min: 0, max: 120_000 }), { minLength: 2, maxLength: 2 }),
  twice: fc.boolean(),
})
const history = fc.record({
  requests: fc.array(fc.record({ goal, afterMs: fc.integer({ min: 0, max: 3_000_000 }) }), {
    minLength: 1,
    maxLength: 6,
  }),
  faults: fc.array(fault, { maxLength: 60 }),
})
const NO_FAULT = { silent: [], action: 'done', delays: [0, 0], twice: false } as const

test('no resolver ever refuses the zone, whatever it remembers, and the plan reaches its goal', () => {
  fc.assert(
    fc.property(history, ({ requests, faults }) => {
      const world = new SimulatedZone()
      const due: ZoneEffect[] = []
      let fault = 0
      let now = 1
      const adopted = decideZone(
        null,
        {
          kind: 'adopt',
          domain: 'shop.test',
          maxTtlSeconds: TTL_SECONDS,
          assumedDsTtlSeconds: DS_TTL_SECONDS,
        },
        now,
      ) as ZoneDecision
      let state: ZoneState = adopted.state
      due.push(...adopted.effects)

      const hear = (report: ZoneReport) => {
        const decision = hearZone(state, report, now)
        state = decision.state
        due.push(...decision.effects)
      }
      const perform = (effect: ZoneEffect) => {
        const { silent, action, delays, twice } = faults[fault++] ?? NO_FAULT
        if (effect.kind === 'observe') {
          const report = {
            kind: 'observed',
            observation: world.observe(now, silent),
            looks: effect.looks,
          } as const
          hear(report)
          return
        }
        if (action !== 'failed' && action !== 'lost') world.act(effect.action, effect.ds, now, delays)
        if (twice) due.push({ ...effect, at: now + 500 })
        const told = { action: effect.action, attempt: effect.attempt }
        if (action === 'done' || action === 'lost') hear({ kind: 'acted', ...told })
        else hear({ kind: 'action-failed', ...told, reason: 'HTTP 500' })
      }
      const runUntil = (end: number) => {
        for (let steps = 0; steps < 2_000; steps++) {
          due.sort((a, b) => a.at - b.at)
          const next = due[0]
          if (!next || next.at > end) break
          due.shift()
          const then = now
          now = Math.max(now, next.at)
          expect(world.refusals(then, now), `in ${state.phase}`).toEqual([])
          if (next.kind === 'act' && !stillWanted(state, next)) continue
          perform(next)
          // One look is enough at a time.
          const looks = due.filter((effect) => effect.kind === 'observe')
          for (const extra of looks.slice(1)) due.splice(due.indexOf(extra), 1)
        }
        now = Math.max(now, end)
      }

      let signed = false
      for (const { goal, afterMs } of requests) {
        runUntil(now + afterMs)
        const decision = decideZone(state, { kind: goal }, now)
        if (isRefusal(decision)) continue
        if (goal !== 'roll') signed = goal === 'sign'
        state = decision.state
        due.push(...decision.effects)
      }
      fault = faults.length
      runUntil(now + 40 * 3_600_000)
      expect(state).toMatchObject({ phase: signed ? 'signed' : 'unsigned', problem: null })
    }),
    { numRuns: 400 },
  )
})

function stillWanted(state: ZoneState, effect: Extract<ZoneEffect, { kind: 'act' }>): boolean {
  const wanted = hearZone(state, { kind: 'time-passed' }, 0).effects.find(({ kind }) => kind === 'act')
  return wanted?.kind === 'act' && wanted.action === effect.action && wanted.attempt === effect.attempt
}
