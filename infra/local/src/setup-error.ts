/** Something that a person can put right: shown as one line that says what is wrong and what to do, without a stack. */
export class SetupError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SetupError';
  }
}
