import type { SignInFailure } from '@reeve/contracts';

/** The step at which somebody else's answer was refused: a stable name for events and for administrators. */
export class StepError extends Error {
  readonly step: SignInFailure;

  constructor(step: SignInFailure, options: { cause?: unknown } = {}) {
    super(`the answer was refused at ${step}`, options);
    this.name = 'StepError';
    this.step = step;
  }
}
