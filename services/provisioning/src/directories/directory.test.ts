import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import type { Decision } from '@reeve/store';
import {
  type Directory,
  directories,
  holdsToken,
  newDirectoryToken,
  open,
  remove,
  rename,
  rotateToken,
} from './directory.ts';

const id = newId('directory');
const { token, tokenSha256 } = newDirectoryToken();
const directory: Directory = { name: 'HR', tokenSha256, createdAt: '2026-11-25T12:00:00.000Z' };
const types = (decision: Decision<Directory>) => decision?.events.map(({ type }) => type);

describe('a directory', () => {
  test('keeps the hash of its token and not the token, and tells neither', () => {
    const opened = JSON.stringify(open(id, directory));
    expect(opened).not.toContain(token);
    expect(JSON.stringify(open(id, directory).events)).not.toContain(tokenSha256);
    expect(types(open(id, directory))).toEqual(['directory.created']);
  });

  test('holds its own token and no other', () => {
    expect(holdsToken(directory, token)).toBe(true);
    for (const other of ['', token.slice(1), `${token}=`, tokenSha256, newDirectoryToken().token])
      expect(holdsToken(directory, other)).toBe(false);
  });

  test('that gets a new token holds the one before no more', () => {
    const next = newDirectoryToken();
    const rotated = rotateToken(id, directory, next.tokenSha256);
    expect(types(rotated)).toEqual(['directory.token_rotated']);
    expect(rotated && [holdsToken(rotated.state, token), holdsToken(rotated.state, next.token)]).toEqual([false, true]);
  });

  test('is renamed to another name alone', () => {
    expect(rename(id, directory, 'HR')).toBeNull();
    const renamed = rename(id, directory, 'People');
    expect(renamed?.state).toEqual({ ...directory, name: 'People' });
    expect(renamed?.events[0]).toMatchObject({ type: 'directory.updated', details: { changed: ['name'] } });
  });

  test('that is deleted is gone from that moment on', () => {
    const at = new Date('2026-11-25T13:00:00.000Z');
    const removed = remove(id, directory, at);
    expect(types(removed)).toEqual(['directory.deleted']);
    expect(removed && directories.expiresAt?.(removed.state)).toEqual(at);
    expect(directories.expiresAt?.(directory)).toBeNull();
  });
});
