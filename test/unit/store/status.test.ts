import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveState, isActive, startingForMs, type RunFacts } from '../../../experiments/status.ts';

const facts: RunFacts = {
  attempted: true,
  liveness: 'alive',
  outcome: null,
  started: true,
  stopRequested: false,
  queued: false,
  ageMs: 0,
};

describe('deriveState', () => {
  it.each([
    ['queued', { attempted: false, queued: true }],
    ['starting', { attempted: false }],
    ['crashed', { attempted: false, ageMs: startingForMs }],
    ['starting', { started: false }],
    ['running', {}],
    ['stopping', { stopRequested: true }],
    ['finished', { outcome: 'finished' }],
    ['stopped', { outcome: 'stopped', liveness: 'gone' }],
    ['failed', { outcome: 'failed', liveness: 'gone' }],
    ['crashed', { liveness: 'gone' }],
    ['crashed', { liveness: 'gone', stopRequested: true }],
    ['stale', { liveness: 'silent' }],
    ['stale', { liveness: 'undecided' }],
  ] as const)('says %s of %j', (state, changes) => {
    expect(deriveState({ ...facts, ...changes })).toBe(state);
  });

  it('never calls an attempt active whose process was not seen alive', () => {
    fc.assert(
      fc.property(
        fc.record({
          attempted: fc.constant(true),
          liveness: fc.constantFrom('gone', 'silent', 'undecided'),
          outcome: fc.constantFrom('finished', 'stopped', 'failed', null),
          started: fc.boolean(),
          stopRequested: fc.boolean(),
          queued: fc.boolean(),
          ageMs: fc.nat(),
        }),
        (random) => !isActive(deriveState(random as RunFacts)),
      ),
    );
  });
});
