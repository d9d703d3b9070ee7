import { describe, expect, test } from '@jest/globals';
import { type Expiry, expiryWarnings, look, nextLook, type Seen } from './expiry.ts';

const day = 86_400_000;
const end = new Date('2027-06-01T00:00:00.000Z');
const before = (days: number) => new Date(end.getTime() - days * day);
const certificate: Expiry = { what: 'certificate', name: 'sha256:ab', at: end, isRenewed: false };
const metadata: Expiry = { what: 'metadata', name: 'https://idp.example/metadata', at: end, isRenewed: true };

/** Looked at on each of these days before the end: what was said, as the days that were left. */
function said(days: readonly number[], expiryOn: (days: number) => Expiry = () => certificate): number[] {
  let seen: Seen[] = [];
  return days.flatMap(left => {
    const looked = look([expiryOn(left)], seen, before(left));
    seen = looked.seen;
    return looked.due.map(({ daysLeft }) => daysLeft);
  });
}

describe('something that ends', () => {
  test('is told 30, 14, 7 and 1 days ahead and when it is over, each once however often one looks', () => {
    const everyHalfDay = Array.from({ length: 80 }, (_, index) => 35 - index / 2);
    expect(said(everyHalfDay)).toEqual([30, 14, 7, 1, 0]);
  });

  test('is told once when several of these days have passed unseen', () => {
    expect(said([5, 4, 3])).toEqual([5]);
    expect(said([40, -3, -4])).toEqual([0]);
  });

  test('is told on the day itself and not a moment before', () => {
    const justBefore = new Date(before(30).getTime() - 1);
    expect(look([certificate], [], justBefore).due).toEqual([]);
    expect(look([certificate], [], before(30)).due).toHaveLength(1);
  });

  test('is another thing when it is another certificate, or ends at another time', () => {
    const { seen } = look([certificate], [], before(5));
    const successor = { ...certificate, name: 'sha256:cd' };
    expect(look([successor], seen, before(5)).due).toHaveLength(1);
    expect(look([{ ...certificate, at: before(-1) }], seen, before(5)).due).toHaveLength(1);
    expect(look([certificate], seen, before(5)).due).toEqual([]);
  });

  test('is forgotten when it is no part of the connection any more', () => {
    const { seen } = look([certificate], [], before(5));
    expect(look([], seen, before(5))).toEqual({ due: [], seen: [] });
  });

  test('is looked at again when there is something to say', () => {
    for (const [now, then] of [
      [100, 30],
      [30, 14],
      [10, 7],
      [7, 1],
      [0.5, 0],
    ] as const)
      expect(nextLook([certificate], [], before(now))).toEqual(before(then));
    expect(nextLook([certificate], [], before(-1))).toBeNull();
    expect(nextLook([], [], end)).toBeNull();
  });
});

describe('something that is renewed again and again', () => {
  const days = Array.from({ length: 40 }, (_, index) => 60 - index);

  test('is not about to end while that is done', () => {
    const endsInADay = (left: number): Expiry => ({ ...metadata, at: before(left - 1) });
    expect(said(days, endsInADay)).toEqual([]);
  });

  test('is told like any other when nobody has renewed it for three days', () => {
    expect(said([20, 19, 18, 17, 16, 15, 14, 10, 7, 1, 0], () => metadata)).toEqual([17, 14, 7, 1, 0]);
  });

  test('is told when it is over, however short it was good for', () => {
    expect(said([0.5, 0.2, -0.1, -0.2], () => metadata)).toEqual([0]);
  });

  test('is looked at when it may have been left', () => {
    const { seen } = look([metadata], [], before(20));
    expect(nextLook([metadata], seen, before(20))).toEqual(before(17));
  });
});

test('who looks at the connection is told by stable codes which of it ends when', () => {
  const codes = (expiry: Expiry, days: number) => expiryWarnings([expiry], before(days)).map(({ code }) => code);
  expect(codes(certificate, 31)).toEqual([]);
  expect(codes(certificate, 30)).toEqual(['certificate_expires_soon']);
  expect(codes(certificate, 0)).toEqual(['certificate_expired']);
  expect(codes({ ...certificate, what: 'own_certificate' }, 3)).toEqual(['own_certificate_expires_soon']);
  expect(codes({ ...certificate, what: 'client_secret' }, -3)).toEqual(['client_secret_expired']);
  expect(codes(metadata, 3)).toEqual([]);
  expect(codes(metadata, -1)).toEqual(['metadata_expired']);
});
