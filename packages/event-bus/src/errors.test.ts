import { expect, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import { isKafkaUnavailable, PoisonMessageError, PublishDeadlineError, whenLoaded } from './errors.ts';

const { KafkaJSConnectionError, KafkaJSError, KafkaJSNonRetriableError, KafkaJSProtocolError } = kafkajs;

/** As kafkajs makes it, whose types know nothing of the cause. */
const givenUp = (cause: Error) => Object.assign(new KafkaJSNonRetriableError(cause), { cause });
const answered = (type: string, retriable: boolean) =>
  new KafkaJSProtocolError(Object.assign(new Error(type), { type, code: 1, retriable }));

test.each([
  ['a broker that is away', new KafkaJSConnectionError('Closed connection')],
  ['one that was given up', givenUp(new KafkaJSConnectionError('Closed connection'))],
  ['one that was given up twice', givenUp(givenUp(new KafkaJSConnectionError('Closed connection')))],
  ['one that is not ready', answered('COORDINATOR_LOAD_IN_PROGRESS', true)],
  ['a login that is refused', new KafkaJSError('the broker refused the token', { retriable: false })],
  ['one that has no name for it', answered('SASL_AUTHENTICATION_FAILED', false)],
  ['a moment that passed', new PublishDeadlineError()],
])('%s may be there later', (_, error) => {
  expect(isKafkaUnavailable(error)).toBe(true);
});

test.each([
  ['what a broker refuses for good', answered('MESSAGE_TOO_LARGE', false)],
  ['the same, given up', givenUp(answered('MESSAGE_TOO_LARGE', false))],
  ['a wrong call', new KafkaJSNonRetriableError('Invalid topic')],
  ['an error of somebody else', new TypeError('KafkaJS')],
  ['poison', new PoisonMessageError('data_invalid', 'it is')],
])('%s will not pass', (_, error) => {
  expect(isKafkaUnavailable(error)).toBe(false);
});

test('a group is joined again while its coordinator is loading, and not when it refuses for another reason', async () => {
  const answers = [answered('GROUP_LOAD_IN_PROGRESS', true), answered('GROUP_LOAD_IN_PROGRESS', true)];
  const join = async () => {
    const answer = answers.shift();
    if (answer) throw answer;
    return 'joined';
  };
  await expect(whenLoaded(join)).resolves.toBe('joined');
  answers.push(answered('GROUP_AUTHORIZATION_FAILED', false));
  await expect(whenLoaded(join)).rejects.toMatchObject({ type: 'GROUP_AUTHORIZATION_FAILED' });
});
